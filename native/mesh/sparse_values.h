// Values of a function at those points of a grid that were asked for. Points of a coarse lattice,
// which are asked all over the grid, have a table of their own; the others lie in blocks of 4³,
// made where the first point of them is asked: near the surface.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/mesh/iso_grid.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

class SparseValues {
 public:
  static constexpr size_t kCoarseCells = 4;  // between points of the lattice

  SparseValues(const IsoGrid& grid, const Sampler& sampler, const TaskControl& control)
      : grid_(grid), sampler_(sampler), control_(control) {}
  // To be called once, before anything else. Errors: kMemory.
  Status Open();

  // Asks for a point unless it is known already; known after the next Flush. Points on the box's
  // faces are outside and cost no query. Errors: those of Flush.
  Status Ask(size_t x, size_t y, size_t z);
  // Evaluates what was asked for. Errors: kBadData, kMemory, kCancelled, the sampler's.
  Status Flush();
  // Of a point that was asked for.
  float At(size_t x, size_t y, size_t z) const { return *Place(x, y, z); }
  // The same for any point: NaN where it was not asked for.
  float Known(size_t x, size_t y, size_t z) const {
    const float* place = Place(x, y, z);
    return place == nullptr ? std::numeric_limits<float>::quiet_NaN() : *place;
  }
  uint64_t queries() const { return queries_; }
  size_t bytes() const { return arena_.reserved_bytes(); }

 private:
  static constexpr size_t kEdge = 4, kPoints = kEdge * kEdge * kEdge, kBatch = 16384;
  static constexpr size_t kSlab = 256;  // blocks that are made at once

  // Along an axis: the points 1, 1 + kCoarseCells, … before the last, and the last but one, as
  // SurfaceCells::Find begins.
  bool OnLattice(size_t i) const {
    return (i % kCoarseCells == 1 && i + 1 < grid_.side()) || i + 2 == grid_.side();
  }
  size_t LatticeOf(size_t x, size_t y, size_t z) const {
    const auto along = [](size_t i) { return (i + kCoarseCells - 2) / kCoarseCells; };
    return (along(z) * lattice_side_ + along(y)) * lattice_side_ + along(x);
  }
  size_t BlockOf(size_t x, size_t y, size_t z) const {
    return ((z / kEdge) * side_ + y / kEdge) * side_ + x / kEdge;
  }
  static size_t PointOf(size_t x, size_t y, size_t z) {
    return ((z % kEdge) * kEdge + y % kEdge) * kEdge + x % kEdge;
  }
  // Where a point's value lies; null where its block was not made.
  float* Place(size_t x, size_t y, size_t z) const {
    if (OnLattice(x) && OnLattice(y) && OnLattice(z)) return lattice_ + LatticeOf(x, y, z);
    const uint32_t block = table_[BlockOf(x, y, z)];
    if (block == kNone) return nullptr;
    return slabs_[block / kSlab] + block % kSlab * kPoints + PointOf(x, y, z);
  }
  Status Make(size_t x, size_t y, size_t z);

  const IsoGrid& grid_;
  const Sampler& sampler_;
  const TaskControl& control_;
  Arena arena_;
  // Of lattice and blocks: NaN where a point was not asked for.
  size_t lattice_side_ = 0;
  float* lattice_ = nullptr;
  size_t side_ = 0;            // blocks along an axis
  uint32_t* table_ = nullptr;  // number of a block, or kNone
  uint32_t count_ = 0;         // of blocks
  std::vector<float*> slabs_;  // kSlab blocks each
  float* points_ = nullptr;    // of the batch, [3]
  float* values_ = nullptr;
  std::vector<float*> targets_;  // where the batch's values belong
  uint64_t queries_ = 0;
};

}  // namespace daf::mesh
