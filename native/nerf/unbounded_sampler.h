// The lattice of an unbounded box, whose steps grow with its contraction outside of it.
#pragma once

#include "native/nerf/march.h"
#include "native/nerf/ray_sample.h"

namespace daf::nerf {

class UnboundedSampler {
 public:
  struct Ray {
    Marcher march;
    float begin, end;
    bool here;  // `next` is where the ray stands
    RaySample next;
  };

  UnboundedSampler(const SamplePlan& plan, const float[3]) : plan_(plan) {}

  bool Start(const nerf::Ray& ray, const PixelPlace& place, float from, Ray* out) const {
    out->begin = std::max(from, AlongRay(ray, plan_.near));
    out->end = AlongRay(ray, plan_.far);
    out->here = false;
    return out->march.Start(*plan_.box, plan_.grid, ray, plan_.step, place.jitter);
  }

  Way Advance(Ray* ray) const {
    ray->here = ray->here || Find(ray, &ray->next);
    return ray->here ? Way::kHere : Way::kEnded;
  }

  bool Take(Ray* ray, RaySample* out) const {
    if (Advance(ray) == Way::kEnded) return false;
    *out = ray->next;
    ray->here = false;
    return true;
  }

 private:
  // The next sample within near and far; false at the ray's end.
  static bool Find(Ray* ray, RaySample* out) {
    do {
      if (!ray->march.Next(&out->t, out->position) || out->t >= ray->end) return false;
    } while (out->t < ray->begin);
    out->length = ray->march.length();
    return true;
  }

  SamplePlan plan_;
};

}  // namespace daf::nerf
