// The surface of a model, as a mesher asks for it: where the density equals a level, within what
// the occupancy grid lets rays see.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/control.h"
#include "native/nerf/seen_space.h"

namespace daf::nerf {

class LevelSet {
 public:
  // Values are kept within ± this: beyond it they say nothing more about where the surface is.
  static constexpr float kRange = 2 * SeenSpace::kCertain;

  // level: density per unit of length, > 0. The model must outlive this.
  LevelSet(Model* model, float level, const TaskControl& control)
      : model_(*model), level_(level), control_(control) {}
  // Sweeps the occupancy grid if the field changed since. `seen` (or null) must outlive this.
  // Errors: kBadArgument, kCancelled, kMemory.
  Status Open(const SeenSpace* seen);

  // ln(density / level) at points[count][3], positive inside; where it is known what pictures see,
  // within ± kCertain and with the gate added. Without a query: where the gate is certain, outside
  // of the box, and in cells that the occupancy grid says are empty, since rays never see what the
  // field holds there. Errors: kCancelled, kMemory.
  Status Values(const float* points, size_t count, float* values);
  // colors[views][count][3] in [0, 1] at points[count][3] seen along unit directions
  // [views][count][3]. Errors: as Values.
  Status Colors(const float* points, size_t count, const float* directions, size_t views,
                float* colors);
  // Whether pictures show the surface at a point with this unit normal.
  bool Shown(const float* point, const float* normal) const {
    return seen_ == nullptr || seen_->Shown(point, normal);
  }

  uint64_t queries() const { return queries_; }  // points at which the field was evaluated

 private:
  bool MayHold(const float* point) const;

  Model& model_;
  const float level_;
  const TaskControl& control_;
  const SeenSpace* seen_ = nullptr;
  std::vector<float> points_, density_;  // of the points of a call that are asked for
  std::vector<size_t> targets_;
  uint64_t queries_ = 0;
};

}  // namespace daf::nerf
