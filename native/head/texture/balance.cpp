#include "native/head/texture/balance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "native/head/texture/colour.h"
#include "native/head/texture/neighbours.h"

namespace daf::head {
namespace {

// Log colours of the positions, from the texels of skin around them.
struct Tones {
  std::vector<std::array<float, 3>> tone;  // mean, linear light; meaningless where seen is 0
  std::vector<float> seen;                 // share of the texels around that photos saw, 0…1
};

std::vector<uint8_t> SkinTriangles(const HeadModel& model) {
  std::vector<uint8_t> out(model.triangle_count(), 1);
  for (const Part& part : model.parts) {
    if (part.name != "skin")
      std::fill_n(out.begin() + part.first_triangle, part.triangle_count, uint8_t{0});
  }
  return out;
}

Status MeasureTones(const HeadModel& model, const Atlas& atlas, const std::vector<uint8_t>& skin,
                    const TaskControl& control, const Blend& blend, Tones* out) {
  out->tone.assign(model.position_count, {0, 0, 0});
  out->seen.assign(model.position_count, 0);
  std::vector<float> cover(model.position_count, 0);
  for (size_t i = 0; i < atlas.texels(); ++i) {
    if (i % 4096 == 0) DAF_RETURN_IF_ERROR(control.Check());
    const uint32_t t = atlas.triangle[i];
    if (t == kNoTriangle || skin[t] == 0) continue;
    float w[3], value[3] = {0, 0, 0};
    atlas.Weights(i, w);
    const float confidence = blend.confidence[i];
    if (confidence > 0) {
      for (int k = 0; k < 3; ++k) value[k] = LogLight(blend.colour[3 * i + k]);
    }
    for (int c = 0; c < 3; ++c) {
      const uint32_t v = model.source[model.triangles[3 * size_t{t} + c]];
      const float share = std::max(0.0f, w[c]);
      cover[v] += share;
      out->seen[v] += share * confidence;
      for (int k = 0; k < 3; ++k) out->tone[v][k] += share * confidence * value[k];
    }
  }
  for (uint32_t v = 0; v < model.position_count; ++v) {
    if (!(out->seen[v] > 0)) continue;
    for (float& value : out->tone[v]) value /= out->seen[v];
    out->seen[v] /= cover[v];
  }
  return Status::Ok();
}

// Calls change(texel, interpolated values) for every texel of skin that photos saw.
template <size_t N, typename Change>
Status ForSeenSkin(const HeadModel& model, const Atlas& atlas, const std::vector<uint8_t>& skin,
                   const TaskControl& control, const Blend& blend,
                   const std::vector<std::array<float, N>>& values, const Change& change) {
  for (size_t i = 0; i < atlas.texels(); ++i) {
    if (i % 4096 == 0) DAF_RETURN_IF_ERROR(control.Check());
    const uint32_t t = atlas.triangle[i];
    if (t == kNoTriangle || skin[t] == 0 || !(blend.confidence[i] > 0)) continue;
    float w[3];
    atlas.Weights(i, w);
    std::array<float, N> value{};
    for (int c = 0; c < 3; ++c) {
      const uint32_t v = model.source[model.triangles[3 * size_t{t} + c]];
      for (size_t k = 0; k < N; ++k) value[k] += w[c] * values[v][k];
    }
    change(i, value);
  }
  return Status::Ok();
}

}  // namespace

Status BalanceSides(const HeadModel& model, const Atlas& atlas, const TaskControl& control,
                    const Blend& blend) {
  constexpr float kTaken = 0.85f;                   // of the difference between the sides
  constexpr float kShade = 1.2f;                    // |log| that shadow alone explains
  constexpr float kMost = 0.8f, kHue = 0.12f;       // of the correction
  constexpr float kData = 0.05f, kScreen = 0.004f;  // about two centimetres on this mesh
  const size_t count = model.position_count;
  if (model.mirror.size() != count) return Status::Ok();
  const std::vector<uint8_t> skin = SkinTriangles(model);
  Tones tones;
  DAF_RETURN_IF_ERROR(MeasureTones(model, atlas, skin, control, blend, &tones));
  std::vector<FourFloats> pull(count, FourFloats{}), found(count, FourFloats{});
  std::vector<float> weight(count, 0);
  for (size_t v = 0; v < count; ++v) {
    const size_t m = model.mirror[v];
    const float both = std::min(tones.seen[v], tones.seen[m]);
    if (!(both > 0.2f)) continue;
    float most = 0;
    for (int k = 0; k < 3; ++k) {
      const float difference = tones.tone[v][k] - tones.tone[m][k];
      pull[v][k] = -0.5f * kTaken * difference;
      most = std::max(most, std::abs(difference));
    }
    weight[v] = kData * both / (1 + std::pow(most / kShade, 6.0f));
    pull[v] *= weight[v];
  }
  DAF_RETURN_IF_ERROR(Spread(FindNeighbours(model), pull, weight, kScreen, 80, control, &found));
  std::vector<std::array<float, 3>> corrections(count);
  for (size_t v = 0; v < count; ++v) {
    const FourFloats& own = found[v];
    const float grey = std::clamp((own[0] + own[1] + own[2]) / 3, -kMost, kMost);
    for (int k = 0; k < 3; ++k) corrections[v][k] = grey + std::clamp(own[k] - grey, -kHue, kHue);
  }
  return ForSeenSkin<3>(model, atlas, skin, control, blend, corrections,
                        [&](size_t i, const std::array<float, 3>& value) {
                          for (int k = 0; k < 3; ++k) {
                            float& colour = blend.colour[3 * i + k];
                            colour = std::min(1.0f, ToSrgb(ToLinear(colour) * std::exp(value[k])));
                          }
                        });
}

Status DoubtWeakTones(const HeadModel& model, const Atlas& atlas, const float* strength,
                      const TaskControl& control, const Blend& blend) {
  constexpr float kUsual = 0.40f;  // |log| from the skin's middle that is still skin
  // Temples begin this far from the middle, and nearer to it up the forehead; they end above the
  // cheek, where beards grow; cm.
  constexpr float kTemple = 5.6f, kForehead = 4.0f, kCheek = -2.0f;
  const std::vector<uint8_t> skin = SkinTriangles(model);
  Tones tones;
  DAF_RETURN_IF_ERROR(MeasureTones(model, atlas, skin, control, blend, &tones));
  const std::vector<float> bare = BareSkin(model);
  std::array<float, 3> middle;
  for (size_t k = 0; k < 3; ++k) {
    std::vector<float> values;
    for (uint32_t v = 0; v < model.position_count; ++v) {
      if (bare[v] > 0.5f && tones.seen[v] > 0.5f) values.push_back(tones.tone[v][k]);
    }
    if (values.size() < 20) return Status::Ok();
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    middle[k] = values[values.size() / 2];
  }
  // How likely the tone is skin, and how far out on the temples it lies.
  std::vector<std::array<float, 2>> likely(model.position_count, {1, 0});
  for (uint32_t v = 0; v < model.position_count; ++v) {
    const float* p = model.mean.data() + 3 * size_t{v};
    const float temple = kTemple + (kForehead - kTemple) * SmoothStep(2, 5, p[1]);
    likely[v][1] =
        SmoothStep(temple, temple + 0.8f, std::abs(p[0])) * SmoothStep(kCheek - 1, kCheek, p[1]);
    if (!(tones.seen[v] > 0)) continue;
    float most = 0;
    for (size_t k = 0; k < 3; ++k) most = std::max(most, std::abs(tones.tone[v][k] - middle[k]));
    likely[v][0] = 1 / (1 + std::pow(most / kUsual, 4.0f));
  }
  return ForSeenSkin<2>(model, atlas, skin, control, blend, likely,
                        [&](size_t i, const std::array<float, 2>& value) {
                          const float trusted = strength[i] * (1 - value[1]);
                          blend.confidence[i] *= trusted + (1 - trusted) * value[0];
                        });
}

}  // namespace daf::head
