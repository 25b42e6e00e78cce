// Where a field lives: the scene box, and what of a ray lies in it.
#pragma once

#include <algorithm>
#include <cmath>

#include "native/nerf/camera.h"

namespace daf::nerf {

// Positions inside the box map to the unit cube axis by axis; densities are kept per `edge`, the
// box's longest side, so that the same numbers suit a head in centimetres and a house in metres.
//
// An unbounded box also holds what lies around it: the box itself fills the middle half of the cube
// along each axis, and the space outside is contracted into the rest (Barron et al. 2022,
// "Mip-NeRF 360", with the maximum norm, which keeps straight what is inside).
struct Box {
  static constexpr float kHorizon = 64;  // half sides from the centre, where unbounded rays end
  float min[3] = {-1, -1, -1};
  float max[3] = {1, 1, 1};
  bool unbounded = false;

  float side(int axis) const { return max[axis] - min[axis]; }
  float edge() const { return std::max(side(0), std::max(side(1), side(2))); }
  // The unit cube's coordinates of a point, clamped to the cube.
  void ToUnit(const float p[3], float unit[3]) const {
    float q[3];
    if (!unbounded) {
      for (int a = 0; a < 3; ++a) q[a] = (p[a] - min[a]) / side(a);
    } else {
      for (int a = 0; a < 3; ++a) q[a] = 2 * (p[a] - min[a]) / side(a) - 1;
      Contract(q, q);
    }
    for (int a = 0; a < 3; ++a) unit[a] = std::min(std::max(q[a], 0.0f), 1.0f);
  }
  // Half sides from the centre, (−1, 1)³ being the box → the unit cube. Returns the distance in the
  // maximum norm.
  static float Contract(const float q[3], float unit[3]) {
    const float far = std::max(std::fabs(q[0]), std::max(std::fabs(q[1]), std::fabs(q[2])));
    const float scale = far > 1 ? (2 - 1 / far) / far : 1.0f;
    for (int a = 0; a < 3; ++a) unit[a] = 0.5f + 0.25f * scale * q[a];
    return far;
  }
  // A derivative by the unit cube's coordinates of a point → by the point; 0 along axes where
  // ToUnit clamps.
  void FromUnitDerivative(const float p[3], const float by_unit[3], float by_point[3]) const {
    float q[3];
    if (!unbounded) {
      for (int a = 0; a < 3; ++a) {
        q[a] = (p[a] - min[a]) / side(a);
        by_point[a] = q[a] > 0 && q[a] < 1 ? by_unit[a] / side(a) : 0.0f;
      }
      return;
    }
    int axis = 0;  // of the largest
    float along = 0;
    for (int a = 0; a < 3; ++a) {
      q[a] = 2 * (p[a] - min[a]) / side(a) - 1;
      if (std::fabs(q[a]) > std::fabs(q[axis])) axis = a;
      along += by_unit[a] * q[a];
    }
    const float far = std::fabs(q[axis]), scale = far > 1 ? (2 - 1 / far) / far : 1.0f;
    for (int a = 0; a < 3; ++a) by_point[a] = 0.5f / side(a) * scale * by_unit[a];
    if (far > 1) {
      const float fall = 2 * (1 / far - 1) / (far * far);  // of the scale, along that axis
      by_point[axis] += 0.5f / side(axis) * (q[axis] > 0 ? fall : -fall) * along;
    }
  }
  // How much longer than inside the box samples are at that distance: between a cell's stretch
  // across (far) and along the ray (far²).
  static float Stretch(float far) { return far > 1 ? far * std::sqrt(far) : 1.0f; }
  bool valid() const {
    for (int a = 0; a < 3; ++a) {
      if (!std::isfinite(min[a]) || !std::isfinite(max[a]) || !(side(a) > 0) ||
          !std::isfinite(side(a)))
        return false;
    }
    return true;
  }
};

// The part of a ray inside the box (up to the horizon of an unbounded one), in front of its origin.
// False when it misses.
inline bool Clip(const Box& box, const Ray& ray, float* near, float* far) {
  // Nothing is photographed from closer than a hand's breadth of a room; floaters would sit there.
  float begin = (box.unbounded ? 0.03f : 1e-4f) * box.edge(), end = INFINITY;
  const float margin = box.unbounded ? 0.5f * (Box::kHorizon - 1) : 0.0f;
  for (int a = 0; a < 3; ++a) {
    const float low = box.min[a] - margin * box.side(a), high = box.max[a] + margin * box.side(a);
    if (std::fabs(ray.direction[a]) < 1e-12f) {
      if (ray.origin[a] < low || ray.origin[a] > high) return false;
      continue;
    }
    const float inverse = 1 / ray.direction[a];
    float t0 = (low - ray.origin[a]) * inverse, t1 = (high - ray.origin[a]) * inverse;
    if (t0 > t1) std::swap(t0, t1);
    begin = std::max(begin, t0);
    end = std::min(end, t1);
  }
  *near = begin;
  *far = end;
  return end > begin && std::isfinite(end);
}

}  // namespace daf::nerf
