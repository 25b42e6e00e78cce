#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "native/head/synth/faces/draw.h"
#include "native/head/synth/noise.h"

namespace daf::head {
namespace {

// "mouthSmileLeft" and "mouthSmile_L" are "mouthSmile"; *side: 0 none, 1 left, 2 right.
std::string BaseName(const std::string& name, int* side) {
  const std::pair<const char*, int> ends[] = {{"Left", 1}, {"Right", 2}, {"_L", 1}, {"_R", 2}};
  for (const auto& [end, which] : ends) {
    const std::string text = end;
    if (name.size() > text.size() + 4 &&
        name.compare(name.size() - text.size(), text.size(), text) == 0) {
      *side = which;
      return name.substr(0, name.size() - text.size());
    }
  }
  *side = 0;
  return name;
}

std::vector<float> DrawFace(Rng& rng, const HeadModel& model) {
  std::map<std::string, std::array<float, 3>> drawn;  // both, left, right
  const float lively = rng.Uniform() < 0.2f ? 0 : rng.Uniform(0.3f, 1);
  // Most people show their teeth to a camera, few their throat.
  const bool laughs = rng.Uniform() < 0.35f;
  const float smile = laughs                  ? rng.Uniform(0.5f, 1)
                      : rng.Uniform() < 0.35f ? rng.Uniform(0.2f, 1)
                                              : 0,
              open = laughs                  ? std::pow(rng.Uniform(), 1.5f) * 0.4f
                     : rng.Uniform() < 0.35f ? std::pow(rng.Uniform(), 1.7f)
                                             : 0,
              bare = laughs ? rng.Uniform(0.3f, 1) : 0.5f * smile,
              blink = rng.Uniform() < 0.12f ? rng.Uniform(0.6f, 1) : rng.Uniform(0, 0.3f);
  const float gaze_x = rng.Uniform(-0.8f, 0.8f), gaze_y = rng.Uniform(-0.7f, 0.7f);
  std::vector<float> beta(model.expression_names.size(), 0);
  for (size_t i = 0; i < beta.size(); ++i) {
    int side;
    const std::string name = BaseName(model.expression_names[i], &side);
    const auto [found, fresh] = drawn.try_emplace(name);
    if (fresh) {
      const float value = rng.Uniform() < 0.12f ? rng.Uniform(0.1f, 0.9f) : 0,
                  skew = rng.Uniform() < 0.3f ? rng.Uniform(-1, 1) : 0;
      found->second = {value, value * (1 + std::min(0.0f, skew)),
                       value * (1 - std::max(0.0f, skew))};
    }
    float value = lively * found->second[static_cast<size_t>(side)];
    if (name == "mouthSmile" || name == "cheekSquint" || name == "eyeSquint")
      value = std::max(value, smile * (name == "mouthSmile" ? 1.0f : 0.5f));
    if (name == "jawOpen") value = open;
    if (name == "mouthUpperUp") value = std::max(value, bare);
    if (name == "mouthLowerDown") value = std::max(value, 0.7f * bare);
    if (name == "eyeBlink") value = blink;
    if (name == "mouthClose") value = std::min(value, 0.8f * open);
    const bool left = side == 1;
    if (name == "eyeLookOut") value = std::max(0.0f, left ? gaze_x : -gaze_x);
    if (name == "eyeLookIn") value = std::max(0.0f, left ? -gaze_x : gaze_x);
    if (name == "eyeLookUp") value = std::max(0.0f, gaze_y);
    if (name == "eyeLookDown") value = std::max(0.0f, -gaze_y);
    beta[i] = std::clamp(value, 0.0f, 1.0f);
  }
  return beta;
}

}  // namespace

void ShapeSitter(Rng& rng, const Figure& figure, const Skin& skin, Sitter* out) {
  const HeadModel& model = *figure.model;
  const float spread = figure.marks != nullptr ? 1.3f : 1.1f;
  std::vector<float> alpha(model.identity_names.size());
  for (size_t i = 0; i < alpha.size(); ++i) {
    const bool hair = model.identity_names[i].compare(0, 5, "hair_") == 0;
    alpha[i] = hair ? skin.hair_modes[i] + 0.3f * rng.Normal()
                    : std::clamp(spread * rng.Normal(), -3.0f, 3.0f);
  }
  const std::vector<float> beta = DrawFace(rng, model);
  out->figure = &figure;
  out->skin = &skin;
  out->grain = rng.Next();
  out->positions.resize(model.mean.size());
  model.Shape(alpha.data(), alpha.size(), beta.data(), beta.size(), out->positions.data());
  // Faces wider, longer and deeper than any mode makes them.
  const float wide = 1 + 0.05f * rng.Normal(), high = 1 + 0.05f * rng.Normal(),
              deep = 1 + 0.07f * rng.Normal();
  if (!figure.scalp.empty() && skin.looks.style != HairStyle::kBald) {
    const float volume = std::pow(rng.Uniform(), 1.5f) * 3.2f + 0.2f, curl = rng.Uniform(0.3f, 2);
    for (uint32_t v = 0; v < model.position_count; ++v) {
      if (figure.scalp[v] <= 0) continue;
      float* p = &out->positions[3 * size_t{v}];
      const float lift = volume * figure.scalp[v] *
                         (1 + 0.5f * Noise(curl * p[0], curl * p[1], curl * p[2], out->grain));
      for (size_t i = 0; i < 3; ++i) p[i] += lift * figure.normals[3 * size_t{v} + i];
    }
  }
  for (size_t i = 0; i < out->positions.size(); i += 3) {
    out->positions[i] *= wide;
    out->positions[i + 1] *= high;
    out->positions[i + 2] *= deep;
  }
  const float shoulders = rng.Uniform(0.75f, 1.25f), collar = rng.Uniform(-2.5f, 1.5f);
  for (size_t i = 0; i < figure.garment.size(); i += 3) {
    out->positions.push_back(figure.garment[i] * shoulders);
    out->positions.push_back(figure.garment[i + 1] * high + collar);
    out->positions.push_back(figure.garment[i + 2]);
  }
  out->cloth = DrawColour(rng, 0.01f, 0.75f, 0.8f);
  for (Colour* tint : {&out->skin_tint, &out->hair_tint}) {
    const float level = std::exp(0.15f * rng.Normal());
    *tint = {level * std::exp(0.06f * rng.Normal()), level, level * std::exp(0.08f * rng.Normal())};
  }
  out->gloss = std::pow(rng.Uniform(), 1.5f) * 2.2f;
}

LightRig DrawWideRig(Rng& rng) {
  LightRig rig = DrawRig(rng);
  if (rng.Uniform() < 0.35f) {
    const float azimuth = rng.Uniform(-2.6f, 2.6f), elevation = rng.Uniform(-0.6f, 1.4f);
    rig.key[0] = std::sin(azimuth) * std::cos(elevation);
    rig.key[1] = std::sin(elevation);
    rig.key[2] = std::cos(azimuth) * std::cos(elevation);
  }
  const float key = std::pow(rng.Uniform(), 1.3f) * 1.8f;
  const Colour tint = DrawColour(rng, 0.9f, 1.1f, 0.25f), sky = DrawColour(rng, 0.9f, 1.1f, 0.2f);
  rig.key_colour = {rig.key_colour.r * key * tint.r, rig.key_colour.g * key * tint.g,
                    rig.key_colour.b * key * tint.b};
  rig.up = {rig.up.r * sky.r, rig.up.g * sky.g, rig.up.b * sky.b};
  rig.softness = rng.Uniform() < 0.5f ? 0 : rng.Uniform(0.5f, 2.5f);
  // All at about one level, so that the exposure's own spread is what varies it.
  const float level =
      1 / (0.35f + rig.up.g * 0.6f + 0.6f * rig.key_colour.g * std::max(0.15f, rig.key[2]));
  for (Colour* c : {&rig.key_colour, &rig.up, &rig.down, &rig.left}) *c = Scale(*c, 1.3f * level);
  return rig;
}

}  // namespace daf::head
