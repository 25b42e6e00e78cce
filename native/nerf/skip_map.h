// How far from everything each place of the unit cube is, so that rays cross empty space in a few
// long steps. Cells of the map are those of the occupancy grid; distances are in cells, in the
// maximum norm, so that what is empty around a place is a cube.
#pragma once

#include <cstdint>

#include "native/base/arena.h"
#include "native/nerf/occupancy.h"

namespace daf::nerf {

class SkipMap {
 public:
  // Errors: kMemory.
  Status Build(const Occupancy& grid);
  // Along each axis; 0 before Build.
  uint32_t cells() const { return cells_; }
  // [cells³], x fastest, and 3 more for those who read four at a time.
  const uint8_t* bytes() const { return distance_; }
  // 0 where the grid's cell is occupied; d: all cells nearer than d are empty. At most 255.
  uint8_t Distance(uint32_t x, uint32_t y, uint32_t z) const {
    return distance_[(size_t{z} * cells_ + y) * cells_ + x];
  }

 private:
  void Sweep(bool forward, uint8_t* nearest);

  Arena arena_;
  uint32_t cells_ = 0;
  uint8_t* distance_ = nullptr;
};

}  // namespace daf::nerf
