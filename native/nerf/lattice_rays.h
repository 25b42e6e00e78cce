// Rays through a bounded box, each with its own lattice of points, as the march kernel takes them:
// those of a picture, and those of a training step.
#pragma once

#include "native/base/arena.h"
#include "native/kernels/kernels.h"
#include "native/nerf/skip_map.h"
#include "native/nerf/space.h"

namespace daf::nerf {

class LatticeRays {
 public:
  // skip: cells of which some are empty, which may be built again later; null: nothing is skipped.
  LatticeRays(const Box& box, const SkipMap* skip, const kernels::Table& kernels, float step);
  // For rays 0 … `rays` − 1. Errors: kMemory.
  Status Reserve(uint32_t rays, Arena* arena);

  // Ray i: its first lattice point lies `jitter` of a step behind where it enters the box, or
  // behind `near`; the next one to be looked at is the first not before `from`. False where no
  // sample can lie on it.
  bool Start(const Ray& ray, float near, float far, float jitter, float from, uint32_t i);
  // Ray `to` is from now on what ray `from` is.
  void Move(uint32_t from, uint32_t to);

  // The next samples of these rays, at most `run` of each and a lattice's step long: positions in
  // the unit cube, distances, and whose they are. *count becomes that of the rays with samples, and
  // `rays` [*count, up to a multiple of 16] theirs; `out` has room for *count · run + 16.
  struct Samples {
    float *x, *y, *z, *t;
    uint32_t* ray;
  };
  uint32_t Take(uint32_t* rays, uint32_t* count, uint32_t run, const Samples& out);

  float step() const { return step_; }

 private:
  const SkipMap* const skip_;
  const kernels::Table& kernels_;
  const float step_;
  float minimum_[3], inverse_side_[3], nearest_;
  // By ray: unit-cube coordinates of its start, per distance, and back; distances of lattice point
  // 0 and of where the ray leaves; the next lattice point.
  float *origin_[3] = {}, *slope_[3] = {}, *inverse_[3] = {};
  float *first_ = nullptr, *end_ = nullptr, *next_ = nullptr;
};

}  // namespace daf::nerf
