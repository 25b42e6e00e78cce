// Where a field lives: the scene box, cameras and rays. Lengths are the caller's (head space:
// centimetres).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace daf::nerf {

// Positions inside the box map to the unit cube axis by axis; densities are kept per `edge`, the
// box's longest side, so that the same numbers suit a head in centimetres and a house in metres.
struct Box {
  float min[3] = {-1, -1, -1};
  float max[3] = {1, 1, 1};

  float side(int axis) const { return max[axis] - min[axis]; }
  float edge() const { return std::max(side(0), std::max(side(1), side(2))); }
  bool valid() const {
    for (int a = 0; a < 3; ++a) {
      if (!std::isfinite(min[a]) || !std::isfinite(max[a]) || !(side(a) > 0) ||
          !std::isfinite(side(a)))
        return false;
    }
    return true;
  }
};

// Pinhole; the conventions of daf::head::Camera: camera space x right, y up, looking down −z;
// pixels x right, y down, (0,0) the top left corner, pixel centres at +0.5.
struct Camera {
  float rotation[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};  // row-major, field space → camera space
  float translation[3] = {0, 0, 0};
  float focal[2] = {1, 1};
  float center[2] = {0, 0};
  uint32_t width = 1, height = 1;
};

struct Ray {
  float origin[3];
  float direction[3];  // unit
  float slant;         // distance along the ray per unit of depth along the viewing direction
};

inline Ray PixelRay(const Camera& camera, float px, float py) {
  const float d[3] = {(px - camera.center[0]) / camera.focal[0],
                      -(py - camera.center[1]) / camera.focal[1], -1};
  const float* r = camera.rotation;
  const float* t = camera.translation;
  Ray ray;
  ray.slant = std::sqrt(d[0] * d[0] + d[1] * d[1] + 1);
  for (int a = 0; a < 3; ++a) {
    ray.direction[a] = (r[a] * d[0] + r[3 + a] * d[1] + r[6 + a] * d[2]) / ray.slant;
    ray.origin[a] = -(r[a] * t[0] + r[3 + a] * t[1] + r[6 + a] * t[2]);
  }
  return ray;
}

// The part of a ray inside the box, in front of its origin. False when it misses.
inline bool Clip(const Box& box, const Ray& ray, float* near, float* far) {
  float begin = 1e-4f * box.edge(), end = INFINITY;
  for (int a = 0; a < 3; ++a) {
    if (std::fabs(ray.direction[a]) < 1e-12f) {
      if (ray.origin[a] < box.min[a] || ray.origin[a] > box.max[a]) return false;
      continue;
    }
    const float inverse = 1 / ray.direction[a];
    float t0 = (box.min[a] - ray.origin[a]) * inverse, t1 = (box.max[a] - ray.origin[a]) * inverse;
    if (t0 > t1) std::swap(t0, t1);
    begin = std::max(begin, t0);
    end = std::min(end, t1);
  }
  *near = begin;
  *far = end;
  return end > begin && std::isfinite(end);
}

}  // namespace daf::nerf
