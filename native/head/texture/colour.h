// sRGB and linear light, table-driven: texture work converts millions of texels.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace daf::head {

namespace curves {

constexpr int kSteps = 2048;
using Curve = std::array<float, kSteps + 2>;  // one more than x = 1, to read two at every place

inline float PowerToLinear(float srgb) { return std::pow((srgb + 0.055f) / 1.055f, 2.4f); }
inline float PowerToSrgb(float linear) { return 1.055f * std::pow(linear, 1 / 2.4f) - 0.055f; }

template <typename Function>
Curve Make(const Function& function) {
  Curve curve{};
  for (int i = 0; i < kSteps + 2; ++i) curve[i] = function(static_cast<float>(i) / kSteps);
  return curve;
}

// x: 0…1.
inline float At(const Curve& curve, float x) {
  const float place = x * kSteps;
  const int i = static_cast<int>(place);
  return curve[i] + (place - static_cast<float>(i)) * (curve[i + 1] - curve[i]);
}

}  // namespace curves

// Within 5e-7 of the power it stands for, like the next.
inline float ToLinear(float srgb) {
  static const curves::Curve curve = curves::Make(curves::PowerToLinear);
  if (srgb <= 0.04045f) return srgb / 12.92f;
  return srgb <= 1 ? curves::At(curve, srgb) : curves::PowerToLinear(srgb);
}
inline float ToSrgb(float linear) {
  // By the root, of which the power is almost a straight line.
  static const curves::Curve curve =
      curves::Make([](float root) { return curves::PowerToSrgb(root * root); });
  if (linear <= 0.0031308f) return 12.92f * std::max(0.0f, linear);
  return linear <= 1 ? curves::At(curve, std::sqrt(linear)) : curves::PowerToSrgb(linear);
}

// Brightness as tones are compared: the logarithm of linear light, of black too. srgb: 0…1.
// Within 1e-5: sRGB's knee, where the slope jumps, lies within a step of the curve.
inline float LogLight(float srgb) {
  static const curves::Curve curve =
      curves::Make([](float value) { return std::log(ToLinear(value) + 0.01f); });
  return curves::At(curve, std::clamp(srgb, 0.0f, 1.0f));
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
  return static_cast<uint8_t>(255 * std::clamp(srgb, 0.0f, 1.0f) + 0.5f);
}

// 0 below a, 1 above b, smooth in between.
inline float SmoothStep(float a, float b, float x) {
  const float t = std::clamp((x - a) / (b - a), 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

}  // namespace daf::head
