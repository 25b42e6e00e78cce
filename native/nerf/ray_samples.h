// Where along a ray the field is asked: on the marching lattice, whose step is one length for the
// whole picture, or in a fixed number of equal strata of each ray (Mildenhall et al. 2020, "NeRF",
// eq. 2).
#pragma once

#include <cmath>

#include "native/base/rng.h"
#include "native/nerf/march.h"

namespace daf::nerf {

// What all rays of a picture share.
struct SamplePlan {
  const Box* box;
  const Occupancy* grid;  // null: nothing is skipped
  float step;             // of the lattice
  uint32_t strata;        // of each ray; 0: the lattice
  bool stratified;        // a random point of each stratum, not its middle
  uint32_t seed;          // of those points: they depend on it and on the pixel alone
  float near, far;        // depths along the viewing direction; 0 and infinity: the box's walls
};

struct RaySample {
  float t;            // distance from the ray's origin
  float length;       // of the ray that it stands for
  float position[3];  // in the unit cube
};

class RaySamples {
 public:
  // pixel: any number that is this pixel's own. False when no sample can lie on the ray.
  bool Start(const SamplePlan& plan, const Ray& ray, uint32_t pixel, float jitter) {
    plan_ = &plan;
    const float slant = ray.slant > 0 ? ray.slant : 1;
    begin_ = plan.near * slant;
    end_ = plan.far * slant;
    if (plan.strata == 0) return march_.Start(*plan.box, plan.grid, ray, plan.step, jitter);
    float entry, exit;
    if (!Clip(*plan.box, ray, &entry, &exit)) return false;
    if (plan.near <= 0) begin_ = entry;
    if (!std::isfinite(end_)) end_ = exit;
    for (int a = 0; a < 3; ++a) {
      origin_[a] = ray.origin[a];
      direction_[a] = ray.direction[a];
    }
    stratum_ = 0;
    width_ = (end_ - begin_) / static_cast<float>(plan.strata);
    rng_ = Rng(plan.seed, pixel);
    return width_ > 0;
  }

  // The next sample in front of the last; false at the ray's end.
  bool Next(RaySample* out) { return plan_->strata == 0 ? NextMarched(out) : NextStratum(out); }

 private:
  bool NextMarched(RaySample* out) {
    do {
      if (!march_.Next(&out->t, out->position) || out->t >= end_) return false;
    } while (out->t < begin_);
    out->length = march_.length();
    return true;
  }

  bool NextStratum(RaySample* out) {
    const Box& box = *plan_->box;
    while (stratum_ < plan_->strata) {
      const float within = plan_->stratified ? rng_.Uniform() : 0.5f;
      out->t = begin_ + (static_cast<float>(stratum_++) + within) * width_;
      float p[3];
      bool inside = true;
      for (int a = 0; a < 3; ++a) {
        p[a] = origin_[a] + direction_[a] * out->t;
        inside = inside && p[a] >= box.min[a] && p[a] <= box.max[a];
      }
      if (!inside && !box.unbounded) continue;
      box.ToUnit(p, out->position);
      if (plan_->grid != nullptr && !MayHold(*plan_->grid, out->position)) continue;
      out->length = width_;
      return true;
    }
    return false;
  }

  static bool MayHold(const Occupancy& grid, const float position[3]) {
    const uint32_t r = grid.resolution();
    uint32_t cell[3];
    for (int a = 0; a < 3; ++a) {
      const auto c = static_cast<uint32_t>(position[a] * static_cast<float>(r));
      cell[a] = c < r ? c : r - 1;
    }
    return grid.Occupied(cell[0], cell[1], cell[2]);
  }

  const SamplePlan* plan_ = nullptr;
  Marcher march_;
  float begin_ = 0, end_ = 0;
  // Of the strata:
  float origin_[3] = {}, direction_[3] = {}, width_ = 0;
  uint32_t stratum_ = 0;
  Rng rng_{0};
};

}  // namespace daf::nerf
