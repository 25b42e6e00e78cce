// How much of a picture's light is left at each depth, along rays through a lattice of densities.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "native/base/control.h"
#include "native/nerf/camera.h"

namespace daf::nerf {

// Densities per unit of length of the cells of a box, x fastest.
struct DensityLattice {
  float low[3], high[3];
  uint32_t cells;  // along each axis
  const float* density;
};

class LightMap {
 public:
  // Follows the light of a picture by `side` rays along its longer side. Once, before all else; on
  // an error the rays that were not followed have no end. Errors: kCancelled.
  Status Follow(const Camera& camera, const DensityLattice& lattice, uint32_t side,
                const TaskControl& control);

  // The shares of the light that reach the places `ahead` before and `back` behind a point, from 0
  // to 1. False where the picture does not show it.
  bool At(const float point[3], float ahead, float back, float* before, float* behind) const {
    float q[3];
    for (int a = 0; a < 3; ++a) {
      q[a] = camera_.rotation[3 * a] * point[0] + camera_.rotation[3 * a + 1] * point[1] +
             camera_.rotation[3 * a + 2] * point[2] + camera_.translation[a];
    }
    const float depth = -q[2];
    if (!(depth > 0)) return false;
    const float column = (q[0] / depth - left_) * scale_, row = (-q[1] / depth - top_) * scale_;
    if (!(column >= 0 && row >= 0 && column < static_cast<float>(width_) &&
          row < static_cast<float>(height_)))
      return false;
    const Ended& ray = rays_[static_cast<size_t>(row) * width_ + static_cast<size_t>(column)];
    *before = Left(ray, depth - ahead);
    *behind = Left(ray, depth + back);
    return *before >= 0;
  }
  // Calls visit(point) for every ray, where half of its light has ended.
  template <typename Visit>
  void EachEnd(Visit visit) const {
    for (uint32_t row = 0; row < height_; ++row) {
      for (uint32_t column = 0; column < width_; ++column) {
        const float depth = rays_[row * width_ + column].depth[kHalf];
        if (!(depth > 0 && std::isfinite(depth))) continue;
        const Ray ray = RayOf(column, row);
        float point[3];
        for (int a = 0; a < 3; ++a) point[a] = ray.origin[a] + ray.direction[a] * ray.slant * depth;
        visit(point);
      }
    }
  }

 private:
  static constexpr int kLevels = 5, kHalf = 2;
  // Shares of the light; each ray's depths at which no more than that is left.
  static constexpr float kLeft[kLevels] = {0.9f, 0.7f, 0.5f, 0.3f, 0.1f};
  struct Ended {
    float depth[kLevels];  // first one negative: a ray that the picture does not show
  };
  static float Left(const Ended& ended, float depth);
  void Frame(const Camera& camera, uint32_t side);
  bool Shows(const Camera& camera, const Ray& ray) const;
  Ray RayOf(uint32_t column, uint32_t row) const;
  void March(const Ray& ray, const DensityLattice& lattice, Ended* ended) const;

  Camera camera_;  // a pinhole, that shows all that the picture shows
  float left_ = 0, top_ = 0, scale_ = 1;
  uint32_t width_ = 0, height_ = 0;
  std::vector<Ended> rays_;
};

}  // namespace daf::nerf
