// Samples on a lattice of one step, a bounded box's empty space crossed by the skip map: skipping
// changes which samples are taken but not where they are.
#pragma once

#include <algorithm>

#include "native/nerf/ray_sample.h"

namespace daf::nerf {

class LatticeSampler {
 public:
  // x, y, z and nothing: the axes go through the same arithmetic.
  typedef float Axes __attribute__((vector_size(16)));
  struct Ray {
    Axes slope, inverse;  // unit-cube coordinates per distance, and back
    float first, end;     // distances: of lattice point 0, and where the ray leaves
    uint32_t index;       // the next lattice point
  };

  // All rays of a picture start at `origin`.
  LatticeSampler(const SamplePlan& plan, const float origin[3]) : plan_(plan) {
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
    per_step_ = 1 / plan.step;
    nearest_ = 1e-4f * plan.box->edge();
    if (plan.grid == nullptr) return;
    cells_ = static_cast<float>(plan.skip->cells());
    fine_ = static_cast<float>(plan.grid->resolution());
  }

  bool Start(const nerf::Ray& ray, const PixelPlace& place, float from, Ray* out) const {
    float begin = nearest_, end = AlongRay(ray, plan_.far);
    out->slope = out->inverse = Axes{0, 0, 0, 0};
    for (int a = 0; a < 3; ++a) {
      const float slope = ray.direction[a] * inverse_side_[a];
      // A ray along a wall never meets it: so steep that it would do so beyond every box.
      out->slope[a] = std::fabs(slope) > 1e-12f ? slope : std::copysign(1e-12f, slope);
      out->inverse[a] = 1 / out->slope[a];
      const float low = -origin_[a] * out->inverse[a], high = low + out->inverse[a];
      begin = std::max(begin, std::min(low, high));
      end = std::min(end, std::max(low, high));
    }
    if (!(end > begin)) return false;
    out->first = begin + place.jitter * plan_.step;
    out->end = end;
    out->index = Reach(*out, std::max(from, AlongRay(ray, plan_.near)));
    return true;
  }

  Way Advance(Ray* ray) const {
    const float at = At(*ray);
    if (!(at < ray->end)) return Way::kEnded;
    if (plan_.grid == nullptr) return Way::kHere;
    const Axes p = Place(*ray, at);
    float cells = cells_;
    Cells cell = CellsOf(p, cells);
    int distance = plan_.skip->Distance(cell[0], cell[1], cell[2]);
    if (distance == 0) {
      cells = fine_;
      cell = CellsOf(p, cells);
      if (plan_.grid->Occupied(cell[0], cell[1], cell[2])) return Way::kHere;
      distance = 1;
    }
    // The walls ahead of the cube of empty cells around this one.
    const float behind = static_cast<float>(1 - distance), before = static_cast<float>(distance);
    const Axes ahead = ray->inverse > 0 ? Axes{} + before : Axes{} + behind;
    const Axes wall = (__builtin_convertvector(cell, Axes) + ahead) / cells;
    const Axes exit = (wall - origin_) * ray->inverse;
    ray->index =
        std::max(ray->index + 1,
                 Reach(*ray, std::min(std::min(exit[0], exit[1]), std::min(exit[2], ray->end))));
    return Way::kMoved;
  }

  bool Take(Ray* ray, RaySample* out) const {
    const float at = At(*ray);
    if (!(at < ray->end)) return false;
    const Axes p = Place(*ray, at);
    if (plan_.grid != nullptr) {
      const Cells cell = CellsOf(p, fine_);
      if (!plan_.grid->Occupied(cell[0], cell[1], cell[2])) return false;
    }
    for (int a = 0; a < 3; ++a) out->position[a] = p[a];
    out->t = at;
    out->length = plan_.step;
    ++ray->index;
    return true;
  }

  // How far all rays near `axis` cross nothing but empty space; infinity when they meet nothing at
  // all. spread: how far they are from it, per distance; from: up to where that is known. As Hart
  // 1996 traces spheres.
  float Clear(const nerf::Ray& axis, float spread, float from) const {
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

 private:
  float At(const Ray& ray) const { return ray.first + plan_.step * static_cast<float>(ray.index); }
  Axes Place(const Ray& ray, float at) const { return Clamp(origin_ + ray.slope * at); }
  static Axes Clamp(Axes p) {
    p = p < 0 ? Axes{} : p;
    return p > 1 ? Axes{} + 1 : p;
  }

  typedef int32_t Cells __attribute__((vector_size(16)));
  // At 1 is the last cell, not one more.
  static Cells CellsOf(Axes p, float cells) {
    const Axes q = p * cells, last = Axes{} + (cells - 0.5f);
    return __builtin_convertvector(q < last ? q : last, Cells);
  }

  // The first lattice point not before a distance. A hundredth of a step early, so that rounding
  // never skips one that its own position would have taken: what is taken does not depend on the
  // way there.
  uint32_t Reach(const Ray& ray, float distance) const {
    const float steps = (distance - ray.first) * per_step_ - 0.01f;
    if (!(steps > 0)) return 0;
    const uint32_t whole = static_cast<uint32_t>(std::min(steps, 1e9f));
    return whole + (static_cast<float>(whole) < steps ? 1 : 0);
  }

  SamplePlan plan_;
  Axes origin_, inverse_side_;
  float per_step_, nearest_;
  float reach_;                 // no point of the box is farther from the origin
  float cells_ = 1, fine_ = 1;  // of the skip map and of the grid, along each axis
};

}  // namespace daf::nerf
