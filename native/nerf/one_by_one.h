// Rays that find their samples one after the other: what a RenderBlock asks of a sampler, for one
// of those of ray_sample.h.
#pragma once

#include "native/base/arena.h"
#include "native/kernels/kernels.h"
#include "native/nerf/ray_sample.h"

namespace daf::nerf {

template <typename Sampler>
class OneByOne {
 public:
  OneByOne(const SamplePlan& plan, const kernels::Table&, const float origin[3])
      : sampler_(plan, origin) {}
  Status Reserve(uint32_t rays, Arena* arena) { return arena->Allocate(rays, &rays_); }

  bool Start(const Ray& ray, const PixelPlace& place, float from, uint32_t i) {
    return sampler_.Start(ray, place, from, &rays_[i]);
  }
  // No ray is known to meet nothing before it is walked.
  float Clear(const Ray&, float, float from) const { return from; }

  void Take(uint32_t* rays, uint32_t* count, uint32_t run, SampleBatch* out) {
    uint32_t kept = 0;
    out->count = 0;
    for (uint32_t i = 0; i < *count; ++i) {
      const uint32_t ray = rays[i];
      const uint32_t before = out->count;
      RaySample sample;
      for (uint32_t k = 0; k < run && sampler_.Take(&rays_[ray], &sample); ++k) {
        const uint32_t at = out->count++;
        out->x[at] = sample.position[0];
        out->y[at] = sample.position[1];
        out->z[at] = sample.position[2];
        out->t[at] = sample.t;
        out->length[at] = sample.length;
        out->ray[at] = ray;
      }
      if (out->count > before) rays[kept++] = ray;
    }
    *count = kept;
  }

  typename Sampler::Ray& ray(uint32_t i) { return rays_[i]; }

 private:
  const Sampler sampler_;
  typename Sampler::Ray* rays_ = nullptr;
};

}  // namespace daf::nerf
