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
  };

  UnboundedSampler(const SamplePlan& plan, const float[3]) : plan_(plan) {}

  bool Start(const nerf::Ray& ray, const PixelPlace& place, float from, Ray* out) const {
    out->begin = std::max(from, AlongRay(ray, plan_.near));
    out->end = AlongRay(ray, plan_.far);
    return out->march.Start(*plan_.box, plan_.grid, ray, plan_.step, place.jitter);
  }

  // The next sample within near and far.
  static bool Take(Ray* ray, RaySample* out) {
    do {
      if (!ray->march.Next(&out->t, out->position) || out->t >= ray->end) return false;
    } while (out->t < ray->begin);
    out->length = ray->march.length();
    return true;
  }

 private:
  SamplePlan plan_;
};

}  // namespace daf::nerf
