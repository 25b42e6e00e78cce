// Smooth deterministic noise in space: the grain of skin, hair and backgrounds.
#pragma once

#include <cmath>
#include <cstdint>

namespace daf::head {

inline float HashUnit(int32_t x, int32_t y, int32_t z, uint32_t seed) {
  uint32_t h = seed * 0x9e3779b9u ^ static_cast<uint32_t>(x) * 0x85ebca6bu ^
               static_cast<uint32_t>(y) * 0xc2b2ae35u ^ static_cast<uint32_t>(z) * 0x27d4eb2fu;
  h ^= h >> 15;
  h *= 0x2c1b3c6du;
  h ^= h >> 12;
  h *= 0x297a2d39u;
  h ^= h >> 15;
  return static_cast<float>(h >> 8) * (1.0f / 16777216.0f);
}

// Value noise, −1…1, features of size 1.
inline float Noise(float x, float y, float z, uint32_t seed) {
  const float fx = std::floor(x), fy = std::floor(y), fz = std::floor(z);
  const int32_t ix = static_cast<int32_t>(fx), iy = static_cast<int32_t>(fy),
                iz = static_cast<int32_t>(fz);
  auto ease = [](float t) { return t * t * (3 - 2 * t); };
  const float u = ease(x - fx), v = ease(y - fy), w = ease(z - fz);
  float plane[2];
  for (int k = 0; k < 2; ++k) {
    const float a = HashUnit(ix, iy, iz + k, seed), b = HashUnit(ix + 1, iy, iz + k, seed);
    const float c = HashUnit(ix, iy + 1, iz + k, seed), d = HashUnit(ix + 1, iy + 1, iz + k, seed);
    plane[k] = (a + (b - a) * u) * (1 - v) + (c + (d - c) * u) * v;
  }
  return 2 * (plane[0] + (plane[1] - plane[0]) * w) - 1;
}

// Octaves of it, each half as large and half as strong.
inline float Fractal(float x, float y, float z, int octaves, uint32_t seed) {
  float sum = 0, weight = 0.5f;
  for (int i = 0; i < octaves; ++i) {
    sum += weight * Noise(x, y, z, seed + static_cast<uint32_t>(i) * 101u);
    x *= 2;
    y *= 2;
    z *= 2;
    weight *= 0.5f;
  }
  return sum;
}

}  // namespace daf::head
