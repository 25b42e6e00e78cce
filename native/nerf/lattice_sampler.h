// Samples on a lattice of one step, a bounded box's empty space crossed by the skip map: skipping
// changes which samples are taken but not where they are.
#pragma once

#include "native/nerf/lattice_rays.h"
#include "native/nerf/ray_sample.h"

namespace daf::nerf {

class LatticeSampler {  // see ray_sample.h
 public:
  // All rays of a picture start at `origin`.
  LatticeSampler(const SamplePlan& plan, const kernels::Table& kernels, const float origin[3]);
  // Errors: kMemory.
  Status Reserve(uint32_t rays, Arena* arena);
  bool Start(const Ray& ray, const PixelPlace& place, float from, uint32_t i);
  // As Hart 1996 traces spheres.
  float Clear(const Ray& axis, float spread, float from) const;
  void Take(uint32_t* rays, uint32_t* count, uint32_t run, SampleBatch* out);

 private:
  // x, y, z and nothing: the axes go through the same arithmetic.
  typedef float Axes __attribute__((vector_size(16)));
  typedef int32_t Cells __attribute__((vector_size(16)));
  static Axes Clamp(Axes p);
  static Cells CellsOf(Axes p, float cells);

  const SamplePlan plan_;
  LatticeRays rays_;
  Axes origin_, inverse_side_;  // of the unit cube
  float reach_;                 // no point of the box is farther from the origin
  float cells_ = 1;             // along each axis
};

}  // namespace daf::nerf
