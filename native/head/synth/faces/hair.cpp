#include <algorithm>
#include <array>
#include <cmath>

#include "native/head/synth/faces/props.h"
#include "native/head/synth/faces/strokes.h"
#include "native/head/synth/noise.h"

namespace daf::head {
namespace {

using Vec = std::array<float, 3>;

// Light on a strand that lies on a surface with this normal, head space.
float LightOn(const Sitter& s, const LightRig& rig, const Vec& n) {
  const float* r = s.camera.rotation;
  float facing[3], key = 0;
  for (int i = 0; i < 3; ++i) {
    facing[i] = r[3 * i] * n[0] + r[3 * i + 1] * n[1] + r[3 * i + 2] * n[2];
    key += facing[i] * rig.key[i];
  }
  return 0.7f * rig.Sky(facing).g + rig.key_colour.g * std::max(0.0f, 0.2f + 0.8f * key);
}

struct Lock {
  float radius;  // samples
  Colour colour;
};

// One lock through points of head space; its light changes along it.
template <size_t N>
void DrawLock(const Sitter& s, const LightRig& rig, const std::array<Vec, N>& path,
              const std::array<Vec, N>& normals, const Lock& lock, Canvas* canvas) {
  Point before = See(s, path[0][0], path[0][1], path[0][2]);
  for (size_t k = 1; k < N; ++k) {
    const Point here = See(s, path[k][0], path[k][1], path[k][2]);
    if (before.depth > 0 && here.depth > 0) {
      const float thin = lock.radius * (1 - 0.6f * static_cast<float>(k) / N);
      Stroke(before, here, thin, Scale(lock.colour, LightOn(s, rig, normals[k])), 0.2f, canvas);
    }
    before = here;
  }
}

Colour StrandColour(Rng& rng, const Sitter& s, Colour base) {
  const float level = rng.Uniform(0.5f, 1.5f);
  return {base.r * level * s.hair_tint.r, base.g * level * s.hair_tint.g,
          base.b * level * s.hair_tint.b};
}

Colour HairColour(const Sitter& s) {
  const float* h = s.skin->looks.hair;
  return {h[0], h[1], h[2]};
}

float SamplesPerCm(const Sitter& s) {
  return s.camera.focal / std::max(1.0f, -s.camera.translation[2]);
}

}  // namespace

void DrawHair(Rng& rng, const Sitter& s, const LightRig& rig, Canvas* canvas) {
  constexpr size_t kKnots = 10;
  const HeadModel& m = *s.figure->model;
  const float* brow = &s.positions[3 * size_t{m.landmarks[19]}];
  const float* ear = &s.positions[3 * size_t{m.landmarks[0]}];
  const float per_cm = SamplesPerCm(s), side = std::abs(ear[0]) + 0.4f;
  const float top = brow[1] + rng.Uniform(9.0f, 10.5f), mid = ear[2] - 0.5f,
              deep = brow[2] - mid + 0.3f;
  // Seen from above hair leaves open this much to each side of the nose.
  const float opening = rng.Uniform(0.8f, 1.7f), volume = rng.Uniform(0.1f, 2.2f);
  const float length = std::pow(rng.Uniform(), 1.5f) * 26, curl = rng.Uniform(0, 0.9f),
              waves = rng.Uniform(0.2f, 1.2f);
  const bool fringe = rng.Uniform() < 0.45f;
  const float fringe_end = brow[1] + rng.Uniform(-1.2f, 4.0f), parting = rng.Uniform(-4, 4);
  const Colour base = rng.Uniform() < 0.85f ? HairColour(s) : DrawColour(rng, 0.005f, 0.45f, 0.6f);
  const float thickness = std::max(0.7f, rng.Uniform(0.18f, 0.5f) * per_cm);
  const uint32_t locks = 150 + rng.Below(130);
  for (uint32_t i = 0; i < locks; ++i) {
    std::array<Vec, kKnots> path, normals;
    const bool front = fringe && i % 3 == 0;
    const float turn =
        front ? rng.Uniform(-0.9f, 0.9f) : opening + (6.2832f - 2 * opening) * rng.Uniform();
    const float phase = rng.Uniform(0, 6.2832f), lift = volume * rng.Uniform(0.4f, 1),
                own = length * rng.Uniform(0.6f, 1);
    for (size_t k = 0; k < kKnots; ++k) {
      const float t = static_cast<float>(k) / (kKnots - 1);
      const float wave = curl * std::sin(phase + waves * 9 * t);
      const Vec n = {std::sin(turn), 0.3f, std::cos(turn)};
      if (front) {
        // From the parting forward and down over the forehead.
        const float down = t * t, x = side * 0.85f * std::sin(turn);
        path[k] = {parting + (x - parting) * std::sqrt(t) + wave * t,
                   top + lift - (top - fringe_end) * down,
                   mid + (deep + 0.5f + 0.4f * lift) * std::sqrt(t) * std::cos(0.5f * turn)};
        normals[k] = {n[0] * t, 1 - t, n[2] * t};
        continue;
      }
      // Over the skull to the height of the ears, then hanging.
      const float reach = (top - ear[1]) + own, y = top + 0.5f * lift - reach * t;
      const float over = std::clamp((y - ear[1]) / (top - ear[1]), 0.0f, 1.0f);
      const float r = std::sqrt(std::max(0.02f, 1 - over * over));
      path[k] = {(side + lift) * r * n[0] + wave, y, mid + (deep + lift) * r * n[2] + 0.5f * wave};
      normals[k] = {n[0] * r, over, n[2] * r};
    }
    DrawLock(s, rig, path, normals,
             {thickness * rng.Uniform(0.6f, 1.4f), StrandColour(rng, s, base)}, canvas);
  }
}

void DrawBeard(Rng& rng, const Sitter& s, const LightRig& rig, Canvas* canvas) {
  const HeadModel& m = *s.figure->model;
  auto mark = [&](int k) { return &s.positions[3 * size_t{m.landmarks[k]}]; };
  const float per_cm = SamplesPerCm(s);
  const bool chin = rng.Uniform() < 0.8f, moustache = !chin || rng.Uniform() < 0.7f;
  const float length = 0.4f + 5 * std::pow(rng.Uniform(), 2.0f), reach = rng.Uniform(0.25f, 0.6f);
  const int first = rng.Uniform() < 0.7f ? 2 : 6;
  Colour base = HairColour(s);
  if (rng.Uniform() < 0.2f) base = DrawColour(rng, 0.01f, 0.5f, 0.15f);
  const float radius = std::max(0.6f, rng.Uniform(0.08f, 0.2f) * per_cm);
  const uint32_t count = 350;
  for (uint32_t i = 0; i < count; ++i) {
    const bool upper = moustache && (!chin || i % 3 == 0);
    Vec root;
    if (upper) {
      // Between the nose's base and the upper lip, out to the corners of the mouth.
      const float across = rng.Uniform(-1, 1), down = rng.Uniform(0.25f, 0.85f);
      const float *nose = mark(33), *lip = mark(51), *corner = mark(across < 0 ? 48 : 54);
      for (size_t c = 0; c < 3; ++c)
        root[c] = (nose[c] + down * (lip[c] - nose[c])) +
                  std::abs(across) * std::abs(across) * (corner[c] - lip[c]);
    } else {
      // Between the jaw and a line from the mouth's corners to below the lower lip.
      const float along = rng.Uniform(static_cast<float>(first), static_cast<float>(16 - first));
      const int k = std::min(15, static_cast<int>(along));
      const float share = along - static_cast<float>(k), up = reach * std::pow(rng.Uniform(), 0.7f);
      const float *a = mark(k), *b = mark(k + 1);
      const float* inner = mark(along < 6.5f ? 48 : along > 9.5f ? 54 : 57);
      for (size_t c = 0; c < 3; ++c) {
        const float jaw = a[c] + share * (b[c] - a[c]);
        root[c] = jaw + up * (inner[c] - jaw);
      }
    }
    const float x = root[0] / 7, own = (upper ? 0.9f : length) * rng.Uniform(0.5f, 1);
    const float out = std::sqrt(std::max(0.05f, 1 - x * x));
    const Vec n = {x, 0, out};
    const std::array<Vec, 3> path = {
        Vec{root[0] + 0.25f * n[0], root[1], root[2] + 0.25f * n[2]},
        Vec{root[0] + (0.25f + 0.35f * own) * n[0], root[1] - 0.4f * own,
            root[2] + (0.25f + 0.3f * own) * n[2]},
        Vec{root[0] + (0.3f + 0.35f * own) * n[0], root[1] - own,
            root[2] + (0.25f + 0.15f * own) * n[2]}};
    const std::array<Vec, 3> normals = {n, n, Vec{n[0], -0.3f, n[2]}};
    DrawLock(s, rig, path, normals, {radius, StrandColour(rng, s, base)}, canvas);
  }
}

}  // namespace daf::head
