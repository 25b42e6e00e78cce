#include "native/head/synth/faces/props.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "native/head/synth/faces/strokes.h"
#include "native/head/synth/noise.h"

namespace daf::head {
namespace {

template <typename Paint>
void Fill(const std::vector<Point>& outline, const Canvas& canvas, Paint paint) {
  float low = 1e9f, high = -1e9f;
  for (const Point& p : outline) low = std::min(low, p.y), high = std::max(high, p.y);
  const int top = std::max(0, static_cast<int>(low)),
            bottom = std::min(canvas.height - 1, static_cast<int>(high));
  std::vector<float> crossings;
  for (int y = top; y <= bottom; ++y) {
    crossings.clear();
    const float at = static_cast<float>(y) + 0.5f;
    for (size_t i = 0; i < outline.size(); ++i) {
      const Point &a = outline[i], &b = outline[(i + 1) % outline.size()];
      if ((a.y > at) != (b.y > at))
        crossings.push_back(a.x + (b.x - a.x) * (at - a.y) / (b.y - a.y));
    }
    std::sort(crossings.begin(), crossings.end());
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
      const int left = std::max(0, static_cast<int>(std::lround(crossings[i]))),
                right =
                    std::min(canvas.width - 1, static_cast<int>(std::lround(crossings[i + 1])) - 1);
      for (int x = left; x <= right; ++x) paint(x, y);
    }
  }
}

std::vector<Point> Hull(std::vector<Point> points) {
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return a.x < b.x || (a.x == b.x && a.y < b.y); });
  std::vector<Point> hull;
  for (int pass = 0; pass < 2; ++pass) {
    const size_t start = hull.size();
    for (const Point& p : points) {
      while (hull.size() >= start + 2) {
        const Point &a = hull[hull.size() - 2], &b = hull.back();
        if ((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) > 0) break;
        hull.pop_back();
      }
      hull.push_back(p);
    }
    hull.pop_back();
    std::reverse(points.begin(), points.end());
  }
  return hull;
}

}  // namespace

Colour DrawSkinColour(Rng& rng) {
  const float m = rng.Uniform(0.1f, 1.6f);
  return {0.70f * std::exp(-m), 0.46f * std::exp(-1.2f * m), 0.36f * std::exp(-1.4f * m)};
}

void DrawGlasses(Rng& rng, const Sitter& s, Canvas* canvas) {
  const HeadModel& m = *s.figure->model;
  auto mark = [&](int k) { return &s.positions[3 * size_t{m.landmarks[k]}]; };
  const float per_cm = s.camera.focal / std::max(1.0f, -s.camera.translation[2]);
  const float half_w = rng.Uniform(2.1f, 3.0f), half_h = half_w * rng.Uniform(0.55f, 1.0f),
              power = rng.Uniform(2, 5), drop = rng.Uniform(-0.2f, 0.7f);
  const float thick = std::max(0.6f, rng.Uniform(0.06f, 0.35f) * per_cm);
  const Colour frame = rng.Uniform() < 0.6f ? DrawColour(rng, 0.005f, 0.06f, 0.5f)
                                            : DrawColour(rng, 0.05f, 0.6f, 0.6f);
  const bool dark = rng.Uniform() < 0.3f;
  const float tint = dark ? rng.Uniform(0.6f, 1.0f) : rng.Uniform(0, 0.12f);
  const Colour lens = dark ? DrawColour(rng, 0.003f, 0.05f, 0.6f) : Colour{0.8f, 0.85f, 0.9f};
  const float glare = rng.Uniform() < 0.3f ? rng.Uniform(0.1f, 0.7f) : 0;
  const float* bridge = mark(27);
  float middle[2][3];
  for (int side = 0; side < 2; ++side) {
    for (size_t i = 0; i < 3; ++i) {
      middle[side][i] = 0;
      for (int k = 0; k < 6; ++k) middle[side][i] += mark(36 + 6 * side + k)[i] / 6;
    }
  }
  const float front = std::max(bridge[2] + 0.5f, middle[0][2] + 1.4f);
  Point inner[2], outer[2];
  for (int side = 0; side < 2; ++side) {
    const float sign = side == 0 ? -1 : 1;
    std::vector<Point> outline;
    for (int k = 0; k < 28; ++k) {
      const float a = 6.2832f * static_cast<float>(k) / 28, c = std::cos(a), n = std::sin(a);
      const float u = std::copysign(std::pow(std::abs(c), 2 / power), c) * half_w,
                  v = std::copysign(std::pow(std::abs(n), 2 / power), n) * half_h;
      // Frames bend back towards the temples.
      outline.push_back(See(s, middle[side][0] + sign * 0.25f + u, middle[side][1] - drop + v,
                            front - 0.10f * std::max(0.0f, sign * u)));
    }
    const float depth = outline[0].depth;
    Fill(outline, *canvas, [&](int x, int y) {
      const size_t at = canvas->At(x, y);
      if (canvas->depth[at] < depth - 0.6f) return;
      const bool shines = std::fmod(std::abs(static_cast<float>(x) + 0.7f * static_cast<float>(y)),
                                    1.6f * half_w * per_cm) < 0.5f * half_w * per_cm;
      canvas->light[at] =
          Blend(Blend(canvas->light[at], lens, tint), {0.9f, 0.93f, 1}, shines ? glare : 0);
    });
    for (size_t k = 0; k < outline.size(); ++k)
      Stroke(outline[k], outline[(k + 1) % outline.size()], thick, frame, 0.4f, canvas);
    outer[side] = See(s, middle[side][0] + sign * (0.25f + half_w),
                      middle[side][1] - drop + 0.4f * half_h, front - 0.1f * half_w);
    inner[side] = See(s, middle[side][0] + sign * 0.25f - sign * half_w,
                      middle[side][1] - drop + 0.2f * half_h, front);
    const float* jaw = mark(side == 0 ? 0 : 16);
    const Point ear = See(s, jaw[0] + sign * 0.6f, std::max(jaw[1], bridge[1] - 1), jaw[2] - 1);
    Stroke(outer[side], ear, thick, frame, 0.4f, canvas);
  }
  Stroke(inner[0], inner[1], thick, frame, 0.4f, canvas);
}

void DrawHat(Rng& rng, const Sitter& s, Canvas* canvas) {
  const HeadModel& m = *s.figure->model;
  const float* brow = &s.positions[3 * size_t{m.landmarks[19]}];
  const float* ear = &s.positions[3 * size_t{m.landmarks[0]}];
  const float low = brow[1] + rng.Uniform(0.9f, 3.2f), back = rng.Uniform(-1.5f, 0.2f);
  const float wide = std::abs(ear[0]) + rng.Uniform(0.9f, 1.6f), mid = ear[2] - 0.5f,
              deep = brow[2] - mid + rng.Uniform(0.6f, 1.4f), high = rng.Uniform(6, 11);
  const float brim = rng.Uniform() < 0.5f ? rng.Uniform(2, 7) : 0;
  const bool round_brim = rng.Uniform() < 0.4f;
  const Colour cloth = DrawColour(rng, 0.008f, 0.6f, 0.8f);
  const uint32_t grain = rng.Next();
  const float stripes = rng.Uniform() < 0.3f ? rng.Uniform(0.1f, 0.5f) : 0;
  std::vector<Point> dome, edge;
  for (int ring = 0; ring < 5; ++ring) {
    const float t = static_cast<float>(ring) / 4, r = std::sqrt(std::max(0.0f, 1 - t * t * 0.96f));
    for (int k = 0; k < 24; ++k) {
      const float a = 6.2832f * static_cast<float>(k) / 24;
      const float z = std::cos(a);
      dome.push_back(
          See(s, wide * r * std::sin(a), low + back * (1 - z) + high * t, mid + deep * r * z));
      if (ring > 0 || brim == 0) continue;
      const float reach = round_brim ? brim : brim * std::max(0.0f, z) * std::max(0.0f, z);
      edge.push_back(See(s, (wide + (round_brim ? brim : 0)) * std::sin(a),
                         low + back * (1 - z) - 0.1f * reach, mid + (deep + reach) * z));
    }
  }
  const std::vector<Point> shape = Hull(dome);
  const float top =
      std::min_element(shape.begin(), shape.end(), [](const Point& a, const Point& b) {
        return a.y < b.y;
      })->y;
  const float per_cm = s.camera.focal / std::max(1.0f, -s.camera.translation[2]);
  auto weave = [&](int x, int y, float shade) {
    const float n = Noise(0.9f * x / per_cm, 0.9f * y / per_cm, 0, grain) +
                    (stripes > 0 ? stripes * std::sin(3.0f * y / per_cm) : 0);
    return Scale(cloth, shade * (1 + 0.25f * n));
  };
  Fill(shape, *canvas, [&](int x, int y) {
    const float t = (static_cast<float>(y) - top) / std::max(1.0f, high * per_cm);
    canvas->light[canvas->At(x, y)] = weave(x, y, 1.1f - 0.35f * t);
  });
  if (edge.empty()) return;
  Fill(Hull(edge), *canvas, [&](int x, int y) {
    const size_t at = canvas->At(x, y);
    // A round brim's back half is behind the head.
    if (canvas->depth[at] < edge[0].depth - 2) return;
    canvas->light[at] = weave(x, y, 0.7f);
  });
}

void DrawHand(Rng& rng, float x, float y, float size, Canvas* canvas) {
  const Colour skin =
      rng.Uniform() < 0.85f ? DrawSkinColour(rng) : DrawColour(rng, 0.02f, 0.6f, 0.6f);
  const float angle = rng.Uniform(0, 6.2832f), light = rng.Uniform(0, 6.2832f);
  const uint32_t grain = rng.Next();
  auto capsule = [&](float x0, float y0, float x1, float y1, float r0, float r1) {
    const float dx = x1 - x0, dy = y1 - y0, length2 = std::max(1e-3f, dx * dx + dy * dy);
    const float reach = std::max(r0, r1);
    const int left = std::max(0, static_cast<int>(std::min(x0, x1) - reach)),
              right = std::min(canvas->width - 1, static_cast<int>(std::max(x0, x1) + reach));
    const int top = std::max(0, static_cast<int>(std::min(y0, y1) - reach)),
              bottom = std::min(canvas->height - 1, static_cast<int>(std::max(y0, y1) + reach));
    for (int py = top; py <= bottom; ++py) {
      for (int px = left; px <= right; ++px) {
        const float ux = static_cast<float>(px) - x0, uy = static_cast<float>(py) - y0;
        const float t = std::clamp((ux * dx + uy * dy) / length2, 0.0f, 1.0f);
        const float nx = ux - t * dx, ny = uy - t * dy, r = r0 + t * (r1 - r0);
        const float d = std::sqrt(nx * nx + ny * ny) / r;
        if (d > 1) continue;
        const float lit = 0.75f + 0.45f * (nx * std::cos(light) + ny * std::sin(light)) / r -
                          0.35f * Ramp(0.75f, 1.0f, d) +
                          0.08f * Noise(px * 0.15f, py * 0.15f, 0, grain);
        canvas->light[canvas->At(px, py)] = Scale(skin, std::max(0.1f, lit));
      }
    }
  };
  const float c = std::cos(angle), s = std::sin(angle), spread = rng.Uniform(0.02f, 0.25f);
  const float palm_x = x + 0.62f * size * c, palm_y = y + 0.62f * size * s;
  capsule(palm_x, palm_y, palm_x + 1.3f * size * c, palm_y + 1.3f * size * s, 0.26f * size,
          0.22f * size);
  const uint32_t fingers = 2 + rng.Below(4);
  for (uint32_t k = 0; k < fingers; ++k) {
    const float off = static_cast<float>(k) - 0.5f * static_cast<float>(fingers - 1);
    const float a = angle + spread * off, reach = rng.Uniform(0.5f, 0.68f) * size;
    const float bx = palm_x - 0.14f * size * off * s - 0.1f * size * c,
                by = palm_y + 0.14f * size * off * c - 0.1f * size * s;
    capsule(bx, by, bx - reach * std::cos(a), by - reach * std::sin(a), 0.085f * size,
            0.065f * size);
  }
}

void DrawThing(Rng& rng, float x, float y, float size, Canvas* canvas) {
  const Colour colour = DrawColour(rng, 0.005f, 0.8f, 0.8f);
  const float angle = rng.Uniform(0, 6.2832f), c = std::cos(angle), s = std::sin(angle);
  const float half_x = size * rng.Uniform(0.3f, 0.6f),
              half_y = size * (rng.Uniform() < 0.4f ? 3 : rng.Uniform(0.2f, 0.6f));
  const bool round = rng.Uniform() < 0.5f;
  const float shade = rng.Uniform(-0.5f, 0.5f);
  const uint32_t grain = rng.Next();
  const float reach = std::sqrt(half_x * half_x + half_y * half_y);
  for (int py = std::max(0, static_cast<int>(y - reach));
       py <= std::min(canvas->height - 1, static_cast<int>(y + reach)); ++py) {
    for (int px = std::max(0, static_cast<int>(x - reach));
         px <= std::min(canvas->width - 1, static_cast<int>(x + reach)); ++px) {
      const float dx = static_cast<float>(px) - x, dy = static_cast<float>(py) - y;
      const float u = (c * dx + s * dy) / half_x, v = (-s * dx + c * dy) / half_y;
      if ((round ? u * u + v * v : std::max(std::abs(u), std::abs(v))) > 1) continue;
      canvas->light[canvas->At(px, py)] =
          Scale(colour, 1 + shade * u + 0.2f * Noise(px * 0.1f, py * 0.1f, 0, grain));
    }
  }
}

}  // namespace daf::head
