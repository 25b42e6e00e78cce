#include "native/nerf/level_set.h"

#include <algorithm>
#include <cmath>

namespace daf::nerf {

Status LevelSet::Open(const SeenSpace* seen) {
  seen_ = seen != nullptr && seen->known() ? seen : nullptr;
  if (!(level_ > 0) || !std::isfinite(level_))
    return Status(Code::kBadArgument, "the level must be a density above 0");
  return model_.RefreshOccupancy(control_);
}

// By the cell that Marcher finds at the same point.
bool LevelSet::MayHold(const float* point) const {
  const Occupancy& grid = model_.occupancy();
  float unit[3];
  model_.box().ToUnit(point, unit);
  uint32_t cell[3];
  for (int a = 0; a < 3; ++a) {
    if (!(unit[a] >= 0)) return false;  // NaN
    cell[a] = std::min(static_cast<uint32_t>(unit[a] * static_cast<float>(grid.resolution())),
                       grid.resolution() - 1);
  }
  return grid.Occupied(cell[0], cell[1], cell[2]);
}

Status LevelSet::Values(const float* points, size_t count, float* values) {
  const float range = seen_ != nullptr ? SeenSpace::kCertain : kRange;
  targets_.clear();
  points_.clear();
  for (size_t i = 0; i < count; ++i) {
    const float gate = seen_ != nullptr ? seen_->Gate(points + 3 * i) : 0.0f;
    if (std::fabs(gate) >= range) {
      values[i] = std::copysign(kRange, gate);
      continue;
    }
    values[i] = gate - range;
    if (!MayHold(points + 3 * i)) continue;
    targets_.push_back(i);
    points_.insert(points_.end(), points + 3 * i, points + 3 * i + 3);
  }
  density_.resize(targets_.size());
  DAF_RETURN_IF_ERROR(model_.Evaluate(points_.data(), nullptr, targets_.size(), density_.data(),
                                      nullptr, control_));
  for (size_t i = 0; i < targets_.size(); ++i) {
    const float log_ratio = std::log(std::max(density_[i] / level_, 1e-30f));
    values[targets_[i]] += range + std::min(std::max(log_ratio, -range), range);
  }
  queries_ += targets_.size();
  return Status::Ok();
}

Status LevelSet::Colors(const float* points, size_t count, const float* directions, size_t views,
                        float* colors) {
  queries_ += count;
  return model_.Colors(points, count, directions, views, colors, control_);
}

}  // namespace daf::nerf
