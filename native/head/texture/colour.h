// sRGB and linear light, table-driven: texture work converts millions of texels.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace daf::head {

inline float ToLinear(float srgb) {
  return srgb <= 0.04045f ? srgb / 12.92f : std::pow((srgb + 0.055f) / 1.055f, 2.4f);
}
inline float ToSrgb(float linear) {
  return linear <= 0.0031308f ? 12.92f * std::max(0.0f, linear)
                              : 1.055f * std::pow(linear, 1 / 2.4f) - 0.055f;
}

// byte → linear 0…1
inline const std::array<float, 256>& LinearTable() {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> t{};
    for (int i = 0; i < 256; ++i) t[i] = ToLinear(static_cast<float>(i) / 255);
    return t;
  }();
  return table;
}

inline uint8_t ToByte(float srgb) {
  return static_cast<uint8_t>(std::lround(255 * std::clamp(srgb, 0.0f, 1.0f)));
}

// 0 below a, 1 above b, smooth in between.
inline float SmoothStep(float a, float b, float x) {
  const float t = std::clamp((x - a) / (b - a), 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

}  // namespace daf::head
