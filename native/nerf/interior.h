// Which part of a model no ray from outside reaches: behind its surfaces nothing was ever learnt,
// and what the field holds there is of no interest to a mesh.
#pragma once

#include <cstdint>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/nerf/model.h"

namespace daf::nerf {

class Interior {
 public:
  // Takes the density in the middle of every occupied cell of the occupancy grid and lets light in
  // along the 26 directions to a cell's neighbours. Interior are the cells that less than a
  // hundredth of it reaches on every way. An unbounded model has no outside, so no interior.
  // *queries grows by the densities asked. Errors: kMemory, kCancelled.
  Status Find(Model* model, const TaskControl& control, uint64_t* queries);
  // By unit-cube coordinates within [0, 1].
  bool Contains(const float unit[3]) const;
  double Fraction() const;  // of cells

 private:
  Status Depths(Model* model, const TaskControl& control, uint64_t* queries);
  void LetIn(int dx, int dy, int dz);
  size_t Index(size_t x, size_t y, size_t z) const { return (z * side_ + y) * side_ + x; }

  Arena arena_;
  size_t side_ = 0;         // cells along an axis; 0: no interior
  float* depth_ = nullptr;  // optical depth across a cell
  float* before_[2] = {};   // optical depth on the way to the cells of this slice and the last
  uint8_t* lit_ = nullptr;  // 1 where light comes
};

}  // namespace daf::nerf
