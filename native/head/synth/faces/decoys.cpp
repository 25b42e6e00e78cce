#include <algorithm>
#include <cmath>

#include "native/head/synth/faces/props.h"
#include "native/head/synth/noise.h"

namespace daf::head {
namespace {

// Calls paint(x, y, u, v) for every sample of a turned rectangle; u and v are −1…1 in it.
template <typename Paint>
void Within(const Canvas& canvas, float x, float y, float half_x, float half_y, float angle,
            const Paint& paint) {
  const float c = std::cos(angle), s = std::sin(angle);
  const float reach = std::sqrt(half_x * half_x + half_y * half_y);
  const int left = std::max(0, static_cast<int>(x - reach)),
            right = std::min(canvas.width - 1, static_cast<int>(x + reach));
  const int top = std::max(0, static_cast<int>(y - reach)),
            bottom = std::min(canvas.height - 1, static_cast<int>(y + reach));
  for (int py = top; py <= bottom; ++py) {
    for (int px = left; px <= right; ++px) {
      const float dx = static_cast<float>(px) - x, dy = static_cast<float>(py) - y;
      const float u = (c * dx + s * dy) / half_x, v = (-s * dx + c * dy) / half_y;
      if (std::max(std::abs(u), std::abs(v)) <= 1) paint(px, py, u, v);
    }
  }
}

void DrawBlob(float x, float y, float half_x, float half_y, float angle, const Colour& colour,
              float lit_x, float lit_y, Canvas* canvas) {
  Within(*canvas, x, y, half_x, half_y, angle, [&](int px, int py, float u, float v) {
    const float d2 = u * u + v * v;
    if (d2 > 1) return;
    const float rise = std::sqrt(1 - d2);
    canvas->light[canvas->At(px, py)] =
        Scale(colour, std::max(0.08f, 0.35f + 0.5f * rise + 0.5f * (lit_x * u + lit_y * v)));
  });
}

// A ball, a fruit, a stone, a lamp: shaded like a head, with a few marks where no face has them.
void DrawBall(Rng& rng, float x, float y, float size, Canvas* canvas) {
  const Colour colour =
      rng.Uniform() < 0.5f ? DrawSkinColour(rng) : DrawColour(rng, 0.02f, 0.7f, 0.8f);
  const float light = rng.Uniform(0, 6.2832f), turn = rng.Uniform(0, 3.1416f),
              long_side = rng.Uniform(0.7f, 1.5f);
  DrawBlob(x, y, 0.5f * size, 0.5f * size * long_side, turn, colour, std::cos(light),
           std::sin(light), canvas);
  const uint32_t marks = rng.Below(4);
  for (uint32_t i = 0; i < marks; ++i) {
    const float a = rng.Uniform(0, 6.2832f), far = 0.4f * size * std::sqrt(rng.Uniform()),
                part = size * rng.Uniform(0.03f, 0.14f);
    DrawBlob(x + far * std::cos(a), y + far * std::sin(a), part * rng.Uniform(0.4f, 2.5f), part,
             rng.Uniform(0, 3.1416f), DrawColour(rng, 0.005f, 0.5f, 0.6f), 0, 0, canvas);
  }
}

// Leaves, petals, gravel, a crowd of small things.
void DrawLeaves(Rng& rng, float x, float y, float size, Canvas* canvas) {
  const Colour colour = DrawColour(rng, 0.02f, 0.5f, 0.9f);
  const float part = size * rng.Uniform(0.04f, 0.12f), slim = rng.Uniform(0.25f, 1),
              light = rng.Uniform(0, 6.2832f);
  const uint32_t count = 30 + rng.Below(90);
  for (uint32_t i = 0; i < count; ++i) {
    const float a = rng.Uniform(0, 6.2832f), far = 0.5f * size * std::sqrt(rng.Uniform()),
                half = part * rng.Uniform(0.5f, 1.5f);
    DrawBlob(x + far * std::cos(a), y + far * std::sin(a), half, half * slim,
             rng.Uniform(0, 3.1416f), Scale(colour, rng.Uniform(0.2f, 1.6f)), std::cos(light),
             std::sin(light), canvas);
  }
}

// Rows of letter-like strokes on paper, a sign or a screen.
void DrawText(Rng& rng, float x, float y, float size, Canvas* canvas) {
  const Colour paper = DrawColour(rng, 0.01f, 0.9f, 0.5f),
               ink = DrawColour(rng, 0.005f, 0.9f, 0.6f);
  const float angle = rng.Uniform() < 0.6f ? 0 : rng.Uniform(-0.6f, 0.6f);
  const float rows = rng.Uniform(1, 9), wide = rng.Uniform(2, 3.5f) * rows;
  const uint32_t grain = rng.Next();
  Within(*canvas, x, y, 0.6f * size, size * rng.Uniform(0.15f, 0.6f), angle,
         [&](int px, int py, float u, float v) {
           const float row = 0.5f * (v + 1) * rows, column = 0.5f * (u + 1) * wide;
           const bool line = row - std::floor(row) > 0.3f && column - std::floor(column) > 0.2f;
           const float n = Noise(2.1f * column, 2.7f * row, std::floor(row), grain);
           canvas->light[canvas->At(px, py)] = line && n > -0.05f ? ink : paper;
         });
}

// Folded cloth, curtains, bark.
void DrawFolds(Rng& rng, float x, float y, float size, Canvas* canvas) {
  const Colour colour =
      rng.Uniform() < 0.3f ? DrawSkinColour(rng) : DrawColour(rng, 0.02f, 0.7f, 0.8f);
  const uint32_t grain = rng.Next();
  const float many = rng.Uniform(2, 9), bend = rng.Uniform(0.3f, 2);
  Within(*canvas, x, y, 0.5f * size, size * rng.Uniform(0.3f, 0.9f), rng.Uniform(0, 3.1416f),
         [&](int px, int py, float u, float v) {
           const float n = Fractal(bend * u, bend * v, 0.7f, 3, grain);
           const float lit = 0.6f + 0.4f * std::sin(many * (u + 1.5f * n));
           canvas->light[canvas->At(px, py)] = Scale(colour, std::max(0.05f, lit));
         });
}

// Tiles, windows, keys, shelves: a grid whose fields differ.
void DrawFields(Rng& rng, float x, float y, float size, Canvas* canvas) {
  const Colour wall = DrawColour(rng, 0.01f, 0.8f, 0.6f),
               field = DrawColour(rng, 0.005f, 0.8f, 0.6f);
  const float across = rng.Uniform(1.5f, 7), down = rng.Uniform(1.5f, 7),
              rim = rng.Uniform(0.08f, 0.45f), vary = rng.Uniform(0, 0.8f);
  const bool round = rng.Uniform() < 0.35f;
  const uint32_t grain = rng.Next();
  Within(
      *canvas, x, y, 0.5f * size, size * rng.Uniform(0.2f, 0.6f),
      rng.Uniform() < 0.5f ? 0 : rng.Uniform(-0.8f, 0.8f), [&](int px, int py, float u, float v) {
        const float a = 0.5f * (u + 1) * across, b = 0.5f * (v + 1) * down;
        const float ca = 2 * (a - std::floor(a)) - 1, cb = 2 * (b - std::floor(b)) - 1;
        const float d = round ? std::sqrt(ca * ca + cb * cb) : std::max(std::abs(ca), std::abs(cb));
        const float n = Noise(3.7f * std::floor(a), 3.7f * std::floor(b), 0.5f, grain);
        canvas->light[canvas->At(px, py)] =
            d < 1 - rim ? Scale(field, std::max(0.05f, 1 + vary * n)) : wall;
      });
}

}  // namespace

void DrawDecoy(Rng& rng, float x, float y, float size, Canvas* canvas) {
  switch (rng.Below(5)) {
    case 0:
      return DrawBall(rng, x, y, size, canvas);
    case 1:
      return DrawLeaves(rng, x, y, size, canvas);
    case 2:
      return DrawText(rng, x, y, size, canvas);
    case 3:
      return DrawFolds(rng, x, y, size, canvas);
    default:
      return DrawFields(rng, x, y, size, canvas);
  }
}

}  // namespace daf::head
