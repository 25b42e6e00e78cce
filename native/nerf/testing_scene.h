// Scenes whose pictures are known in closed form, for tests: coloured spheres in the box [−1, 1]³.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "native/nerf/views.h"

namespace daf::nerf::testing {

struct Sphere {
  float center[3];
  float radius;
  float color[3];
};

inline std::vector<Sphere> Spheres() {
  return {{{0, 0, 0}, 0.5f, {0.9f, 0.3f, 0.2f}},
          {{0.45f, 0.35f, 0.3f}, 0.25f, {0.2f, 0.7f, 0.3f}},
          {{-0.4f, -0.3f, 0.45f}, 0.2f, {0.2f, 0.3f, 0.9f}}};
}

struct Picture {
  Camera camera;
  std::vector<float> rgb, alpha, depth;
};

// A camera at `distance` from the origin, looking at it; yaw around y, pitch up, radians.
inline Camera Orbit(float yaw, float pitch, float distance, uint32_t size) {
  Camera c;
  const float cy = std::cos(yaw), sy = std::sin(yaw), cp = std::cos(pitch), sp = std::sin(pitch);
  const float right[3] = {cy, 0, -sy}, back[3] = {sy * cp, sp, cy * cp};
  const float up[3] = {back[1] * right[2] - back[2] * right[1],
                       back[2] * right[0] - back[0] * right[2],
                       back[0] * right[1] - back[1] * right[0]};
  for (int a = 0; a < 3; ++a) {
    c.rotation[a] = right[a];
    c.rotation[3 + a] = up[a];
    c.rotation[6 + a] = back[a];
  }
  c.translation[2] = -distance;
  c.focal[0] = c.focal[1] = 1.4f * static_cast<float>(size);
  c.center[0] = c.center[1] = static_cast<float>(size) / 2;
  c.width = c.height = size;
  return c;
}

// Lambert-like shading by a fixed light, with stripes by height so that texture has an upright and
// a handedness.
inline Picture Draw(const Camera& camera, const std::vector<Sphere>& spheres = Spheres()) {
  Picture out;
  out.camera = camera;
  for (uint32_t y = 0; y < camera.height; ++y) {
    for (uint32_t x = 0; x < camera.width; ++x) {
      const Ray ray = PixelRay(camera, static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
      float best = std::numeric_limits<float>::infinity(), color[3] = {0, 0, 0};
      for (const Sphere& s : spheres) {
        float b = 0, c = -s.radius * s.radius;
        for (int a = 0; a < 3; ++a) {
          const float o = ray.origin[a] - s.center[a];
          b += o * ray.direction[a];
          c += o * o;
        }
        const float root = b * b - c;
        if (root < 0) continue;
        const float t = -b - std::sqrt(root);
        if (t <= 0 || t >= best) continue;
        best = t;
        float n[3], p[3];
        for (int a = 0; a < 3; ++a) {
          p[a] = ray.origin[a] + ray.direction[a] * t;
          n[a] = (p[a] - s.center[a]) / s.radius;
        }
        const float light = 0.55f + 0.45f * (0.4f * n[0] + 0.7f * n[1] + 0.6f * n[2]);
        const float stripe = std::sin(24 * p[1] + 6 * p[0]) > 0 ? 1.0f : 0.6f;
        for (int a = 0; a < 3; ++a)
          color[a] = std::fmin(1.0f, std::fmax(0.0f, s.color[a] * light * stripe));
      }
      const bool hit = std::isfinite(best);
      out.rgb.insert(out.rgb.end(), color, color + 3);
      out.alpha.push_back(hit ? 1.0f : 0.0f);
      out.depth.push_back(hit ? best / ray.slant : 0.0f);
    }
  }
  return out;
}

inline ViewInput AsView(const Picture& picture, bool supervised) {
  ViewInput view;
  view.supervised = supervised;
  view.camera = picture.camera;
  view.rgb = picture.rgb.data();
  view.alpha = picture.alpha.data();
  view.depth = supervised ? picture.depth.data() : nullptr;
  return view;
}

}  // namespace daf::nerf::testing
