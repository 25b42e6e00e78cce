// The surface of a model, as a mesher asks for it: where the density equals a level, within what
// the occupancy grid lets rays see.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/control.h"
#include "native/nerf/interior.h"

namespace daf::nerf {

class LevelSet {
 public:
  // ln(density / level) is kept within ± this: beyond it says nothing more about where the surface
  // is.
  static constexpr float kRange = 8;

  // level: density per unit of length, > 0. The model must outlive this.
  LevelSet(Model* model, float level, const TaskControl& control)
      : model_(*model), level_(level), control_(control) {}
  // Sweeps the occupancy grid if the field changed since. `interior` (or null) must outlive this.
  // Errors: kBadArgument, kCancelled, kMemory.
  Status Open(const Interior* interior);

  // ln(density / level) at points[count][3]: positive inside. Without a query −kRange in cells that
  // the occupancy grid says are empty, since rays never see what the field holds there, and +kRange
  // in the interior. Errors: kCancelled, kMemory.
  Status Values(const float* points, size_t count, float* values);
  // Colours [count][3] in [0, 1] at points seen along unit directions. Errors: as Values.
  Status Colors(const float* points, const float* directions, size_t count, float* colors);

  uint64_t queries() const { return queries_; }  // points at which the field was evaluated

 private:
  enum class Place { kEmpty, kSeen, kInterior };
  Place PlaceOf(const float* point) const;

  Model& model_;
  const float level_;
  const TaskControl& control_;
  const Interior* interior_ = nullptr;
  std::vector<float> points_, density_;  // of the points of a call that are asked for
  std::vector<size_t> targets_;
  uint64_t queries_ = 0;
};

}  // namespace daf::nerf
