// Samples on a lattice of one step, a bounded box's empty space crossed by the skip map: skipping
// changes which samples are taken but not where they are.
#pragma once

#include <algorithm>

#include "native/nerf/ray_sample.h"

namespace daf::nerf {

class LatticeSampler {
 public:
  struct Ray {
    float slope[3], inverse[3];  // unit-cube coordinates per distance, and back
    float first, end;            // distances: of lattice point 0, and where the ray leaves
    uint32_t index;              // the next lattice point
  };

  // All rays of a picture start at `origin`.
  LatticeSampler(const SamplePlan& plan, const float origin[3]) : plan_(plan) {
    float middle[3], square = 0;
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
    cells_ = static_cast<int>(plan.skip->cells());
    fine_ = static_cast<int>(plan.grid->resolution());
    per_cell_ = 1 / static_cast<float>(cells_);
    per_fine_ = 1 / static_cast<float>(fine_);
  }

  bool Start(const nerf::Ray& ray, const PixelPlace& place, float from, Ray* out) const {
    float begin = nearest_, end = AlongRay(ray, plan_.far);
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
    float p[3];
    Place(*ray, at, p);
    int low[3], high[3];
    for (int a = 0; a < 3; ++a) low[a] = Cell(p[a], cells_);
    const int distance = plan_.skip->Distance(low[0], low[1], low[2]);
    float per_cell = per_cell_;
    if (distance > 0) {
      for (int a = 0; a < 3; ++a) {
        high[a] = low[a] + distance;
        low[a] -= distance - 1;
      }
    } else {
      for (int a = 0; a < 3; ++a) {
        low[a] = Cell(p[a], fine_);
        high[a] = low[a] + 1;
      }
      if (plan_.grid->Occupied(low[0], low[1], low[2])) return Way::kHere;
      per_cell = per_fine_;
    }
    float exit = ray->end;
    for (int a = 0; a < 3; ++a) {
      const float wall = static_cast<float>(ray->inverse[a] > 0 ? high[a] : low[a]) * per_cell;
      exit = std::min(exit, (wall - origin_[a]) * ray->inverse[a]);
    }
    ray->index = std::max(ray->index + 1, Reach(*ray, exit));
    return Way::kMoved;
  }

  bool Take(Ray* ray, RaySample* out) const {
    const float at = At(*ray);
    if (!(at < ray->end)) return false;
    Place(*ray, at, out->position);
    if (plan_.grid != nullptr) {
      const float* p = out->position;
      if (!plan_.grid->Occupied(Cell(p[0], fine_), Cell(p[1], fine_), Cell(p[2], fine_)))
        return false;
    }
    out->t = at;
    out->length = plan_.step;
    ++ray->index;
    return true;
  }

  // How far all rays near `axis` cross nothing but empty space; infinity when they meet nothing at
  // all. spread: how far they are from it, per distance; from: up to where that is known. As Hart 1996
  // traces spheres.
  float Clear(const nerf::Ray& axis, float spread, float from) const {
    if (plan_.grid == nullptr) return from;
    float slope[3], steepest = 0, widest = 0;
    for (int a = 0; a < 3; ++a) {
      slope[a] = axis.direction[a] * inverse_side_[a];
      steepest = std::max(steepest, std::fabs(slope[a]));
      widest = std::max(widest, inverse_side_[a]);
    }
    const float opening = spread * widest, shortest = 0.5f * per_cell_ / steepest;
    float t = from;
    while (t < reach_) {
      float outside = 0;
      int cell[3];
      for (int a = 0; a < 3; ++a) {
        const float q = origin_[a] + slope[a] * t;
        outside = std::max(outside, std::max(-q, q - 1));
        cell[a] = Cell(q < 0 ? 0.0f : q > 1 ? 1.0f : q, cells_);
      }
      const int distance = plan_.skip->Distance(cell[0], cell[1], cell[2]);
      const float empty = std::max(outside, static_cast<float>(distance - 1) * per_cell_);
      const float ahead = 0.999f * (empty - opening * t) / (steepest + opening);
      if (!(ahead > shortest)) return t;
      t += ahead;
    }
    return INFINITY;
  }

 private:
  float At(const Ray& ray) const {
    return ray.first + plan_.step * static_cast<float>(ray.index);
  }
  void Place(const Ray& ray, float at, float p[3]) const {
    for (int a = 0; a < 3; ++a) {
      const float q = origin_[a] + ray.slope[a] * at;
      p[a] = q < 0 ? 0.0f : q > 1 ? 1.0f : q;
    }
  }

  static int Cell(float p, int cells) {
    return std::min(static_cast<int>(p * static_cast<float>(cells)), cells - 1);
  }

  // The first lattice point not before a distance. A hundredth of a step early, so that rounding
  // never skips one that its own position would have taken: what is taken does not depend on the way
  // there.
  uint32_t Reach(const Ray& ray, float distance) const {
    const float steps = (distance - ray.first) * per_step_ - 0.01f;
    if (!(steps > 0)) return 0;
    const uint32_t whole = static_cast<uint32_t>(std::min(steps, 1e9f));
    return whole + (static_cast<float>(whole) < steps ? 1 : 0);
  }

  SamplePlan plan_;
  float origin_[3], inverse_side_[3];
  float per_step_, nearest_;
  float reach_;  // no point of the box is farther from the origin
  int cells_ = 1, fine_ = 1;
  float per_cell_ = 1, per_fine_ = 1;
};

}  // namespace daf::nerf
