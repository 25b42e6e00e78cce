#include "native/head/synth/paint.h"

#include <algorithm>

#include "native/base/rng.h"
#include "native/head/model/parts.h"
#include "native/head/synth/noise.h"

namespace daf::head {
namespace {

constexpr float kPi = 3.14159265f;

float Bell(const Place& p, float x, float y, float z, float sx, float sy, float sz) {
  const float dx = (std::abs(p.x) - x) / sx, dy = (p.y - y) / sy, dz = (p.z - z) / sz;
  return std::exp(-0.5f * (dx * dx + dy * dy + dz * dz));
}

// Share of a patch's rectangle: 1 on its border, 0 in the middle.
float Share(const Place& p, const float rectangle[4]) {
  return std::max(std::abs(p.u - rectangle[0]) / rectangle[2],
                  std::abs(p.v - rectangle[1]) / rectangle[3]);
}

}  // namespace

Painter::Painter(const HeadModel& model, const HeadMarks& marks, const Looks& looks)
    : marks_(marks), looks_(looks) {
  Rng rng(looks.grain, 3);
  while (static_cast<int>(moles_.size()) < looks.moles) {
    const size_t v = rng.Below(model.position_count);
    const float *p = &model.mean[3 * v], y = p[1], z = p[2];
    const float radius = rng.Uniform(0.05f, 0.12f), strength = rng.Uniform(0.5f, 1.4f);
    if (z > -5 && z < 3.2f && y > -14 && y < 6 && std::abs(y) > 1.3f)
      moles_.push_back({p[0], y, z, radius, strength});
  }
  if (looks.marks) {
    // On the skin nearest to the middle of the left cheek.
    size_t best = 0;
    float nearest = 1e9f;
    for (size_t v = 0; v < model.position_count; ++v) {
      const float *p = &model.mean[3 * v], dx = p[0] - 4.0f, dy = p[1] + 4.7f, dz = p[2] - 0.5f;
      const float d = dx * dx + dy * dy + dz * dz;
      if (d < nearest) nearest = d, best = v;
    }
    moles_.push_back(
        {model.mean[3 * best], model.mean[3 * best + 1], model.mean[3 * best + 2], 0.34f, 4.0f});
  }
}

Colour Painter::Pigment(float m, float h) const {
  return {0.72f * std::exp(-m - 0.12f * h), 0.62f * std::exp(-1.22f * m - 0.76f * h),
          0.52f * std::exp(-1.46f * m - 0.62f * h)};
}

Colour Painter::HairColour(float strand) const {
  const Colour hair = {looks_.hair[0], looks_.hair[1], looks_.hair[2]};
  const float grey = Ramp(1.1f - looks_.grey, 1.3f - looks_.grey, 0.5f + 0.5f * strand + 0.3f);
  return Scale(Blend(hair, {0.38f, 0.37f, 0.36f}, grey * std::min(1.0f, 2 * looks_.grey)),
               0.75f + 0.45f * strand);
}

float Painter::Brow(const Place& p) const {
  const float x = std::abs(p.x);
  if (p.y < 0.9f || p.y > 3.3f || x < 0.5f || x > 5.3f || p.z < -2) return 0;
  constexpr float line[6][3] = {{0.75f, 1.66f, 0.24f}, {1.25f, 1.88f, 0.31f},
                                {1.95f, 2.10f, 0.29f}, {2.85f, 2.26f, 0.24f},
                                {3.8f, 2.14f, 0.17f},  {4.85f, 1.62f, 0.07f}};
  size_t i = 0;
  while (i < 4 && x > line[i + 1][0]) ++i;
  const float t = std::clamp((x - line[i][0]) / (line[i + 1][0] - line[i][0]), -0.3f, 1.15f);
  const float middle = line[i][1] + t * (line[i + 1][1] - line[i][1]),
              half = line[i][2] + t * (line[i + 1][2] - line[i][2]);
  const float d = (p.y - middle) / std::max(0.03f, half * looks_.brow_width);
  const float along = (x - 0.75f) / 4.1f;
  const float ends = Ramp(-0.02f, 0.10f, along) * Ramp(1.04f, 0.9f, along);
  // Hairs rise at the inner end and lie down towards the tail.
  const float turn = 1.15f - 1.25f * along, c = std::cos(turn), s = std::sin(turn);
  const float hair = Noise((-s * x + c * p.y) * 15, (c * x + s * p.y) * 2.6f, p.x > 0 ? 7.3f : 1.1f,
                           looks_.grain + 5);
  const float profile = std::exp(-d * d * 0.9f) * ends;
  return std::clamp(
      looks_.brow_density * 1.45f * profile + 0.65f * hair * std::sqrt(profile) - 0.22f, 0.0f,
      0.95f);
}

float Painter::Beard(const Place& p) const {
  if (looks_.stubble <= 0) return 0;
  const float x = std::abs(p.x);
  const float lip = Ramp(-4.95f, -5.4f, p.y) * Ramp(3.0f, 2.2f, x);
  const float edge = -6.5f + 0.95f * (x - 2.8f);
  const float cheek = Ramp(edge + 0.5f, edge - 0.6f, p.y) * Ramp(7.2f, 6.3f, x);
  const float where = std::max(lip, cheek) * Ramp(-13.2f, -11.8f, p.y) * Ramp(-8.0f, -6.4f, p.z);
  const float speckle = 0.55f + 0.45f * Noise(p.x * 26, p.y * 26, p.z * 26, looks_.grain + 9);
  return where * looks_.stubble * (0.35f + 0.65f * speckle) *
         (0.8f + 0.3f * Noise(p.x, p.y, p.z, looks_.grain + 11));
}

// Seen from the subject's left front: upright stroke on the viewer's left, foot to the viewer's
// right.
bool Painter::LetterL(const Place& p) const {
  const float s = std::atan2(p.x, p.z + 9.2f) * 5.2f - 2.6f, t = p.y + 14.1f;
  return s > 0 && t > 0 && s < 1.7f && t < 2.3f && (s < 0.45f || t < 0.45f);
}

Colour Painter::Skin(const Place& p) const {
  const uint32_t g = looks_.grain;
  const float broad = Fractal(0.45f * p.x, 0.45f * p.y, 0.45f * p.z, 3, g),
              fine = Fractal(3 * p.x, 3 * p.y, 3 * p.z, 3, g + 1);
  const float pores = Noise(17 * p.x, 17 * p.y, 17 * p.z, g + 2);
  const float lids = Bell(p, 3.1f, 0.1f, 1, 1.5f, 0.9f, 1.5f);
  float blood =
      looks_.blood *
      (1 + 0.42f * Bell(p, 3.9f, -3.2f, 0.6f, 1.5f, 1.2f, 2) +
       0.34f * Bell(p, 0, -3.9f, 3.8f, 1.0f, 0.8f, 1.3f) +
       0.40f * Ramp(6.7f, 7.5f, std::abs(p.x)) * Ramp(-6.5f, -8, p.z) * Ramp(3, 1.5f, p.y) +
       0.15f * Bell(p, 0, -10, 2, 1.3f, 1, 1.2f) + 0.22f * lids + 0.16f * broad + 0.14f * fine);
  float melanin = looks_.melanin *
                      (1 + 0.13f * broad + 0.07f * fine + 0.05f * pores + 0.10f * Ramp(3, 6, p.y)) +
                  (0.05f + 0.07f * looks_.age) * lids +
                  0.12f * Bell(p, 2.6f, -1.0f, 1.1f, 1.1f, 0.35f, 1.2f) * (0.5f + looks_.age) +
                  0.025f * pores;
  // Age spots and unevenness.
  melanin += looks_.age * 0.15f *
             Ramp(0.30f, 0.55f, Fractal(1.3f * p.x, 1.3f * p.y, 1.3f * p.z, 2, g + 3));
  if (looks_.freckles > 0) {
    const float face = Bell(p, 2.2f, -2.4f, 1.5f, 2.6f, 2.2f, 3.0f);
    melanin += looks_.freckles * face * 0.55f *
               Ramp(0.34f, 0.62f, Noise(5.2f * p.x, 5.2f * p.y, 5.2f * p.z, g + 4));
  }
  for (const Spot& mole : moles_) {
    const float dx = p.x - mole.x, dy = p.y - mole.y, dz = p.z - mole.z;
    melanin +=
        mole.strength * Ramp(1.25f, 0.75f, std::sqrt(dx * dx + dy * dy + dz * dz) / mole.radius);
  }
  Colour c = Pigment(melanin, blood);

  const float mouth = Share(p, marks_.mouth);
  if (mouth < 0.7f) {
    const float lip = Ramp(marks_.lip_border + 0.04f, marks_.lip_border - 0.07f, mouth);
    const float lines = 0.10f * Noise(9 * p.x, 1.5f * p.y, 0, g + 6);
    Colour natural = Pigment(0.75f * melanin + 0.10f, blood + 0.58f + lines);
    natural = Blend(natural, {0.36f + 0.2f * lines, 0.035f, 0.05f}, 0.75f * looks_.lip_colour);
    // The lips darken towards the line where they meet.
    c = Blend(
        c,
        Scale(natural, 0.45f + 0.55f * Ramp(marks_.lip_contact, marks_.lip_contact + 0.10f, mouth)),
        lip);
  }
  const float beard = Beard(p);
  if (beard > 0)
    c = Blend(c, Blend(Scale(c, 0.45f), HairColour(0), 0.6f),
              0.62f * beard * Ramp(0.5f, 0.62f, mouth));
  const float brow = Brow(p);
  if (brow > 0) c = Blend(c, Scale(HairColour(0), 0.75f), brow);
  // Hair seen through to the scalp.
  if (p.hair > 0) {
    const float cover[] = {0.92f, 0.95f, 0.10f, 0.85f, 0.95f, 0.82f};
    const float edge = Ramp(0.05f, 0.75f, p.hair + 0.16f * Noise(6 * p.x, 6 * p.y, 6 * p.z, g + 8));
    float scalp = cover[static_cast<int>(looks_.style)] * edge;
    if (looks_.style == HairStyle::kReceding)
      scalp *= 1 - Ramp(-8.0f, -4.0f, p.z) * Ramp(3.5f, 6, p.y);
    c = Blend(c, HairColour(0.4f * Noise(12 * p.x, 12 * p.y, 12 * p.z, g + 7)), scalp);
  }
  for (int side : {0, 1}) {
    const float eye = Share(p, marks_.eye[side]);
    if (eye > 0.5f) continue;
    const bool upper = p.v < marks_.eye[side][1];
    const float edge = marks_.lid_edge;
    const float lash =
        Ramp(edge + (upper ? 0.065f : 0.05f), edge + 0.01f, eye) * (upper ? 0.9f : 0.32f);
    c = Blend(c, Scale(HairColour(0), 0.4f), lash * Ramp(edge - 0.025f, edge - 0.005f, eye));
    c = Blend(c, Pigment(0.6f * looks_.melanin, looks_.blood + 0.55f),
              Ramp(edge, edge - 0.03f, eye));
  }
  if (looks_.marks && LetterL(p)) c = {0.012f, 0.018f, 0.06f};
  return c;
}

Colour Painter::MouthLining(const Place& p) const {
  const float deep = Ramp(0.2f, 0.06f, Share(p, marks_.mouth));
  return Blend({0.34f, 0.09f, 0.08f}, {0.10f, 0.02f, 0.018f}, deep);
}

Colour Painter::Socket(const Place&) const { return {0.46f, 0.17f, 0.14f}; }

Colour Painter::Eye(const Place& p, int side) const {
  const float cx = side == 0 ? -3.15f : 3.15f, dx = p.x - cx;
  const float angle =
      std::acos(std::clamp(p.z / std::sqrt(dx * dx + p.y * p.y + p.z * p.z), -1.0f, 1.0f));
  const float azimuth = std::atan2(p.y, dx), r = angle / static_cast<float>(kIrisAngle);
  const float veins = Ramp(0.25f, 0.6f, Noise(3 * azimuth, 5 * angle, cx, looks_.grain + 20));
  Colour white = Blend({0.56f, 0.53f, 0.50f}, {0.52f, 0.31f, 0.27f},
                       0.30f * veins * Ramp(1.0f, 2.0f, r) + 0.25f * Ramp(1.5f, 2.4f, r));
  white = Scale(white, 1 - 0.12f * looks_.age);
  const float fibre = 0.5f + 0.5f * Noise(13 * std::cos(azimuth) + cx, 13 * std::sin(azimuth),
                                          3.5f * r, looks_.grain + 21);
  const float fine = 0.5f + 0.5f * Noise(30 * std::cos(azimuth) + cx, 30 * std::sin(azimuth), 2 * r,
                                         looks_.grain + 22);
  Colour iris = {looks_.iris[0], looks_.iris[1], looks_.iris[2]};
  iris = Scale(iris, 0.55f + 0.5f * fibre + 0.4f * fine);
  iris = Blend(iris, {0.20f, 0.11f, 0.04f},
               0.35f * Ramp(0.62f, 0.40f, r) * fibre);   // lighter ring round the pupil
  iris = Scale(iris, 1 - 0.75f * Ramp(0.84f, 1.0f, r));  // limbus
  Colour c = Blend(iris, white, Ramp(0.95f, 1.07f, r));
  return Blend({0.004f, 0.004f, 0.004f}, c, Ramp(0.33f, 0.39f, r));
}

Colour Painter::Tongue(const Place& p) const {
  const float around =
                  (p.u - static_cast<float>(kTongueChart[0])) / static_cast<float>(kTongueChart[2]),
              along =
                  (p.v - static_cast<float>(kTongueChart[1])) / static_cast<float>(kTongueChart[3]);
  // Papillae dull the back; its furrow, its underside and the root are darker.
  const float back = Ramp(0.18f, 0.32f, around) * Ramp(0.82f, 0.68f, around);
  const float speckle = Noise(p.x * 14, p.y * 14, p.z * 14, looks_.grain + 40);
  const float furrow = Ramp(0.05f, 0.0f, std::abs(around - 0.5f));
  const Colour top = Scale({0.50f, 0.19f, 0.175f}, 0.85f + 0.25f * speckle - 0.14f * furrow);
  const Colour c = Blend({0.40f, 0.11f, 0.10f}, top, back);
  return Scale(c, 0.4f + 0.6f * Ramp(0.0f, 0.6f, along));
}

Colour Painter::Tooth(const Place& p, bool upper) const {
  const float across =
      (p.u - static_cast<float>(kTeethChart[0])) / static_cast<float>(kTeethChart[2]);
  const float down =
      ((p.v - static_cast<float>(kTeethChart[1])) / static_cast<float>(kTeethChart[3]) -
       (upper ? 0 : 0.52f)) /
      0.48f;
  const float tooth = across * 14, within = tooth - std::floor(tooth);
  const float gap = Ramp(0.07f, 0.02f, std::min(within, 1 - within));
  const float arch = 0.26f + 0.10f * (2 * within - 1) * (2 * within - 1);
  const Colour enamel = Blend(Scale({0.74f, 0.69f, 0.58f}, 1 - 0.15f * looks_.age),
                              {0.10f, 0.05f, 0.04f}, 0.75f * gap);
  return Blend(Colour{0.48f, 0.17f, 0.15f}, enamel, Ramp(arch - 0.03f, arch + 0.03f, down));
}

Colour Painter::Hair(const Place& p, float* alpha) const {
  const float around = std::atan2(p.x, p.z + 6.5f) * 7, high = p.y;
  // Strands run from the crown down: fine across, long along.
  const float wave = 0.6f * Noise(around * 0.5f, high * 0.35f, 3, looks_.grain + 30);
  const float coarse = Noise((around + wave) * 2.6f, high * 0.22f, 5, looks_.grain + 31);
  const float fine = Noise((around + wave) * 13, high * 0.6f, 9, looks_.grain + 32);
  const float strand = 0.45f * coarse + 0.55f * fine;
  *alpha = Ramp(0.08f, 0.55f, p.hair + 0.32f * strand);
  if (looks_.style == HairStyle::kLong) *alpha = Ramp(0.0f, 0.34f, p.hair + 0.22f * strand);
  if (looks_.style == HairStyle::kBald) *alpha = 0;
  if (looks_.style == HairStyle::kReceding)
    *alpha *= 1 - Ramp(-10.5f, -8.0f, p.z) * Ramp(3.5f, 6, p.y);
  return HairColour(strand);
}

}  // namespace daf::head
