// Walks a ray through the occupancy grid: the next sample in a cell that may hold something, empty
// blocks and cells crossed in one step. Samples lie on a lattice of `step` from the ray's start, so
// that skipping changes which samples are taken but not where they are. Outside an unbounded box
// steps grow with the contraction.
#pragma once

#include <algorithm>
#include <cmath>

#include "native/nerf/occupancy.h"
#include "native/nerf/space.h"

namespace daf::nerf {

class Marcher {
 public:
  // jitter in [0, 1): where in its stratum each sample lies; nothing is sampled before the distance
  // `from`. False when no sample can lie on the ray.
  bool Start(const Box& box, const Occupancy* grid, const Ray& ray, float step, float jitter,
             float from = 0) {
    float near;
    if (!Clip(box, ray, &near, &far_)) return false;
    near = std::max(near, from);
    grid_ = grid;
    step_ = length_ = step;
    first_ = at_ = near + jitter * step;
    index_ = 0;
    unbounded_ = box.unbounded;
    const float scale = unbounded_ ? 2.0f : 1.0f, shift = unbounded_ ? 1.0f : 0.0f;
    for (int a = 0; a < 3; ++a) {
      origin_[a] = scale * (ray.origin[a] - box.min[a]) / box.side(a) - shift;
      slope_[a] = scale * ray.direction[a] / box.side(a);
      inverse_[a] = std::fabs(slope_[a]) > 1e-12f ? 1 / slope_[a] : 0.0f;
    }
    return true;
  }

  // The next sample's distance and unit-cube position; false when the ray has left the box. A null
  // grid skips nothing.
  bool Next(float* t, float position[3]) {
    if (unbounded_) return NextUnbounded(t, position);
    for (;;) {
      const float at = first_ + step_ * static_cast<float>(index_);
      if (!(at < far_)) return false;
      for (int a = 0; a < 3; ++a) position[a] = Clamp(origin_[a] + slope_[a] * at);
      if (grid_ == nullptr) break;
      const uint32_t r = grid_->resolution();
      uint32_t cell[3];
      for (int a = 0; a < 3; ++a) {
        const uint32_t c = static_cast<uint32_t>(position[a] * static_cast<float>(r));
        cell[a] = c < r ? c : r - 1;
      }
      if (!grid_->BlockOccupied(cell[0] / 8, cell[1] / 8, cell[2] / 8)) {
        const uint32_t block[3] = {cell[0] / 8, cell[1] / 8, cell[2] / 8};
        Skip(block, r / 8);
      } else if (!grid_->Occupied(cell[0], cell[1], cell[2])) {
        Skip(cell, r);
      } else {
        break;
      }
    }
    *t = first_ + step_ * static_cast<float>(index_);
    ++index_;
    return true;
  }

  // The stretch of the ray that the last sample stands for.
  float length() const { return length_; }

 private:
  bool NextUnbounded(float* t, float position[3]) {
    for (;;) {
      if (!(at_ < far_)) return false;
      float q[3];
      for (int a = 0; a < 3; ++a) q[a] = origin_[a] + slope_[a] * at_;
      const float far = Box::Contract(q, position);
      length_ = step_ * Box::Stretch(far);
      if (grid_ == nullptr || Occupied(position)) break;
      at_ += far < 1 ? SkipInside(q, position) : length_;
    }
    *t = at_;
    at_ += length_;
    return true;
  }
  bool Occupied(const float position[3]) const {
    const uint32_t r = grid_->resolution();
    uint32_t cell[3];
    for (int a = 0; a < 3; ++a)
      cell[a] = std::min(static_cast<uint32_t>(position[a] * static_cast<float>(r)), r - 1);
    return grid_->Occupied(cell[0], cell[1], cell[2]);
  }
  // Whole steps to beyond the empty cell at q, or its block where that is empty too. Inside the box
  // the map is linear, and cells do not straddle its walls; blocks may.
  float SkipInside(const float q[3], const float position[3]) const {
    const uint32_t r = grid_->resolution();
    uint32_t block[3];
    for (int a = 0; a < 3; ++a)
      block[a] = static_cast<uint32_t>(position[a] * static_cast<float>(r)) / 8;
    const bool whole = r % 32 == 0 && !grid_->BlockOccupied(block[0], block[1], block[2]);
    const float cells = static_cast<float>(whole ? r / 8 : r);
    float ahead = far_ - at_;
    for (int a = 0; a < 3; ++a) {
      if (inverse_[a] == 0) continue;
      const float cell = std::floor(position[a] * cells) + (inverse_[a] > 0 ? 1.0f : 0.0f);
      ahead = std::min(ahead, ((cell / cells - 0.5f) * 4 - q[a]) * inverse_[a]);
    }
    return step_ * std::max(1.0f, std::ceil(ahead / step_));
  }
  static float Clamp(float v) { return v < 0 ? 0.0f : v > 1 ? 1.0f : v; }
  // To the first lattice point beyond the cell.
  void Skip(const uint32_t cell[3], uint32_t cells) {
    float exit = far_;
    for (int a = 0; a < 3; ++a) {
      if (inverse_[a] == 0) continue;
      const float wall =
          static_cast<float>(cell[a] + (inverse_[a] > 0 ? 1 : 0)) / static_cast<float>(cells);
      const float t = (wall - origin_[a]) * inverse_[a];
      if (t < exit) exit = t;
    }
    const float ahead = std::ceil((exit - first_) / step_);
    const uint32_t next = ahead > 0 ? static_cast<uint32_t>(ahead) : 0;
    index_ = next > index_ ? next : index_ + 1;
  }

  const Occupancy* grid_ = nullptr;
  float origin_[3] = {}, slope_[3] = {}, inverse_[3] = {};
  float first_ = 0, step_ = 1, far_ = 0, length_ = 1;
  float at_ = 0;  // unbounded: the next sample's distance
  uint32_t index_ = 0;
  bool unbounded_ = false;
};

}  // namespace daf::nerf
