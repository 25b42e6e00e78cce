// What the three ways of sampling a ray have in common. Each is a class with
//   struct Ray;                                 // one ray's state
//   bool Start(const daf::nerf::Ray&, const PixelPlace&, float from, Ray*) const;
//   Way Advance(Ray*) const;
//   bool Take(Ray*, RaySample*) const;
// Start is false when no sample can lie on the ray; nothing is sampled before the distance `from`.
// Advance goes one step towards the next sample. Take gives the sample at which the ray stands and
// goes on to the place of the next; false when it stands at none. Steps of many rays in turn hide
// each other's latency, so rays advance together and then take what lies in a row.
#pragma once

#include <cmath>
#include <cstdint>

#include "native/nerf/occupancy.h"
#include "native/nerf/skip_map.h"
#include "native/nerf/space.h"

namespace daf::nerf {

enum class Way { kHere, kMoved, kEnded };

struct RaySample {
  float t;            // distance from the ray's origin
  float length;       // of the ray that it stands for
  float position[3];  // in the unit cube
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
