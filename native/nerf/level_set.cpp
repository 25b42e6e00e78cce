#include "native/nerf/level_set.h"

#include <algorithm>
#include <cmath>

namespace daf::nerf {

Status LevelSet::Open(const Interior* interior) {
  interior_ = interior;
  if (!(level_ > 0) || !std::isfinite(level_))
    return Status(Code::kBadArgument, "the level must be a density above 0");
  return model_.RefreshOccupancy(control_);
}

// By the cell that Marcher finds at the same point.
LevelSet::Place LevelSet::PlaceOf(const float* point) const {
  const Occupancy& grid = model_.occupancy();
  float unit[3];
  model_.box().ToUnit(point, unit);
  uint32_t cell[3];
  for (int a = 0; a < 3; ++a) {
    if (!(unit[a] >= 0)) return Place::kEmpty;  // NaN
    cell[a] = std::min(static_cast<uint32_t>(unit[a] * static_cast<float>(grid.resolution())),
                       grid.resolution() - 1);
  }
  if (interior_ != nullptr && interior_->Contains(unit)) return Place::kInterior;
  return grid.Occupied(cell[0], cell[1], cell[2]) ? Place::kSeen : Place::kEmpty;
}

Status LevelSet::Values(const float* points, size_t count, float* values) {
  targets_.clear();
  points_.clear();
  for (size_t i = 0; i < count; ++i) {
    const Place place = PlaceOf(points + 3 * i);
    values[i] = place == Place::kInterior ? kRange : -kRange;
    if (place != Place::kSeen) continue;
    targets_.push_back(i);
    points_.insert(points_.end(), points + 3 * i, points + 3 * i + 3);
  }
  density_.resize(targets_.size());
  DAF_RETURN_IF_ERROR(model_.Evaluate(points_.data(), nullptr, targets_.size(), density_.data(),
                                      nullptr, control_));
  for (size_t i = 0; i < targets_.size(); ++i) {
    const float log_ratio = std::log(std::max(density_[i] / level_, 1e-30f));
    values[targets_[i]] = std::min(std::max(log_ratio, -kRange), kRange);
  }
  queries_ += targets_.size();
  return Status::Ok();
}

Status LevelSet::Colors(const float* points, const float* directions, size_t count, float* colors) {
  density_.resize(count);
  queries_ += count;
  return model_.Evaluate(points, directions, count, density_.data(), colors, control_);
}

}  // namespace daf::nerf
