#include "native/nerf/lattice_sampler.h"

#include <algorithm>

namespace daf::nerf {

LatticeSampler::LatticeSampler(const SamplePlan& plan, const kernels::Table& kernels,
                               const float origin[3])
    : plan_(plan),
      rays_(*plan.box, plan.grid != nullptr ? plan.skip : nullptr, kernels, plan.step) {
  float middle[3], square = 0;
  origin_ = inverse_side_ = Axes{0, 0, 0, 0};
  for (int a = 0; a < 3; ++a) {
    inverse_side_[a] = 1 / plan.box->side(a);
    origin_[a] = (origin[a] - plan.box->min[a]) * inverse_side_[a];
    middle[a] = 0.5f * (plan.box->min[a] + plan.box->max[a]) - origin[a];
    square += plan.box->side(a) * plan.box->side(a);
  }
  reach_ = std::sqrt(middle[0] * middle[0] + middle[1] * middle[1] + middle[2] * middle[2]) +
           0.5f * std::sqrt(square);
  if (plan.grid != nullptr) cells_ = static_cast<float>(plan.skip->cells());
}

Status LatticeSampler::Reserve(uint32_t rays, Arena* arena) { return rays_.Reserve(rays, arena); }

bool LatticeSampler::Start(const Ray& ray, const PixelPlace& place, float from, uint32_t i) {
  return rays_.Start(ray, 0, AlongRay(ray, plan_.far), place.jitter,
                     std::max(from, AlongRay(ray, plan_.near)), i);
}

void LatticeSampler::Take(uint32_t* rays, uint32_t* count, uint32_t run, SampleBatch* out) {
  out->count = rays_.Take(rays, count, run, {out->x, out->y, out->z, out->t, out->ray});
  std::fill_n(out->length, out->count, plan_.step);
}

float LatticeSampler::Clear(const Ray& axis, float spread, float from) const {
  if (plan_.grid == nullptr) return from;
  Axes slope = {0, 0, 0, 0};
  float steepest = 0, widest = 0;
  for (int a = 0; a < 3; ++a) {
    slope[a] = axis.direction[a] * inverse_side_[a];
    steepest = std::max(steepest, std::fabs(slope[a]));
    widest = std::max(widest, inverse_side_[a]);
  }
  const float opening = spread * widest, shortest = 0.5f / (cells_ * steepest);
  float t = from;
  while (t < reach_) {
    const Axes q = origin_ + slope * t;
    float outside = 0;
    for (int a = 0; a < 3; ++a) outside = std::max(outside, std::max(-q[a], q[a] - 1));
    const Cells cell = CellsOf(Clamp(q), cells_);
    const int distance = plan_.skip->Distance(cell[0], cell[1], cell[2]);
    const float empty = std::max(outside, static_cast<float>(distance - 1) / cells_);
    const float ahead = 0.999f * (empty - opening * t) / (steepest + opening);
    if (!(ahead > shortest)) return t;
    t += ahead;
  }
  return INFINITY;
}

LatticeSampler::Axes LatticeSampler::Clamp(Axes p) {
  p = p < 0 ? Axes{} : p;
  return p > 1 ? Axes{} + 1 : p;
}

// At 1 is the last cell, not one more.
LatticeSampler::Cells LatticeSampler::CellsOf(Axes p, float cells) {
  const Axes q = p * cells, last = Axes{} + (cells - 0.5f);
  return __builtin_convertvector(q < last ? q : last, Cells);
}

}  // namespace daf::nerf
