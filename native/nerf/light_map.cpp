#include "native/nerf/light_map.h"

#include <algorithm>

namespace daf::nerf {
namespace {
constexpr float kWidest = 3;       // tangent of the widest angle from the axis that is looked at
constexpr int kBorder = 16;        // points along each side of the picture that tell what it shows
constexpr size_t kPollRays = 256;  // followed between two polls: each may cross the whole lattice
}  // namespace

Status LightMap::Follow(const Camera& camera, const DensityLattice& lattice, uint32_t side,
                        const TaskControl& control) {
  Frame(camera, side);
  rays_.resize(size_t{width_} * height_);
  for (size_t i = 0; i < rays_.size(); ++i) {
    std::fill_n(rays_[i].depth, kLevels, INFINITY);
    const Ray ray = RayOf(static_cast<uint32_t>(i % width_), static_cast<uint32_t>(i / width_));
    if (Shows(camera, ray)) {
      March(ray, lattice, &rays_[i]);
    } else {
      rays_[i].depth[0] = -1;
    }
    if ((i + 1) % kPollRays == 0) DAF_RETURN_IF_ERROR(control.Check());
  }
  return Status::Ok();
}

// A pinhole's plane around all that the picture shows.
void LightMap::Frame(const Camera& camera, uint32_t side) {
  camera_ = camera;
  float low[2] = {kWidest, kWidest}, high[2] = {-kWidest, -kWidest};
  for (int i = 0; i <= kBorder; ++i) {
    const float along = static_cast<float>(i) / kBorder;
    const float w = static_cast<float>(camera.width), h = static_cast<float>(camera.height);
    const float border[4][2] = {{along * w, 0}, {along * w, h}, {0, along * h}, {w, along * h}};
    for (const auto& pixel : border) {
      float d[3];
      PixelDirection(camera, pixel[0], pixel[1], d);
      const float flat[2] = {d[0] / std::max(-d[2], 1e-6f), -d[1] / std::max(-d[2], 1e-6f)};
      for (int a = 0; a < 2; ++a) {
        const float at = std::min(std::max(flat[a], -kWidest), kWidest);
        low[a] = std::min(low[a], at);
        high[a] = std::max(high[a], at);
      }
    }
  }
  camera_.lens = Lens();
  left_ = low[0];
  top_ = low[1];
  const float wide = std::max(high[0] - low[0], high[1] - low[1]);
  scale_ = static_cast<float>(side) / std::max(wide, 1e-6f);
  width_ = std::max(1u, static_cast<uint32_t>((high[0] - low[0]) * scale_));
  height_ = std::max(1u, static_cast<uint32_t>((high[1] - low[1]) * scale_));
}

// Whether a ray of the plane is one of the picture's: a lens leaves corners of the plane out.
bool LightMap::Shows(const Camera& camera, const Ray& ray) const {
  if (camera.lens.pinhole()) return true;
  float pixel[2], depth;
  const float ahead[3] = {ray.origin[0] + ray.direction[0], ray.origin[1] + ray.direction[1],
                          ray.origin[2] + ray.direction[2]};
  return Project(camera, ahead, pixel, &depth) && pixel[0] >= 0 &&
         pixel[0] <= static_cast<float>(camera.width) && pixel[1] >= 0 &&
         pixel[1] <= static_cast<float>(camera.height);
}

Ray LightMap::RayOf(uint32_t column, uint32_t row) const {
  Camera plane = camera_;
  plane.focal[0] = plane.focal[1] = scale_;
  plane.center[0] = -left_ * scale_;
  plane.center[1] = -top_ * scale_;
  return PixelRay(plane, static_cast<float>(column) + 0.5f, static_cast<float>(row) + 0.5f);
}

void LightMap::March(const Ray& ray, const DensityLattice& lattice, Ended* ended) const {
  const auto n = static_cast<float>(lattice.cells);
  float near = 0, far = INFINITY, from[3], slope[3], steepest = 0;
  for (int a = 0; a < 3; ++a) {  // in cells
    const float scale = n / (lattice.high[a] - lattice.low[a]);
    from[a] = (ray.origin[a] - lattice.low[a]) * scale;
    slope[a] = ray.direction[a] * scale;
    steepest = std::max(steepest, std::fabs(slope[a]));
    if (std::fabs(slope[a]) < 1e-12f) slope[a] = std::copysign(1e-12f, slope[a]);
    const float t0 = -from[a] / slope[a], t1 = (n - from[a]) / slope[a];
    near = std::max(near, std::min(t0, t1));
    far = std::min(far, std::max(t0, t1));
  }
  if (!(far > near)) return;
  const float step = 0.7f / steepest;
  float depth = 0;  // optical
  int level = 0;
  for (float t = near + 0.5f * step; t < far && level < kLevels; t += step) {
    size_t cell[3];
    for (int a = 0; a < 3; ++a) {
      const float at = std::min(std::max(from[a] + t * slope[a], 0.0f), n - 1);
      cell[a] = static_cast<size_t>(at);
    }
    const float density =
        lattice.density[(cell[2] * lattice.cells + cell[1]) * lattice.cells + cell[0]];
    if (density == 0) continue;
    const float before = depth;
    depth += density * step;
    while (level < kLevels) {
      const float ends = -std::log(kLeft[level]);
      if (depth < ends) break;
      const float share = (ends - before) / (depth - before);
      ended->depth[level++] = (t + (share - 0.5f) * step) / std::max(ray.slant, 1e-6f);
    }
  }
}

float LightMap::Left(const Ended& ended, float depth) {
  if (ended.depth[0] < 0) return -1;
  if (depth < ended.depth[0]) return 1;
  for (int i = 1; i < kLevels; ++i) {
    if (depth >= ended.depth[i]) continue;
    const float gap = ended.depth[i] - ended.depth[i - 1];
    const float share = std::isfinite(gap) ? (depth - ended.depth[i - 1]) / gap : 0.0f;
    return kLeft[i - 1] + share * (kLeft[i] - kLeft[i - 1]);
  }
  return 0;
}

}  // namespace daf::nerf
