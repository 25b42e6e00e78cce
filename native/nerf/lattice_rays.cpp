#include "native/nerf/lattice_rays.h"

#include <algorithm>
#include <cmath>

namespace daf::nerf {

LatticeRays::LatticeRays(const Box& box, const SkipMap* skip, const kernels::Table& kernels,
                         float step)
    : skip_(skip), kernels_(kernels), step_(step), nearest_(1e-4f * box.edge()) {
  for (int a = 0; a < 3; ++a) {
    minimum_[a] = box.min[a];
    inverse_side_[a] = 1 / box.side(a);
  }
}

Status LatticeRays::Reserve(uint32_t rays, Arena* arena) {
  for (int a = 0; a < 3; ++a) {
    for (float** lane : {&origin_[a], &slope_[a], &inverse_[a]})
      DAF_RETURN_IF_ERROR(arena->Allocate(rays, lane));
  }
  for (float** lane : {&first_, &end_, &next_}) DAF_RETURN_IF_ERROR(arena->Allocate(rays, lane));
  return Status::Ok();
}

bool LatticeRays::Start(const Ray& ray, float near, float far, float jitter, float from,
                        uint32_t i) {
  float begin = std::max(nearest_, near), end = far;
  for (int a = 0; a < 3; ++a) {
    const float origin = (ray.origin[a] - minimum_[a]) * inverse_side_[a];
    float slope = ray.direction[a] * inverse_side_[a];
    // A ray along a wall never meets it: so steep that it would do so beyond every box.
    if (!(std::fabs(slope) > 1e-12f)) slope = std::copysign(1e-12f, slope);
    const float inverse = 1 / slope;
    origin_[a][i] = origin;
    slope_[a][i] = slope;
    inverse_[a][i] = inverse;
    const float low = -origin * inverse, high = low + inverse;
    begin = std::max(begin, std::min(low, high));
    end = std::min(end, std::max(low, high));
  }
  if (!(end > begin)) return false;
  first_[i] = begin + jitter * step_;
  end_[i] = end;
  // A hundredth of a step early, as the kernel takes it.
  const float before = (from - first_[i]) / step_ - 0.01f;
  next_[i] = std::ceil(std::min(std::max(before, 0.0f), 1e6f));
  return true;
}

void LatticeRays::Move(uint32_t from, uint32_t to) {
  for (int a = 0; a < 3; ++a) {
    for (float* lane : {origin_[a], slope_[a], inverse_[a]}) lane[to] = lane[from];
  }
  for (float* lane : {first_, end_, next_}) lane[to] = lane[from];
}

uint32_t LatticeRays::Take(uint32_t* rays, uint32_t* count, uint32_t run, const Samples& out) {
  kernels::MarchArgs args = {step_,
                             skip_ != nullptr ? skip_->bytes() : nullptr,
                             skip_ != nullptr ? static_cast<float>(skip_->cells()) : 1.0f,
                             {origin_[0], origin_[1], origin_[2]},
                             {slope_[0], slope_[1], slope_[2]},
                             {inverse_[0], inverse_[1], inverse_[2]},
                             first_,
                             end_,
                             next_,
                             rays,
                             *count,
                             run,
                             out.x,
                             out.y,
                             out.z,
                             out.t,
                             out.ray,
                             0};
  kernels_.march(&args);
  *count = args.count;
  return args.samples;
}

}  // namespace daf::nerf
