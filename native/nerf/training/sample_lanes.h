// Samples of many rays as a structure of arrays, and the rays they belong to.
#pragma once

#include <cstring>

#include "native/nerf/field.h"
#include "native/nerf/training/images.h"

namespace daf::nerf {

struct SampleLanes {
  static constexpr uint32_t kMaxRays = 2048;

  float *x, *y, *z;     // in the unit cube
  float *dx, *dy, *dz;  // the ray's direction, unit
  float *t, *step;      // distance along the ray and length, in box edges
  float *density, *r, *g, *b, *alpha, *weight;
  float *d_density, *d_r, *d_g, *d_b, *d_weight;
  float* out;       // [kMaxRays][6]
  float* d_out;     // [kMaxRays][4]
  uint32_t* image;  // of each sample's ray
  uint32_t* ray;    // of each sample
  uint32_t* first;  // [kMaxRays + 1]
  TrainingRay* rays;
  uint32_t ray_count = 0, samples = 0;

  Status Reserve(Arena* arena) {
    for (float** lane : {&x, &y, &z, &dx, &dy, &dz, &t, &step, &density, &r, &g, &b, &alpha,
                         &weight, &d_density, &d_r, &d_g, &d_b, &d_weight}) {
      DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, lane));
      std::memset(*lane, 0, kPassSamples * sizeof(float));
    }
    DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &image));
    DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &ray));
    DAF_RETURN_IF_ERROR(arena->Allocate(size_t{kMaxRays} * 6, &out));
    DAF_RETURN_IF_ERROR(arena->Allocate(size_t{kMaxRays} * 4, &d_out));
    DAF_RETURN_IF_ERROR(arena->Allocate(kMaxRays + 1, &first));
    return arena->Allocate(kMaxRays, &rays);
  }
  void Clear() { ray_count = samples = 0; }
  // Fills `first` and `order` [samples]: the samples by ray, those of a ray in the order they have.
  void SortByRay(uint32_t* order) {
    std::memset(first, 0, (size_t{ray_count} + 1) * sizeof *first);
    for (uint32_t s = 0; s < samples; ++s) ++first[ray[s] + 1];
    for (uint32_t i = 0; i < ray_count; ++i) first[i + 1] += first[i];
    for (uint32_t s = 0; s < samples; ++s) order[first[ray[s]]++] = s;
    for (uint32_t i = ray_count; i > 0; --i) first[i] = first[i - 1];  // they had moved on by one
    first[0] = 0;
  }
  // What fills the last tile: points inside the cube, directions of length 1, no gradients.
  void Pad() {
    for (uint32_t i = samples; i < TilesOf(samples) * kernels::kTile; ++i) {
      x[i] = y[i] = z[i] = 0.5f;
      dx[i] = dy[i] = d_density[i] = d_r[i] = d_g[i] = d_b[i] = 0;
      dz[i] = 1;
      image[i] = 0;
    }
  }
};

}  // namespace daf::nerf
