#include "native/nerf/lattice_sampler.h"

#include <algorithm>

namespace daf::nerf {

LatticeSampler::LatticeSampler(const SamplePlan& plan, const kernels::Table& kernels,
                               const float origin[3])
    : plan_(plan), kernels_(kernels) {
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
  nearest_ = 1e-4f * plan.box->edge();
  if (plan.grid != nullptr) cells_ = static_cast<float>(plan.skip->cells());
}

Status LatticeSampler::Reserve(uint32_t rays, Arena* arena) {
  for (float** lane : {&slope_[0], &slope_[1], &slope_[2], &inverse_[0], &inverse_[1], &inverse_[2],
                       &first_, &end_, &next_})
    DAF_RETURN_IF_ERROR(arena->Allocate(rays, lane));
  return Status::Ok();
}

bool LatticeSampler::Start(const Ray& ray, const PixelPlace& place, float from, uint32_t i) {
  float begin = nearest_, end = AlongRay(ray, plan_.far);
  for (int a = 0; a < 3; ++a) {
    float slope = ray.direction[a] * inverse_side_[a];
    // A ray along a wall never meets it: so steep that it would do so beyond every box.
    if (!(std::fabs(slope) > 1e-12f)) slope = std::copysign(1e-12f, slope);
    const float inverse = 1 / slope;
    slope_[a][i] = slope;
    inverse_[a][i] = inverse;
    const float low = -origin_[a] * inverse, high = low + inverse;
    begin = std::max(begin, std::min(low, high));
    end = std::min(end, std::max(low, high));
  }
  if (!(end > begin)) return false;
  first_[i] = begin + place.jitter * plan_.step;
  end_[i] = end;
  // The first lattice point not before where something may be, a hundredth of a step early, as the
  // kernel takes it.
  const float before = std::max(from, AlongRay(ray, plan_.near)) - first_[i];
  next_[i] = std::ceil(std::min(std::max(before / plan_.step - 0.01f, 0.0f), 1e6f));
  return true;
}

void LatticeSampler::Take(uint32_t* rays, uint32_t* count, uint32_t run, SampleBatch* out) {
  const bool skips = plan_.grid != nullptr;
  kernels::MarchArgs args = {{origin_[0], origin_[1], origin_[2]},
                             plan_.step,
                             skips ? plan_.skip->bytes() : nullptr,
                             cells_,
                             {slope_[0], slope_[1], slope_[2]},
                             {inverse_[0], inverse_[1], inverse_[2]},
                             first_,
                             end_,
                             next_,
                             rays,
                             *count,
                             run,
                             out->x,
                             out->y,
                             out->z,
                             out->t,
                             out->ray,
                             0};
  kernels_.march(&args);
  *count = args.count;
  out->count = args.samples;
  std::fill_n(out->length, args.samples, plan_.step);
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
