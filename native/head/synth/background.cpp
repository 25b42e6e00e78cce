#include "native/head/synth/background.h"

#include <algorithm>
#include <cmath>

#include "native/head/synth/noise.h"

namespace daf::head {
namespace {

Colour DrawColour(Rng& rng, float low, float high) {
  const float level = rng.Uniform(low, high), hue = rng.Uniform(0, 6.2832f),
              chroma = rng.Uniform(0, 0.45f) * level;
  return {std::max(0.005f, level + chroma * std::cos(hue)),
          std::max(0.005f, level + chroma * std::cos(hue - 2.0944f)),
          std::max(0.005f, level + chroma * std::cos(hue + 2.0944f))};
}

}  // namespace

Background::Background(Rng& rng)
    : top_(DrawColour(rng, 0.03f, 0.7f)),
      bottom_(DrawColour(rng, 0.03f, 0.5f)),
      grain_(rng.Next()) {
  noise_ = rng.Uniform(0, 0.35f);
  if (rng.Uniform() < 0.35f) bottom_ = Blend(top_, bottom_, 0.25f);  // a plain wall
  const uint32_t count = rng.Uniform() < 0.35f ? 0 : 4 + rng.Below(14);
  for (uint32_t i = 0; i < count; ++i) {
    blots_.push_back({rng.Uniform(-0.1f, 1.1f), rng.Uniform(-0.1f, 1.1f), rng.Uniform(0.03f, 0.35f),
                      rng.Uniform(0.03f, 0.4f), rng.Uniform(0.01f, 0.12f), rng.Uniform() < 0.4f,
                      DrawColour(rng, 0.02f, 0.8f)});
  }
}

Colour Background::At(float x, float y) const {
  Colour c = Blend(top_, bottom_, std::clamp(y, 0.0f, 1.0f));
  for (const Blot& b : blots_) {
    const float dx = std::abs(x - b.x) / b.w, dy = std::abs(y - b.y) / b.h;
    const float d = b.round ? std::sqrt(dx * dx + dy * dy) : std::max(dx, dy);
    const float edge = b.soft / std::min(b.w, b.h);
    c = Blend(c, b.colour, 0.8f * Ramp(1 + edge, 1 - edge, d));
  }
  return Scale(c, 1 + noise_ * Fractal(5 * x, 5 * y, 0, 3, grain_));
}

void AddGarment(std::vector<float>* positions, std::vector<uint32_t>* triangles) {
  constexpr int around = 48;
  // Height, half width, half depth, middle depth: from inside the neck over the collar and the
  // shoulders down.
  constexpr float rings[][4] = {
      {-15.2f, 4.6f, 4.2f, -9.4f},  {-15.7f, 6.2f, 5.6f, -9.5f},  {-16.0f, 7.2f, 6.3f, -9.7f},
      {-16.4f, 8.7f, 6.8f, -9.8f},  {-17.1f, 10.8f, 7.1f, -9.9f}, {-18.6f, 13.6f, 7.4f, -9.9f},
      {-20.3f, 16.8f, 8.3f, -9.9f}, {-22.6f, 19.2f, 9.4f, -9.8f}, {-26, 20.8f, 10.6f, -9.6f},
      {-34, 21.5f, 11.4f, -9.4f},   {-60, 22, 12, -9.2f}};
  const uint32_t first = static_cast<uint32_t>(positions->size() / 3);
  uint32_t ring_count = 0;
  for (const auto& ring : rings) {
    for (int i = 0; i < around; ++i) {
      const float a = 6.2831853f * static_cast<float>(i) / around, c = std::cos(a), s = std::sin(a);
      positions->insert(positions->end(), {ring[1] * s, ring[0], ring[3] + ring[2] * c});
    }
    ++ring_count;
  }
  for (uint32_t r = 0; r + 1 < ring_count; ++r) {
    for (uint32_t i = 0; i < around; ++i) {
      const uint32_t a = first + r * around + i, b = first + r * around + (i + 1) % around,
                     c = a + around, d = b + around;
      triangles->insert(triangles->end(), {a, c, b, b, c, d});
    }
  }
}

}  // namespace daf::head
