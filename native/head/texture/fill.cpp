#include "native/head/texture/fill.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "native/head/texture/colour.h"
#include "native/head/texture/neighbours.h"

namespace daf::head {
namespace {

constexpr float kMostGain =
    3.0f;  // |log| of a believable ratio to the base albedo: dim rooms, dark skin

// Bilinear over texels that hold something; returns the confidence found there.
float Lookup(const Atlas& atlas, const Blend& blend, const float* confidence, float u, float v,
             float colour[3]) {
  const int size = atlas.size;
  const float fx =
      std::clamp(u * static_cast<float>(size) - 0.5f, 0.0f, static_cast<float>(size - 1));
  const float fy =
      std::clamp(v * static_cast<float>(size) - 0.5f, 0.0f, static_cast<float>(size - 1));
  const int x0 = static_cast<int>(fx), y0 = static_cast<int>(fy);
  float total = 0, sum = 0;
  for (int k = 0; k < 3; ++k) colour[k] = 0;
  for (int dy = 0; dy < 2; ++dy) {
    for (int dx = 0; dx < 2; ++dx) {
      const int x = std::min(x0 + dx, size - 1), y = std::min(y0 + dy, size - 1);
      const size_t i = static_cast<size_t>(y) * size + x;
      if (atlas.triangle[i] == kNoTriangle) continue;
      const float b = (dx == 0 ? 1 - (fx - static_cast<float>(x0)) : fx - static_cast<float>(x0)) *
                      (dy == 0 ? 1 - (fy - static_cast<float>(y0)) : fy - static_cast<float>(y0));
      sum += b;
      const float w = b * confidence[i];
      total += w;
      for (int k = 0; k < 3; ++k) colour[k] += w * blend.colour[3 * i + k];
    }
  }
  if (!(total > 1e-6f)) return 0;
  for (int k = 0; k < 3; ++k) colour[k] /= total;
  return sum > 0 ? total / sum : 0;
}

}  // namespace

namespace {

// 1 within `near` cm of one of the landmarks that count, falling to 0 at `far`. [V]
template <typename Counts>
std::vector<float> Nearness(const HeadModel& model, float near, float far, const Counts& counts) {
  std::vector<float> out(model.position_count, 0);
  for (uint32_t v = 0; v < model.position_count; ++v) {
    float nearest = 1e30f;
    for (int i = 0; i < kLandmarks; ++i) {
      if (!counts(i)) continue;
      float d = 0;
      for (int k = 0; k < 3; ++k) {
        const float x =
            model.mean[3 * size_t{v} + k] - model.mean[3 * size_t{model.landmarks[i]} + k];
        d += x * x;
      }
      nearest = std::min(nearest, d);
    }
    out[v] = 1 - SmoothStep(near, far, std::sqrt(nearest));
  }
  return out;
}

}  // namespace

std::vector<float> SymmetricDetail(const HeadModel& model) {
  // The ridge of the nose (27–30) is open skin.
  return Nearness(model, 0.8f, 1.5f, [](int i) { return i >= 17 && (i < 27 || i > 30); });
}

std::vector<float> BareSkin(const HeadModel& model) {
  return Nearness(model, 2.0f, 3.2f,
                  [](int i) { return (i >= 2 && i <= 14) || (i >= 27 && i < 60); });
}

Status FillFromMirror(const HeadModel& model, const Atlas& atlas, Arena& arena,
                      const TaskControl& control, const Blend& blend, float* mirrored) {
  const std::vector<MirrorTriangle> across = FindMirrorTriangles(model);
  const std::vector<float> detail = SymmetricDetail(model);
  float *confidence, *added;  // what photos alone gave; what the other side adds
  DAF_RETURN_IF_ERROR(arena.Allocate(atlas.texels(), &confidence));
  std::copy(blend.confidence, blend.confidence + atlas.texels(), confidence);
  DAF_RETURN_IF_ERROR(arena.Allocate(atlas.texels(), &added));
  std::fill(added, added + atlas.texels(), 0.0f);
  std::fill(mirrored, mirrored + atlas.texels(), 0.0f);
  for (size_t i = 0; i < atlas.texels(); ++i) {
    if (i % 4096 == 0) DAF_RETURN_IF_ERROR(control.Check());
    const uint32_t t = atlas.triangle[i];
    if (t == kNoTriangle || confidence[i] >= 1 || across[t].other == kNoTriangle) continue;
    float w[3], u = 0, v = 0, keep = 0;
    atlas.Weights(i, w);
    for (int c = 0; c < 3; ++c) {
      const uint32_t corner = model.triangles[3 * size_t{across[t].other} + across[t].order[c]];
      u += w[c] * model.uv[2 * size_t{corner}];
      v += w[c] * model.uv[2 * size_t{corner} + 1];
      keep += w[c] * detail[model.source[corner]];
    }
    float colour[3];
    // Where a texel was half seen the other side helps with its better half only.
    const float help = Lookup(atlas, blend, confidence, u, v, colour) * (1 - confidence[i]);
    if (!(help > 1e-3f)) continue;
    mirrored[i] = help;
    const float detailed = help * keep, total = confidence[i] + detailed;
    if (!(detailed > 1e-3f)) continue;
    for (int k = 0; k < 3; ++k) {
      float& own = blend.colour[3 * i + k];
      own = (confidence[i] * own + detailed * colour[k]) / total;
    }
    added[i] = detailed;
  }
  for (size_t i = 0; i < atlas.texels(); ++i)
    blend.confidence[i] = std::min(1.0f, confidence[i] + added[i]);
  return Status::Ok();
}

Status SpreadGain(const HeadModel& model, const Atlas& atlas, const Blend& blend,
                  const uint8_t* base, const std::vector<uint8_t>& photographed, bool mirror,
                  Arena& arena, const TaskControl& control, float* gain, float skin_gain[3]) {
  const size_t count = model.position_count;
  std::array<float, 256> known;
  for (int i = 0; i < 256; ++i) known[i] = std::log(LinearTable()[i] + 0.01f);
  float *sum, *weight, *cover,
      *tone;  // Σ share·ratio, Σ share, and what the shares would be if every texel were certain
  DAF_RETURN_IF_ERROR(arena.Allocate(3 * count, &sum));
  DAF_RETURN_IF_ERROR(arena.Allocate(count, &weight));
  std::fill(sum, sum + 3 * count, 0.0f);
  DAF_RETURN_IF_ERROR(arena.Allocate(count, &cover));
  DAF_RETURN_IF_ERROR(arena.Allocate(count, &tone));  // Σ share·log brightness
  std::fill(tone, tone + count, 0.0f);
  std::fill(weight, weight + count, 0.0f);
  std::fill(cover, cover + count, 0.0f);
  for (size_t i = 0; i < atlas.texels(); ++i) {
    if (i % 4096 == 0) DAF_RETURN_IF_ERROR(control.Check());
    const uint32_t t = atlas.triangle[i];
    if (t == kNoTriangle || photographed[t] == 0) continue;
    float w[3], ratio[3];
    atlas.Weights(i, w);
    if (!(blend.confidence[i] > 0)) {
      for (int c = 0; c < 3; ++c)
        cover[model.source[model.triangles[3 * size_t{t} + c]]] += std::max(0.0f, w[c]);
      continue;
    }
    float light = 0.01f;
    for (int k = 0; k < 3; ++k) {
      const float colour = blend.colour[3 * i + k];
      ratio[k] = std::clamp(LogLight(colour) - known[base[4 * i + k]], -kMostGain, kMostGain);
      light += ToLinear(colour) / 3;
    }
    const float brightness = std::log(light);
    for (int c = 0; c < 3; ++c) {
      const uint32_t v = model.source[model.triangles[3 * size_t{t} + c]];
      const float share = std::max(0.0f, w[c]) * blend.confidence[i];
      cover[v] += std::max(0.0f, w[c]);
      weight[v] += share;
      tone[v] += share * brightness;
      for (int k = 0; k < 3; ++k) sum[3 * size_t{v} + k] += share * ratio[k];
    }
  }
  if (mirror && model.mirror.size() == count) {
    // Open skin across takes the colour of the side that was seen, without its marks.
    const std::vector<float> own_sum(sum, sum + 3 * count), own_weight(weight, weight + count),
        own_tone(tone, tone + count);
    for (size_t v = 0; v < count; ++v) {
      const size_t m = model.mirror[v];
      if (m == v || !(cover[v] > 0) || !(cover[m] > 0)) continue;
      const float share = 0.7f * std::max(0.0f, 1 - own_weight[v] / cover[v]) * cover[v] / cover[m];
      weight[v] += share * own_weight[m];
      tone[v] += share * own_tone[m];
      for (int k = 0; k < 3; ++k) sum[3 * v + k] += share * own_sum[3 * m + k];
    }
  }
  // The middle of what was seen is what far, unseen surfaces drift to: bare skin's for the skin,
  // hair's own for hair.
  const std::vector<float> skin = BareSkin(model);
  std::vector<uint8_t> hair(count, 0);
  for (const Part& part : model.parts) {
    if (part.name.rfind("hair", 0) != 0) continue;
    for (uint32_t i = part.first_vertex; i < part.first_vertex + part.vertex_count; ++i)
      hair[model.source[i]] = 1;
  }
  // The modelled hairline may lie on the forehead: where a fair part of what lies under the
  // modelled hair is darker or lighter than the skin, that part is the hair; otherwise the head is
  // shaved.
  const auto middle_of = [](std::vector<float>* values) {
    if (values->empty()) return 0.0f;
    std::nth_element(values->begin(), values->begin() + values->size() / 2, values->end());
    return (*values)[values->size() / 2];
  };
  const auto counts = [&](size_t v, int kind) {
    return kind == 1 ? hair[v] != 0 && weight[v] > 0.5f * cover[v]
                     : hair[v] == 0 && skin[v] > 0.5f && weight[v] > 0;
  };
  std::vector<float> tones;
  for (size_t v = 0; v < count; ++v) {
    if (counts(v, 0)) tones.push_back(tone[v] / weight[v]);
  }
  const float skin_tone = middle_of(&tones);
  size_t covered = 0, unlike = 0;
  const auto is_hair = [&](size_t v) { return std::abs(tone[v] / weight[v] - skin_tone) > 0.6f; };
  for (size_t v = 0; v < count; ++v) {
    if (!counts(v, 1)) continue;
    ++covered;
    unlike += is_hair(v);
  }
  const bool shaved = unlike * 100 < covered * 12;
  float middles[2][3] = {{0, 0, 0}, {0, 0, 0}};
  for (int kind = 0; kind < 2; ++kind) {
    for (int k = 0; k < 3; ++k) {
      std::vector<float> ratios;
      for (size_t v = 0; v < count; ++v) {
        if (counts(v, kind) && (kind == 0 || shaved || is_hair(v)))
          ratios.push_back(sum[3 * v + k] / weight[v]);
      }
      middles[kind][k] = middle_of(&ratios);
    }
  }
  for (int k = 0; k < 3; ++k) skin_gain[k] = std::exp(middles[0][k]);
  // Fringe over the brow, a beard's edge, a shadow: what differs much from the skin's middle stays
  // where it was seen and hardly colours what was not; what spreads is light and dark more than
  // hue.
  constexpr float kHue = 0.12f;
  for (size_t v = 0; v < count; ++v) {
    if (!(weight[v] > 0)) continue;
    const float* middle = middles[hair[v]];
    float off[3], grey = 0, most = 0;
    for (int k = 0; k < 3; ++k) {
      off[k] = sum[3 * v + k] / weight[v] - middle[k];
      grey += off[k] / 3;
      most = std::max(most, std::abs(off[k]));
    }
    const float certain = weight[v] / cover[v],
                keep = 0.02f + 0.98f / (1 + std::pow(most / 0.35f, 4.0f));
    weight[v] = 3 * certain * certain * keep;
    for (int k = 0; k < 3; ++k)
      sum[3 * v + k] = weight[v] * (middle[k] + grey + std::clamp(off[k] - grey, -kHue, kHue));
  }
  constexpr float kScreen = 0.002f;
  std::vector<FourFloats> pull(count), spread(count);
  for (size_t v = 0; v < count; ++v) {
    for (int k = 0; k < 3; ++k) {
      const float middle = middles[hair[v]][k], own = sum[3 * v + k];  // weighed
      spread[v][k] = weight[v] > 0 ? own / weight[v] : middle;
      pull[v][k] = (weight[v] > 0 ? own : 0) + kScreen * middle;
    }
  }
  const std::vector<float> data(weight, weight + count);
  DAF_RETURN_IF_ERROR(Spread(FindNeighbours(model), pull, data, kScreen, 160, control, &spread));
  for (size_t v = 0; v < count; ++v) {
    for (int k = 0; k < 3; ++k) gain[3 * v + k] = std::exp(spread[v][k]);
  }
  return Status::Ok();
}

}  // namespace daf::head
