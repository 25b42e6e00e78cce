// Which cells of the occupancy grid show in the training pictures. A cell may hold density and yet
// show in none: it lies behind surfaces, or is the faint fog that no sample of the loss notices.
// Such cells cost samples in every ray, and appear as haze and floaters in other views.
#pragma once

#include <vector>

#include "native/base/arena.h"
#include "native/nerf/occupancy.h"

namespace daf::nerf {

class ShownCells {
 public:
  // Of a grid with as many cells, `threads` of which mark at once. Errors: kMemory.
  Status Reserve(const Occupancy& grid, uint32_t threads, Arena* arena);

  // A sample at this point of the unit cube counted in the picture.
  void Mark(uint32_t thread, float x, float y, float z) {
    const size_t cell = (Cell(z) * resolution_ + Cell(y)) * resolution_ + Cell(x);
    marks_[thread][cell >> 6] |= uint64_t{1} << (cell & 63);
  }

  // Empties the cells of the grid, just made from densities, that have not shown for kForgotten
  // sweeps, but for those whose turn it is to be tried again. Forgets the marks.
  void Sweep(Occupancy* grid);

  // The grid's occupied cells less those that were about to be emptied or only tried: bits as
  // Occupancy::bytes() [cells / 8].
  void Certain(const Occupancy& grid, uint64_t* bits) const;

  // What training continues from.
  std::vector<uint8_t> State() const;
  size_t state_size() const;
  void Restore(const std::vector<uint8_t>& state);

 private:
  // Sweeps without showing after which a cell is empty, and how many of them a second chance lasts.
  static constexpr uint8_t kForgotten = 8, kTrial = 2;

  size_t Cell(float v) const {
    const int32_t c = static_cast<int32_t>(v * static_cast<float>(resolution_));
    return static_cast<size_t>(c < 0 ? 0 : c < last_ ? c : last_);
  }

  size_t resolution_ = 0, words_ = 0;
  int32_t last_ = 0;
  uint32_t sweeps_ = 0;
  std::vector<uint64_t*> marks_;  // by thread, [words_]
  uint8_t* unseen_ = nullptr;     // sweeps since a dense cell showed, [64 · words_]
};

}  // namespace daf::nerf
