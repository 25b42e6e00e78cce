// Values of a function at those points of a grid that were asked for: blocks of 8³ points, made
// where the first point of them is asked.
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
  float At(size_t x, size_t y, size_t z) const {
    return blocks_[table_[BlockOf(x, y, z)]][PointOf(x, y, z)];
  }
  // The same for any point: NaN where it was not asked for.
  float Known(size_t x, size_t y, size_t z) const {
    const uint32_t block = table_[BlockOf(x, y, z)];
    return block == kNone ? std::numeric_limits<float>::quiet_NaN()
                          : blocks_[block][PointOf(x, y, z)];
  }
  uint64_t queries() const { return queries_; }
  size_t bytes() const { return arena_.reserved_bytes(); }

 private:
  static constexpr size_t kEdge = 8, kPoints = kEdge * kEdge * kEdge, kBatch = 16384;

  size_t BlockOf(size_t x, size_t y, size_t z) const {
    return ((z / kEdge) * side_ + y / kEdge) * side_ + x / kEdge;
  }
  static size_t PointOf(size_t x, size_t y, size_t z) {
    return ((z % kEdge) * kEdge + y % kEdge) * kEdge + x % kEdge;
  }

  const IsoGrid& grid_;
  const Sampler& sampler_;
  const TaskControl& control_;
  Arena arena_;
  size_t side_ = 0;             // blocks along an axis
  uint32_t* table_ = nullptr;   // block of blocks_, or kNone
  std::vector<float*> blocks_;  // NaN where a point was not asked for
  float* points_ = nullptr;     // of the batch, [3]
  float* values_ = nullptr;
  std::vector<float*> targets_;  // where the batch's values belong
  uint64_t queries_ = 0;
};

}  // namespace daf::mesh
