// Where a picture was taken from: pixels to rays and points to pixels. Lengths are the caller's
// (head space: centimetres).
#pragma once

#include <cmath>
#include <cstdint>

#include "native/nerf/lens.h"

namespace daf::nerf {

// The conventions of daf::head::Camera: camera space x right, y up, looking down −z; pixels x
// right, y down, (0,0) the top left corner, pixel centres at +0.5.
struct Camera {
  float rotation[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};  // row-major, field space → camera space
  float translation[3] = {0, 0, 0};
  float focal[2] = {1, 1};
  float center[2] = {0, 0};
  uint32_t width = 1, height = 1;
  Lens lens;
};

struct Ray {
  float origin[3];
  float direction[3];  // unit
  // Distance along the ray per unit of depth along the viewing direction; 0 for a fisheye's rays at
  // 90° and more from it, which never gain depth.
  float slant;
};

// The direction of a pixel, undistorted, in camera space; not normalised.
inline void PixelDirection(const Camera& camera, float px, float py, float d[3]) {
  d[0] = (px - camera.center[0]) / camera.focal[0];
  d[1] = -(py - camera.center[1]) / camera.focal[1];
  d[2] = -1;
  if (camera.lens.pinhole()) return;
  double bent[3];
  camera.lens.Undistort(double{d[0]}, -double{d[1]}, bent);
  d[0] = static_cast<float>(bent[0]);
  d[1] = static_cast<float>(-bent[1]);
  d[2] = static_cast<float>(-bent[2]);
}

inline Ray PixelRay(const Camera& camera, float px, float py) {
  float d[3];
  PixelDirection(camera, px, py, d);
  const float* r = camera.rotation;
  const float* t = camera.translation;
  const float length = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
  Ray ray;
  ray.slant = d[2] < 0 ? length / -d[2] : 0.0f;
  for (int a = 0; a < 3; ++a) {
    ray.direction[a] = (r[a] * d[0] + r[3 + a] * d[1] + r[6 + a] * d[2]) / length;
    ray.origin[a] = -(r[a] * t[0] + r[3 + a] * t[1] + r[6 + a] * t[2]);
  }
  return ray;
}

// The pixel that a point falls on, within the picture or beside it, and its depth along the viewing
// direction. False for what the lens cannot see: behind the camera, or past its limit.
inline bool Project(const Camera& camera, const float point[3], float pixel[2], float* depth) {
  double q[3];
  for (int a = 0; a < 3; ++a) {
    q[a] = double{camera.translation[a]};
    for (int b = 0; b < 3; ++b) q[a] += double{camera.rotation[a * 3 + b]} * point[b];
  }
  const double direction[3] = {q[0], -q[1], -q[2]};
  double u, v;
  if (!camera.lens.Distort(direction, &u, &v)) return false;
  pixel[0] = static_cast<float>(camera.center[0] + camera.focal[0] * u);
  pixel[1] = static_cast<float>(camera.center[1] + camera.focal[1] * v);
  *depth = static_cast<float>(-q[2]);
  return true;
}

}  // namespace daf::nerf
