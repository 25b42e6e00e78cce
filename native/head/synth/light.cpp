#include "native/head/synth/light.h"

#include <algorithm>
#include <cmath>

namespace daf::head {
namespace {

constexpr int kSkyDirections = 28;

// Rotation whose third row is `d`: a camera that looks along −d.
void LookAlong(const float d[3], float rotation[9]) {
  const float hint[3] = {std::abs(d[1]) < 0.9f ? 0.0f : 1.0f, std::abs(d[1]) < 0.9f ? 1.0f : 0.0f,
                         0};
  float right[3] = {hint[1] * d[2] - hint[2] * d[1], hint[2] * d[0] - hint[0] * d[2],
                    hint[0] * d[1] - hint[1] * d[0]};
  const float length = std::sqrt(right[0] * right[0] + right[1] * right[1] + right[2] * right[2]);
  for (float& r : right) r /= length;
  const float up[3] = {d[1] * right[2] - d[2] * right[1], d[2] * right[0] - d[0] * right[2],
                       d[0] * right[1] - d[1] * right[0]};
  for (int i = 0; i < 3; ++i) {
    rotation[i] = right[i];
    rotation[3 + i] = up[i];
    rotation[6 + i] = d[i];
  }
}

}  // namespace

Colour LightRig::Sky(const float d[3]) const {
  Colour c = Blend(down, up, 0.5f + 0.5f * d[1]);
  const float side = std::max(0.0f, -d[0]);
  return {c.r + side * left.r, c.g + side * left.g, c.b + side * left.b};
}

LightRig DrawRig(Rng& rng) {
  LightRig rig;
  const float azimuth = rng.Uniform(-1.15f, 1.15f), elevation = rng.Uniform(0.10f, 0.95f);
  rig.key[0] = std::sin(azimuth) * std::cos(elevation);
  rig.key[1] = std::sin(elevation);
  rig.key[2] = std::cos(azimuth) * std::cos(elevation);
  const float warm = rng.Uniform(-1, 1), strength = rng.Uniform(0.35f, 1.5f);
  rig.key_colour = {strength * (1 + 0.14f * warm), strength, strength * (1 - 0.16f * warm)};
  const float cool = rng.Uniform(-1, 1), level = rng.Uniform(0.35f, 0.75f);
  rig.up = {level * (1 + 0.08f * cool), level, level * (1 - 0.10f * cool)};
  const float ground = rng.Uniform(0.3f, 0.8f);
  rig.down = {level * ground * 1.04f, level * ground, level * ground * 0.92f};
  const float side = rng.Uniform(-0.1f, 0.35f);
  rig.left = {side, side, side};
  rig.softness = rng.Uniform(0.3f, 2.2f);
  return rig;
}

Status ShadowMap::Build(const MeshView& mesh, const float direction[3], int size, float bias) {
  bias_ = bias;
  camera_.width = camera_.height = size;
  camera_.center[0] = camera_.center[1] = 0.5f * static_cast<float>(size);
  camera_.focal = static_cast<float>(size) * kFar / 46;
  LookAlong(direction, camera_.rotation);
  const float target[3] = {0, -4, -6};
  for (int i = 0; i < 3; ++i) {
    camera_.translation[i] =
        -(camera_.rotation[3 * i] * target[0] + camera_.rotation[3 * i + 1] * target[1] +
          camera_.rotation[3 * i + 2] * target[2]);
  }
  camera_.translation[2] -= kFar;
  std::vector<float> projected(3 * mesh.position_count);
  ProjectPositions(camera_, mesh, projected.data());
  depth_.resize(static_cast<size_t>(size) * static_cast<size_t>(size));
  Rasterise(camera_, mesh, projected.data(), {}, {nullptr, nullptr, depth_.data()});
  return Status::Ok();
}

float ShadowMap::Lit(const float point[3], float spread) const {
  float pixel[2], depth;
  if (!camera_.Project(point, pixel, &depth)) return 1;
  auto lit = [&](float x, float y) {
    const int ix = static_cast<int>(std::floor(x)), iy = static_cast<int>(std::floor(y));
    if (ix < 0 || iy < 0 || ix >= camera_.width || iy >= camera_.height) return 1.0f;
    // A wide filter reaches over slopes: it needs more room.
    return depth_[static_cast<size_t>(iy) * camera_.width + ix] >
                   depth - bias_ - 0.35f * spread / TexelsPerCm()
               ? 1.0f
               : 0.0f;
  };
  if (spread < 0.5f) return lit(pixel[0], pixel[1]);
  float sum = 0;
  for (int y = -2; y <= 2; ++y) {
    for (int x = -2; x <= 2; ++x)
      sum += lit(pixel[0] + 0.5f * spread * static_cast<float>(x),
                 pixel[1] + 0.5f * spread * static_cast<float>(y));
  }
  return sum / 25;
}

Status SkyLight(const MeshView& mesh, const float* normals, const LightRig& rig,
                const float rotation[9], const TaskControl& control, std::vector<Colour>* out) {
  out->assign(mesh.position_count, {});
  ShadowMap map;
  for (int k = 0; k < kSkyDirections; ++k) {
    DAF_RETURN_IF_ERROR(control.Check());
    // Even over the sphere (Fibonacci), in head space; the sky's own directions are the camera's.
    const float z = 1 - 2 * (static_cast<float>(k) + 0.5f) / kSkyDirections,
                r = std::sqrt(1 - z * z);
    const float turn = 2.39996323f * static_cast<float>(k);
    const float d[3] = {r * std::cos(turn), z, r * std::sin(turn)};
    float seen[3];
    for (int i = 0; i < 3; ++i)
      seen[i] = rotation[3 * i] * d[0] + rotation[3 * i + 1] * d[1] + rotation[3 * i + 2] * d[2];
    const Colour sky = rig.Sky(seen);
    DAF_RETURN_IF_ERROR(map.Build(mesh, d, 160, 0.35f));
    for (size_t v = 0; v < mesh.position_count; ++v) {
      const float* n = normals + 3 * v;
      const float facing = n[0] * d[0] + n[1] * d[1] + n[2] * d[2];
      if (facing <= 0) continue;
      float p[3];
      for (int i = 0; i < 3; ++i)
        p[i] = mesh.positions[3 * v + static_cast<size_t>(i)] + 0.15f * n[i];
      // 4/N·Σ cos·L is the irradiance over π of a sphere of N even directions.
      const float share = 4.0f / kSkyDirections * facing * map.Lit(p, 0);
      (*out)[v].r += share * sky.r;
      (*out)[v].g += share * sky.g;
      (*out)[v].b += share * sky.b;
    }
  }
  return Status::Ok();
}

}  // namespace daf::head
