// One ray of two looks: equal strata of it for the first, then the samples that were found for the
// second.
#pragma once

#include <algorithm>

#include "native/base/rng.h"
#include "native/nerf/ray_sample.h"

namespace daf::nerf {

class ListedRay {
 public:
  // `index`: a number that is this ray's own. Borrows the plan. False when the ray misses the box.
  bool Start(const SamplePlan& plan, const Ray& ray, uint32_t index) {
    float entry, exit;
    if (!Clip(*plan.box, ray, &entry, &exit)) return false;
    plan_ = &plan;
    begin_ = plan.near > 0 ? AlongRay(ray, plan.near) : entry;
    end_ = std::isfinite(plan.far) ? AlongRay(ray, plan.far) : exit;
    for (int a = 0; a < 3; ++a) {
      origin_[a] = ray.origin[a];
      direction_[a] = ray.direction[a];
    }
    rng_ = Rng(plan.seed, index);
    Follow(nullptr, nullptr, 0);
    return end_ > begin_;
  }

  // The stretch of the ray that the strata divide; where in a stratum its sample lies (null: in the
  // middle); whether something may be at a distance, `position` in the unit cube.
  float begin() const { return begin_; }
  float end() const { return end_; }
  Rng* random() { return plan_->stratified ? &rng_ : nullptr; }
  bool At(float t, float position[3]) const {
    const Box& box = *plan_->box;
    float p[3];
    bool inside = true;
    for (int a = 0; a < 3; ++a) {
      p[a] = origin_[a] + direction_[a] * t;
      inside = inside && p[a] >= box.min[a] && p[a] <= box.max[a];
    }
    if (!inside && !box.unbounded) return false;
    box.ToUnit(p, position);
    return plan_->grid == nullptr || MayHold(position);
  }

  // The samples of the second look, ascending; borrowed.
  void Follow(const float* t, const float* length, uint32_t count) {
    t_ = t;
    length_ = length;
    left_ = count;
  }
  // The next one that may meet something.
  bool Take(RaySample* out) {
    for (bool here = false; !here;) {
      if (left_ == 0) return false;
      --left_;
      out->t = *t_++;
      out->length = *length_++;
      here = At(out->t, out->position);
    }
    return true;
  }

 private:
  bool MayHold(const float position[3]) const {
    const uint32_t r = plan_->grid->resolution();
    uint32_t cell[3];
    for (int a = 0; a < 3; ++a)
      cell[a] = std::min(static_cast<uint32_t>(position[a] * static_cast<float>(r)), r - 1);
    return plan_->grid->Occupied(cell[0], cell[1], cell[2]);
  }

  const SamplePlan* plan_ = nullptr;
  float origin_[3] = {}, direction_[3] = {}, begin_ = 0, end_ = 0;
  Rng rng_{0};
  const float* t_ = nullptr;
  const float* length_ = nullptr;
  uint32_t left_ = 0;
};

// As ray_sample.h describes: rays that Proposals gives their samples between Start and Take.
class ListedSampler {
 public:
  using Ray = ListedRay;

  ListedSampler(const SamplePlan& plan, const float*) : plan_(plan) {}
  bool Start(const nerf::Ray& ray, const PixelPlace& place, float, Ray* out) const {
    return out->Start(plan_, ray, place.index);
  }
  bool Take(Ray* ray, RaySample* out) const { return ray->Take(out); }

 private:
  const SamplePlan plan_;
};

}  // namespace daf::nerf
