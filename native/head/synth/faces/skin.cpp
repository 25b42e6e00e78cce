#include <algorithm>
#include <cmath>

#include "native/base/arena.h"
#include "native/base/rng.h"
#include "native/head/synth/albedo.h"
#include "native/head/synth/faces/figure.h"
#include "native/head/synth/noise.h"

namespace daf::head {
namespace {

constexpr int kTexels = 320;

// Wider than people are: what is learnt from it must not mind a stranger colour.
void Exaggerate(Rng& rng, Looks* looks) {
  if (rng.Uniform() < 0.25f) {
    const float level = rng.Uniform(0.01f, 0.6f);
    for (float& c : looks->hair) c = level * rng.Uniform(0.3f, 1.2f);
  }
  looks->brow_density = rng.Uniform(0.15f, 1.2f);
  looks->brow_width = rng.Uniform(0.5f, 1.8f);
  if (rng.Uniform() < 0.3f) looks->stubble = rng.Uniform(0.2f, 1.6f);
  if (rng.Uniform() < 0.2f) looks->lip_colour = rng.Uniform(0.3f, 1);
  looks->melanin = std::clamp(looks->melanin * std::exp(0.35f * rng.Normal() - 0.35f), 0.04f, 2.2f);
  looks->blood = rng.Uniform(0.15f, 0.55f);
}

// Distance from p to the polyline of landmarks [first, last] of a shape, squared.
float ToLine(const HeadModel& m, const float* p, int first, int last) {
  float nearest = 1e9f;
  for (int k = first; k < last; ++k) {
    const float *a = &m.mean[3 * size_t{m.landmarks[k]}],
                *b = &m.mean[3 * size_t{m.landmarks[k + 1]}];
    float along = 0, length = 0;
    for (int i = 0; i < 3; ++i) {
      along += (p[i] - a[i]) * (b[i] - a[i]);
      length += (b[i] - a[i]) * (b[i] - a[i]);
    }
    const float t = std::clamp(along / std::max(1e-6f, length), 0.0f, 1.0f);
    float d = 0;
    for (int i = 0; i < 3; ++i) {
      const float off = p[i] - a[i] - t * (b[i] - a[i]);
      d += off * off;
    }
    nearest = std::min(nearest, d);
  }
  return nearest;
}

// Seen from the front: is p within the polygon of landmarks [first, last]?
bool Within(const HeadModel& m, const float* p, int first, int last) {
  bool inside = false;
  for (int k = first, before = last; k <= last; before = k++) {
    const float *a = &m.mean[3 * size_t{m.landmarks[k]}],
                *b = &m.mean[3 * size_t{m.landmarks[before]}];
    if ((a[1] > p[1]) != (b[1] > p[1]) &&
        p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0])
      inside = !inside;
  }
  return inside;
}

Colour Pigment(float m, float h) {
  return {0.72f * std::exp(-m - 0.12f * h), 0.62f * std::exp(-1.22f * m - 0.76f * h),
          0.52f * std::exp(-1.46f * m - 0.62f * h)};
}

// A head of which only landmarks and parts are known: colours by vertex.
void PaintVertices(const Figure& f, const Looks& looks, Rng& rng, std::vector<Colour>* out) {
  const HeadModel& m = *f.model;
  const uint32_t g = looks.grain;
  const Colour hair = {looks.hair[0], looks.hair[1], looks.hair[2]};
  const float* chin = &m.mean[3 * size_t{m.landmarks[8]}];
  const float* lip = &m.mean[3 * size_t{m.landmarks[51]}];
  const bool bald = looks.style == HairStyle::kBald;
  std::vector<Colour> at(m.position_count);
  for (uint32_t v = 0; v < m.position_count; ++v) {
    const float* p = &m.mean[3 * size_t{v}];
    const float broad = Fractal(0.45f * p[0], 0.45f * p[1], 0.45f * p[2], 3, g),
                fine = Fractal(3 * p[0], 3 * p[1], 3 * p[2], 2, g + 1);
    const float x = std::abs(p[0]);
    const float cheek = std::exp(-0.3f * ((x - 3.9f) * (x - 3.9f) + (p[1] + 3.2f) * (p[1] + 3.2f)));
    const float lids = std::exp(-0.5f * ((x - 3.1f) * (x - 3.1f) / 2.2f + p[1] * p[1] / 0.8f));
    Colour c = Pigment(looks.melanin * (1 + 0.13f * broad + 0.1f * fine) + 0.12f * lids,
                       looks.blood * (1 + 0.4f * cheek + 0.2f * lids + 0.15f * broad));
    if (p[2] > lip[2] - 3 && Within(m, p, 48, 59)) {
      Colour red = Pigment(0.75f * looks.melanin + 0.1f, looks.blood + 0.6f + 0.1f * fine);
      c = Blend(red, {0.36f, 0.035f, 0.05f}, 0.75f * looks.lip_colour);
    }
    if (looks.stubble > 0) {
      const float low = Ramp(lip[1] + 1.6f, lip[1] + 0.5f, p[1] + 0.35f * (6.0f - x)) *
                        Ramp(chin[1] - 4, chin[1] - 2, p[1]) * Ramp(-8, -6, p[2]);
      c = Blend(c, Blend(Scale(c, 0.4f), hair, 0.6f),
                std::clamp(0.6f * looks.stubble * low * (0.8f + 0.5f * fine), 0.0f, 0.95f));
    }
    const float brow = std::min(ToLine(m, p, 17, 21), ToLine(m, p, 22, 26));
    const float width = 0.36f * looks.brow_width;
    c = Blend(c, Scale(hair, 0.75f),
              std::clamp(1.2f * looks.brow_density * std::exp(-brow / (width * width)) +
                             0.3f * fine * std::exp(-0.5f * brow / (width * width)),
                         0.0f, 0.95f));
    const float lash = std::min(ToLine(m, p, 36, 39), ToLine(m, p, 42, 45));
    c = Blend(c, Scale(hair, 0.3f), 0.8f * std::exp(-lash / 0.012f));
    if (!bald && f.scalp[v] > 0) {
      const float strand = Noise(p[0] * 9, p[1] * 0.8f, p[2] * 2, g + 31);
      c = Blend(c, Scale(hair, 0.8f + 0.35f * strand),
                std::clamp(1.2f * f.scalp[v] + 0.2f * fine, 0.0f, 1.0f));
    }
    at[v] = c;
  }
  out->resize(m.render_count());
  for (uint32_t r = 0; r < m.render_count(); ++r) (*out)[r] = at[m.source[r]];
  const Colour iris = {looks.iris[0], looks.iris[1], looks.iris[2]};
  const float white = rng.Uniform(0.4f, 0.65f);
  for (const Part& part : m.parts) {
    const bool eye = part.name.compare(0, 3, "eye") == 0;
    // The middle of an eyeball, from its own vertices.
    float centre[3] = {0, 0, 0};
    for (uint32_t r = part.first_vertex; eye && r < part.first_vertex + part.vertex_count; ++r)
      for (size_t i = 0; i < 3; ++i)
        centre[i] += m.mean[3 * size_t{m.source[r]} + i] / static_cast<float>(part.vertex_count);
    for (uint32_t r = part.first_vertex; r < part.first_vertex + part.vertex_count; ++r) {
      const float* p = &m.mean[3 * size_t{m.source[r]}];
      if (eye) {
        const float dx = p[0] - centre[0], dy = p[1] - centre[1], dz = p[2] - centre[2];
        const float angle = std::atan2(std::sqrt(dx * dx + dy * dy), dz);
        Colour c = Blend(iris, {white, 0.96f * white, 0.92f * white}, Ramp(0.47f, 0.55f, angle));
        (*out)[r] = Blend({0.004f, 0.004f, 0.004f}, c, Ramp(0.17f, 0.22f, angle));
      } else if (part.name == "teeth") {
        (*out)[r] = {0.62f, 0.57f, 0.48f};
      } else if (part.name == "tongue") {
        (*out)[r] = {0.40f, 0.15f, 0.14f};
      } else if (part.name == "mouth") {
        (*out)[r] = {0.16f, 0.04f, 0.035f};
      } else if (part.name == "socket") {
        (*out)[r] = {0.40f, 0.17f, 0.14f};
      }
    }
  }
  out->resize(f.mesh.source.size());
}

}  // namespace

Status PaintSkin(const Figure& figure, uint64_t seed, const TaskControl& control, Skin* out) {
  const HeadModel& model = *figure.model;
  const Person person = MakePerson(model, seed, 0, false);
  Rng rng(seed, 41);
  out->looks = person.looks;
  Exaggerate(rng, &out->looks);
  out->hair_modes.assign(person.identity.size(), 0);
  for (size_t i = 0; i < person.identity.size(); ++i) {
    if (model.identity_names[i].compare(0, 5, "hair_") == 0)
      out->hair_modes[i] = person.identity[i];
  }
  if (figure.marks == nullptr) {
    PaintVertices(figure, out->looks, rng, &out->vertices);
    return control.Check();
  }
  Arena arena;
  uint8_t* rgba;
  DAF_RETURN_IF_ERROR(arena.Allocate(size_t{4} * kTexels * kTexels, &rgba));
  DAF_RETURN_IF_ERROR(PaintAlbedo(model, *figure.marks, out->looks, kTexels, control, rgba));
  return out->albedo.Build(rgba, kTexels, kTexels);
}

}  // namespace daf::head
