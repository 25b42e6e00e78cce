#include <algorithm>
#include <cmath>

#include "native/head/synth/faces/canvas.h"
#include "native/head/synth/noise.h"

namespace daf::head {
namespace {

// Something in the room: a rectangle, an ellipse or a stripe, turned, plain or with a pattern.
void PaintShape(Rng& rng, Canvas* canvas) {
  const float side = static_cast<float>(std::min(canvas->width, canvas->height));
  const float x0 = rng.Uniform(0, static_cast<float>(canvas->width)),
              y0 = rng.Uniform(0, static_cast<float>(canvas->height));
  const float size = side * 0.5f * std::pow(rng.Uniform(), 2.0f) + 3;
  const float half_x = size, half_y = size * (rng.Uniform() < 0.3f ? 0.06f : rng.Uniform(0.3f, 1));
  const float angle = rng.Uniform() < 0.4f ? 0 : rng.Uniform(0, 3.1416f), c = std::cos(angle),
              s = std::sin(angle);
  const bool round = rng.Uniform() < 0.4f, rim = rng.Uniform() < 0.15f;
  const float soft = rng.Uniform() < 0.5f ? 0.5f / size : rng.Uniform(0.02f, 0.4f);
  const Colour colour = DrawColour(rng, 0.01f, 0.85f, 0.7f),
               other = DrawColour(rng, 0.01f, 0.85f, 0.7f);
  const float stripes = rng.Uniform() < 0.3f ? rng.Uniform(3, 22) : 0,
              shade = rng.Uniform(-0.5f, 0.5f), cover = rng.Uniform(0.6f, 1.0f);
  const float reach = std::sqrt(half_x * half_x + half_y * half_y) * (1 + soft) + 1;
  const int left = std::max(0, static_cast<int>(x0 - reach)),
            right = std::min(canvas->width - 1, static_cast<int>(x0 + reach));
  const int top = std::max(0, static_cast<int>(y0 - reach)),
            bottom = std::min(canvas->height - 1, static_cast<int>(y0 + reach));
  for (int y = top; y <= bottom; ++y) {
    for (int x = left; x <= right; ++x) {
      const float dx = static_cast<float>(x) - x0, dy = static_cast<float>(y) - y0;
      const float u = (c * dx + s * dy) / half_x, v = (-s * dx + c * dy) / half_y;
      const float d = round ? std::sqrt(u * u + v * v) : std::max(std::abs(u), std::abs(v));
      float inside = Ramp(1 + soft, 1 - soft, d);
      if (rim) inside *= Ramp(0.6f - soft, 0.8f, d);
      if (inside <= 0) continue;
      Colour k = stripes > 0 && std::sin(stripes * u) > 0 ? other : colour;
      k = Scale(k, 1 + shade * v);
      Colour& out = canvas->light[canvas->At(x, y)];
      out = Blend(out, k, inside * cover);
    }
  }
}

}  // namespace

Colour DrawColour(Rng& rng, float low, float high, float most_chroma) {
  const float level = rng.Uniform(low, high), hue = rng.Uniform(0, 6.2832f),
              chroma = most_chroma * level * rng.Uniform() * rng.Uniform() * 1.5f;
  return {std::max(0.004f, level + chroma * std::cos(hue)),
          std::max(0.004f, level + chroma * std::cos(hue - 2.0944f)),
          std::max(0.004f, level + chroma * std::cos(hue + 2.0944f))};
}

void PaintBackdrop(Rng& rng, Canvas* canvas) {
  const bool plain = rng.Uniform() < 0.15f;
  const Colour top = DrawColour(rng, 0.01f, 0.8f, 0.6f),
               low = plain ? top : DrawColour(rng, 0.01f, 0.7f, 0.6f);
  const uint32_t grain = rng.Next();
  const float rough = plain ? 0.05f : rng.Uniform(0, 0.9f),
              scale = std::pow(2.0f, rng.Uniform(0.5f, 4.5f)), tilt = rng.Uniform(-1, 1);
  const float stretch = rng.Uniform() < 0.3f ? rng.Uniform(2, 8) : 1;
  const Colour vein = DrawColour(rng, 0.01f, 0.8f, 0.6f);
  // Noise changes slowly from sample to sample: every other one is enough.
  for (int y = 0; y < canvas->height; y += 2) {
    for (int x = 0; x < canvas->width; x += 2) {
      const float u = static_cast<float>(x) / canvas->width,
                  v = static_cast<float>(y) / canvas->height;
      Colour c = Blend(top, low, std::clamp(v + tilt * (u - 0.5f), 0.0f, 1.0f));
      if (rough > 0.06f) {
        const float n = Fractal(scale * u * stretch, scale * v, 0.3f, 4, grain);
        c = Blend(c, vein, std::clamp(rough * (0.5f + 1.2f * n), 0.0f, 1.0f));
      }
      for (int j = y; j < std::min(y + 2, canvas->height); ++j)
        for (int i = x; i < std::min(x + 2, canvas->width); ++i)
          canvas->light[canvas->At(i, j)] = c;
    }
  }
  if (plain) return;
  const uint32_t shapes = rng.Uniform() < 0.25f ? rng.Below(4) : 4 + rng.Below(40);
  for (uint32_t i = 0; i < shapes; ++i) PaintShape(rng, canvas);
}

}  // namespace daf::head
