// Which cells of a grid the surface passes through, found with few queries: from coarse to fine for
// a first cell of every piece, then from cell to cell across the faces that the surface cuts.
#pragma once

#include <cstdint>
#include <vector>

#include "native/mesh/sparse_values.h"

namespace daf::mesh {

class SurfaceCells {
 public:
  SurfaceCells(const IsoGrid& grid, SparseValues* values, const TaskControl& control)
      : grid_(grid), values_(*values), control_(control) {}
  // guard: see BandOptions. Errors: those of SparseValues.
  Status Find(float guard);
  // Of a cell that Find found; its corners are known.
  bool Contains(size_t x, size_t y, size_t z) const {
    const size_t cell = CellIndex(x, y, z);
    return ((bits_[cell >> 6] >> (cell & 63)) & 1) != 0;
  }
  // Calls visit(x, y, z, corner) for every cell of layer z, in order of y, then x.
  template <typename Visit>
  void EachInLayer(size_t z, Visit visit) const;

 private:
  struct Block {
    uint16_t low[3], high[3];  // grid points
    size_t Corner(size_t c, int axis) const {
      return ((c >> axis) & 1) != 0 ? high[axis] : low[axis];
    }
  };
  size_t cells() const { return static_cast<size_t>(grid_.resolution); }
  size_t CellIndex(size_t x, size_t y, size_t z) const { return (z * cells() + y) * cells() + x; }
  void Corners(size_t x, size_t y, size_t z, float (&corner)[8]) const;
  Status AskCorners(size_t x, size_t y, size_t z);

  // Calls visit(block) for the blocks of `stride` cells that a block consists of.
  template <typename Visit>
  Status EachPart(const Block& whole, size_t stride, Visit visit) const;
  bool MayCross(const Block& block, size_t stride, float guard);
  float HiddenExtreme(const Block& block, size_t stride, float sign) const;
  Status Refine(size_t stride, float guard, const std::vector<Block>& from,
                std::vector<Block>* kept);
  void SeedAtFace(size_t x, size_t y, size_t z);
  Status Spread();
  void Push(size_t cell);
  Status CountLists(size_t blocks);

  const IsoGrid& grid_;
  SparseValues& values_;
  const TaskControl& control_;
  Arena arena_;
  uint64_t* bits_ = nullptr;
  std::vector<uint32_t> frontier_, next_;  // cells whose neighbours are looked at now and next
  BudgetHold lists_;                       // of them, and of blocks
};

template <typename Visit>
void SurfaceCells::EachInLayer(size_t z, Visit visit) const {
  const size_t first = CellIndex(0, 0, z), last = first + cells() * cells();
  for (size_t cell = first; cell < last;) {
    const uint64_t word = bits_[cell >> 6] >> (cell & 63);
    if (word == 0) {
      cell = (cell | 63) + 1;
      continue;
    }
    cell += static_cast<size_t>(__builtin_ctzll(word));
    if (cell >= last) return;
    const size_t x = cell % cells(), y = cell / cells() % cells();
    float corner[8];
    Corners(x, y, z, corner);
    visit(x, y, z, corner);
    ++cell;
  }
}

}  // namespace daf::mesh
