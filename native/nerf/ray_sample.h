// What the ways of sampling rays have in common. A sampler of many rays, which a RenderBlock asks,
// is a class with
//   Sampler(const SamplePlan&, const kernels::Table&, const float origin[3]);
//   Status Reserve(uint32_t rays, Arena*);
//   bool Start(const Ray&, const PixelPlace&, float from, uint32_t i);
//   float Clear(const Ray& axis, float spread, float from) const;
//   void Take(uint32_t* rays, uint32_t* count, uint32_t run, SampleBatch*);
// Start makes a ray the i-th; false when no sample can lie on it; nothing is sampled before the
// distance `from`. Clear tells how far all rays near `axis` cross nothing but empty space; infinity
// when they meet nothing at all. spread: how far they are from it, per distance; from: up to where
// that is known. Take gives the next samples of the listed rays, at least one and up to `run` of
// each, and drops those that have no more from the list.
//
// LatticeSampler is one of them; OneByOne makes one of a class for one ray, with
//   struct Ray;                                 // its state
//   bool Start(const daf::nerf::Ray&, const PixelPlace&, float from, Ray*) const;
//   bool Take(Ray*, RaySample*) const;          // false when there are no more
#pragma once

#include <cmath>
#include <cstdint>

#include "native/nerf/occupancy.h"
#include "native/nerf/skip_map.h"
#include "native/nerf/space.h"

namespace daf::nerf {

struct RaySample {
  float t;            // distance from the ray's origin
  float length;       // of the ray that it stands for
  float position[3];  // in the unit cube
};

// Samples of many rays, those of a ray by their distance.
struct SampleBatch {
  float *x, *y, *z;  // in the unit cube
  float *t, *length;
  uint32_t* ray;
  uint32_t count;
};

// What all rays of a picture share.
struct SamplePlan {
  const Box* box;
  const Occupancy* grid;  // both null: nothing is skipped
  const SkipMap* skip;
  float step;       // of the marching lattice
  uint32_t strata;  // of each ray, instead of the lattice
  bool stratified;  // a random point of each stratum, not its middle
  uint32_t seed;    // of those points: they depend on it and on the pixel alone
  float near, far;  // depths along the viewing direction; 0 and infinity: the box's walls
};

struct PixelPlace {
  uint32_t index;  // a number that is this pixel's own
  float jitter;    // in [0, 1): where between its lattice points a ray's samples lie
};

// Depths along the viewing direction as distances along a ray; rays that gain no depth take them as
// they are.
inline float AlongRay(const Ray& ray, float depth) {
  return depth * (ray.slant > 0 ? ray.slant : 1);
}

}  // namespace daf::nerf
