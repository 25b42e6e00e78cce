// A fixed number of equal strata of each ray (Mildenhall et al. 2020, "NeRF", eq. 2).
#pragma once

#include <algorithm>

#include "native/base/rng.h"
#include "native/nerf/ray_sample.h"

namespace daf::nerf {

class StrataSampler {
 public:
  struct Ray {
    float direction[3];
    float begin, from, width;
    uint32_t stratum;
    Rng rng{0};
  };

  // All rays of a picture start at `origin`.
  StrataSampler(const SamplePlan& plan, const float origin[3]) : plan_(plan) {
    for (int a = 0; a < 3; ++a) origin_[a] = origin[a];
  }

  bool Start(const nerf::Ray& ray, const PixelPlace& place, float from, Ray* out) const {
    float entry, exit;
    if (!Clip(*plan_.box, ray, &entry, &exit)) return false;
    out->begin = plan_.near > 0 ? AlongRay(ray, plan_.near) : entry;
    const float end = std::isfinite(plan_.far) ? AlongRay(ray, plan_.far) : exit;
    for (int a = 0; a < 3; ++a) out->direction[a] = ray.direction[a];
    out->from = from;
    out->stratum = 0;
    out->width = (end - out->begin) / static_cast<float>(plan_.strata);
    out->rng = Rng(plan_.seed, place.index);
    return out->width > 0;
  }

  // The next sample that may meet something.
  bool Take(Ray* ray, RaySample* out) const {
    const Box& box = *plan_.box;
    while (ray->stratum < plan_.strata) {
      const float within = plan_.stratified ? ray->rng.Uniform() : 0.5f;
      out->t = ray->begin + (static_cast<float>(ray->stratum++) + within) * ray->width;
      if (out->t < ray->from) continue;
      float p[3];
      bool inside = true;
      for (int a = 0; a < 3; ++a) {
        p[a] = origin_[a] + ray->direction[a] * out->t;
        inside = inside && p[a] >= box.min[a] && p[a] <= box.max[a];
      }
      if (!inside && !box.unbounded) continue;
      box.ToUnit(p, out->position);
      if (plan_.grid != nullptr && !MayHold(out->position)) continue;
      out->length = ray->width;
      return true;
    }
    return false;
  }

 private:
  bool MayHold(const float position[3]) const {
    const uint32_t r = plan_.grid->resolution();
    uint32_t cell[3];
    for (int a = 0; a < 3; ++a)
      cell[a] = std::min(static_cast<uint32_t>(position[a] * static_cast<float>(r)), r - 1);
    return plan_.grid->Occupied(cell[0], cell[1], cell[2]);
  }

  SamplePlan plan_;
  float origin_[3];
};

}  // namespace daf::nerf
