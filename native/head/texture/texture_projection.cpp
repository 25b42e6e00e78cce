#include "native/head/texture/texture_projection.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "native/head/fit/fit.h"
#include "native/head/matte/distance.h"
#include "native/head/texture/atlas.h"
#include "native/head/texture/balance.h"
#include "native/head/texture/colour.h"
#include "native/head/texture/eyes.h"
#include "native/head/texture/fill.h"
#include "native/head/texture/light.h"
#include "native/head/texture/sampling.h"

namespace daf::head {
namespace {

constexpr float kDarkest = 0.5f, kBrightest = 2.0f;  // believable shading relative to the mean
constexpr int kRings = 8;                            // texels grown around each chart

Status CheckArguments(const TextureView* views, int view_count, int size) {
  if (size < 64 || size > 4096) return Status(Code::kBadArgument, "texture: size must be 64…4096");
  if (view_count <= 0) return Status(Code::kBadArgument, "texture: there are no photos");
  for (int v = 0; v < view_count; ++v) {
    const TextureView& view = views[v];
    const std::string name = "texture: photo " + std::to_string(v);
    if (view.photo.width != view.camera.width || view.photo.height != view.camera.height ||
        view.photo.width <= 0 || view.photo.height <= 0) {
      return Status(Code::kBadArgument, name + " has another size than its camera");
    }
    if (view.photo.channels < 3 || view.photo.channels > 4)
      return Status(Code::kBadArgument, name + " must have 3 or 4 channels");
    if (!(view.weight > 0) || !std::isfinite(view.weight))
      return Status(Code::kBadArgument, name + " must have a positive weight");
  }
  return Status::Ok();
}

// Unit normal at a texel.
void NormalAt(const HeadModel& model, const Atlas& atlas, const float* normals, size_t texel,
              float out[3]) {
  float w[3], length = 0;
  atlas.Weights(texel, w);
  for (int k = 0; k < 3; ++k) out[k] = 0;
  for (int c = 0; c < 3; ++c) {
    const size_t p =
        3 * size_t{model.source[model.triangles[3 * size_t{atlas.triangle[texel]} + c]]};
    for (int k = 0; k < 3; ++k) out[k] += w[c] * normals[p + k];
  }
  for (int k = 0; k < 3; ++k) length += out[k] * out[k];
  length = std::sqrt(std::max(1e-12f, length));
  for (int k = 0; k < 3; ++k) out[k] /= length;
}

// Divides a photo's light out of its samples, keeping the mean colour over what it saw.
Status RemoveLight(const HeadModel& model, const Atlas& atlas, const uint8_t* base,
                   const std::vector<float>& skin, bool remove, const TaskControl& control,
                   const SampledView& view, std::array<float, 12>* light) {
  *light = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  if (!remove) return Status::Ok();
  const auto& linear = LinearTable();
  std::vector<LightSample> samples;
  const size_t stride = std::max<size_t>(1, atlas.texels() / 60000) | 1;
  for (size_t i = 0; i < atlas.texels(); i += stride) {
    if (!(view.weight[i] > 0.05f)) continue;
    LightSample s;
    for (int k = 0; k < 3; ++k) {
      s.albedo[k] = linear[base[4 * i + k]];
      s.photo[k] = view.colour[3 * i + k];
    }
    NormalAt(model, atlas, view.normals, i, s.normal);
    s.weight = view.weight[i] * skin[model.source[model.triangles[3 * size_t{atlas.triangle[i]}]]];
    if (!(s.weight > 0)) continue;
    samples.push_back(s);
  }
  DAF_RETURN_IF_ERROR(control.Check());
  const std::array<float, 12> found = EstimateLight(samples);
  float mean[3] = {0, 0, 0}, total = 0;
  for (const LightSample& s : samples) {
    total += s.weight;
    for (int k = 0; k < 3; ++k) {
      mean[k] += s.weight * (found[4 * k] + found[4 * k + 1] * s.normal[0] +
                             found[4 * k + 2] * s.normal[1] + found[4 * k + 3] * s.normal[2]);
    }
  }
  if (samples.size() < 50 || !(total > 0)) return Status::Ok();
  for (int k = 0; k < 3; ++k) {
    if (!(mean[k] / total > 1e-3f)) return Status::Ok();
    for (int j = 0; j < 4; ++j) (*light)[4 * k + j] = found[4 * k + j] * total / mean[k];
  }
  for (size_t i = 0; i < atlas.texels(); ++i) {
    if (i % 4096 == 0) DAF_RETURN_IF_ERROR(control.Check());
    if (!(view.weight[i] > 0)) continue;
    float normal[3];
    NormalAt(model, atlas, view.normals, i, normal);
    for (int k = 0; k < 3; ++k) {
      const float* l = light->data() + 4 * k;
      view.colour[3 * i + k] /= std::clamp(
          l[0] + l[1] * normal[0] + l[2] * normal[1] + l[3] * normal[2], kDarkest, kBrightest);
    }
  }
  return Status::Ok();
}

struct Sums {
  float* low = nullptr;     // [texels][3] Σ w·low
  float* high = nullptr;    // [texels][3] Σ w⁴·high
  float* weight = nullptr;  // Σ w
  float* sharp = nullptr;   // Σ w⁴
};

// Brings a photo to the colours of those before it, from what both saw.
void MatchColours(const Atlas& atlas, const Sums& sums, const SampledView& view,
                  std::array<float, 12>* light) {
  double ratio[3] = {0, 0, 0}, total = 0;
  for (size_t i = 0; i < atlas.texels(); ++i) {
    const float w = std::min(view.weight[i], sums.weight[i]);
    if (!(w > 0.05f)) continue;
    total += w;
    for (int k = 0; k < 3; ++k) {
      const float before = ToLinear(sums.low[3 * i + k] / sums.weight[i]) + 0.01f;
      ratio[k] += w * std::clamp(std::log(before / (view.colour[3 * i + k] + 0.01f)), -1.5f, 1.5f);
    }
  }
  if (!(total > 100)) return;
  for (int k = 0; k < 3; ++k) {
    const float gain = static_cast<float>(std::exp(ratio[k] / total));
    for (size_t i = 0; i < atlas.texels(); ++i) view.colour[3 * i + k] *= gain;
    for (int j = 0; j < 4; ++j) (*light)[4 * k + j] /= gain;
  }
}

// Splits the view into a broad and a fine band and adds both: the broad one blends over wide
// borders, the fine one comes almost whole from the photo that saw a texel best, so neither seams
// nor double contours show.
Status AddBands(const Atlas& atlas, float view_weight, const TaskControl& control,
                const SampledView& view, float* const scratch[3], const Sums& sums) {
  const int radius = std::max(2, atlas.size / 80);
  const size_t n = atlas.texels();
  float *channel = scratch[0], *mask = scratch[1];
  const auto blur = [&](float* image) -> Status {
    for (int pass = 0; pass < 2; ++pass) {
      DAF_RETURN_IF_ERROR(control.Check());
      BoxMean(image, atlas.size, atlas.size, radius, scratch[2]);
    }
    return Status::Ok();
  };
  // Barely seen texels still hold some of the broad band, so that it does not jump at the edge of
  // what was seen.
  const auto presence = [&](size_t i) {
    return view.weight[i] > 0 ? 0.02f + view.weight[i] : 0.0f;
  };
  for (size_t i = 0; i < n; ++i) mask[i] = presence(i);
  DAF_RETURN_IF_ERROR(blur(mask));
  for (int k = 0; k < 3; ++k) {
    for (size_t i = 0; i < n; ++i) {
      float& c = view.colour[3 * i + k];
      c = view.weight[i] > 0 ? ToSrgb(std::min(c, 1.0f)) : 0.0f;
      channel[i] = c * presence(i);
    }
    DAF_RETURN_IF_ERROR(blur(channel));
    for (size_t i = 0; i < n; ++i) {
      const float w = view.weight[i];
      if (!(w > 0)) continue;
      const float low = channel[i] / mask[i], sharp = w * w * w * w;
      sums.low[3 * i + k] += view_weight * w * low;
      sums.high[3 * i + k] += view_weight * sharp * (view.colour[3 * i + k] - low);
    }
  }
  for (size_t i = 0; i < n; ++i) {
    const float w = view.weight[i];
    sums.weight[i] += view_weight * w;
    sums.sharp[i] += view_weight * w * w * w * w;
  }
  return Status::Ok();
}

// Surface of each triangle of the mean head that one of its texels stands for, cm².
std::vector<float> AreaPerTexel(const HeadModel& model, const Atlas& atlas) {
  std::vector<float> out(model.triangle_count(), 0);
  std::vector<uint32_t> texels(model.triangle_count(), 0);
  for (size_t i = 0; i < atlas.texels(); ++i) {
    if (atlas.triangle[i] != kNoTriangle) ++texels[atlas.triangle[i]];
  }
  for (uint32_t t = 0; t < model.triangle_count(); ++t) {
    if (texels[t] == 0) continue;
    double u[3], v[3];
    const auto at = [&](int c) {
      return model.mean.data() + 3 * size_t{model.source[model.triangles[3 * size_t{t} + c]]};
    };
    for (int k = 0; k < 3; ++k) {
      u[k] = double{at(1)[k]} - at(0)[k];
      v[k] = double{at(2)[k]} - at(0)[k];
    }
    const double n[3] = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2],
                         u[0] * v[1] - u[1] * v[0]};
    out[t] =
        static_cast<float>(0.5 * std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) / texels[t]);
  }
  return out;
}

}  // namespace

Status ProjectTexture(const HeadModel& model, const TextureView* views, int view_count,
                      const uint8_t* base, int size, const TextureOptions& options, Arena& arena,
                      const TaskControl& control, uint8_t* texture, uint8_t* observed,
                      TextureReport* report) {
  DAF_RETURN_IF_ERROR(CheckArguments(views, view_count, size));
  Atlas atlas;
  DAF_RETURN_IF_ERROR(BuildAtlas(model, size, arena, control, &atlas));
  const size_t n = atlas.texels();
  const std::vector<uint8_t> photographed = PhotographedTriangles(model);
  const std::vector<float> skin = BareSkin(model);
  Sums sums;
  SampledView sampled;
  float* scratch[3];
  DAF_RETURN_IF_ERROR(arena.Allocate(3 * n, &sums.low));
  DAF_RETURN_IF_ERROR(arena.Allocate(3 * n, &sums.high));
  DAF_RETURN_IF_ERROR(arena.Allocate(n, &sums.weight));
  DAF_RETURN_IF_ERROR(arena.Allocate(n, &sums.sharp));
  DAF_RETURN_IF_ERROR(arena.Allocate(3 * n, &sampled.colour));
  DAF_RETURN_IF_ERROR(arena.Allocate(n, &sampled.weight));
  DAF_RETURN_IF_ERROR(arena.Allocate(size_t{model.position_count} * 3, &sampled.normals));
  for (float*& buffer : scratch) DAF_RETURN_IF_ERROR(arena.Allocate(n, &buffer));
  std::fill(sums.low, sums.low + 3 * n, 0.0f);
  std::fill(sums.high, sums.high + 3 * n, 0.0f);
  std::fill(sums.weight, sums.weight + n, 0.0f);
  std::fill(sums.sharp, sums.sharp + n, 0.0f);

  // The best photo first: the others are matched to its colours.
  std::vector<int> order(view_count);
  for (int v = 0; v < view_count; ++v) order[v] = v;
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return views[a].weight > views[b].weight; });
  report->lights.assign(view_count, {});
  for (int done = 0; done < view_count; ++done) {
    control.Progress(done, view_count + 1);
    const TextureView& view = views[order[done]];
    {
      Arena per_view;  // the depth buffer's blocks go back before the next photo
      DAF_RETURN_IF_ERROR(SampleView(model, atlas, photographed, view, per_view, control, sampled));
    }
    std::array<float, 12>& light = report->lights[order[done]];
    DAF_RETURN_IF_ERROR(
        RemoveLight(model, atlas, base, skin, options.remove_light, control, sampled, &light));
    MatchColours(atlas, sums, sampled, &light);
    DAF_RETURN_IF_ERROR(
        AddBands(atlas, view.weight / views[order[0]].weight, control, sampled, scratch, sums));
  }

  // The sums become the blend in place.
  const Blend blend{sums.high, sums.weight};
  float* strength = scratch[0];
  for (size_t i = 0; i < n; ++i) {
    const float w = sums.weight[i], sharp = sums.sharp[i];
    for (int k = 0; k < 3; ++k) {
      const float low = w > 0 ? sums.low[3 * i + k] / w : 0;
      const float high = sharp > 1e-20f ? sums.high[3 * i + k] / sharp : 0;
      blend.colour[3 * i + k] = std::clamp(low + high, 0.0f, 1.0f);
    }
    strength[i] = SmoothStep(0.3f, 0.9f, w);
    blend.confidence[i] = SmoothStep(0.01f, 0.5f, w);
  }
  DAF_RETURN_IF_ERROR(DoubtWeakTones(model, atlas, strength, control, blend));
  for (size_t i = 0; i < n; ++i) observed[i] = ToByte(blend.confidence[i]);
  if (options.remove_light) DAF_RETURN_IF_ERROR(BalanceSides(model, atlas, control, blend));
  float* mirrored = sums.sharp;
  std::fill(mirrored, mirrored + n, 0.0f);
  if (options.mirror)
    DAF_RETURN_IF_ERROR(FillFromMirror(model, atlas, arena, control, blend, mirrored));

  float *gain, skin_gain[3];
  DAF_RETURN_IF_ERROR(arena.Allocate(size_t{model.position_count} * 3, &gain));
  DAF_RETURN_IF_ERROR(SpreadGain(model, atlas, blend, base, photographed, options.mirror, arena,
                                 control, gain, skin_gain));
  const std::vector<float> iris = IrisWeights(model, atlas);
  float iris_gain[3] = {1, 1, 1};
  EstimateIrisGain(model, atlas, iris, views, view_count, report->lights, base, iris_gain);

  const auto& linear = LinearTable();
  const std::vector<float> area = AreaPerTexel(model, atlas);
  const std::vector<uint16_t> parts = PartOfTriangle(model);
  double seen = 0, copied = 0, whole = 0;
  for (size_t i = 0; i < n; ++i) {
    if (i % 4096 == 0) DAF_RETURN_IF_ERROR(control.Check());
    const uint32_t t = atlas.triangle[i];
    texture[4 * i + 3] = base[4 * i + 3];
    if (t == kNoTriangle || photographed[t] == 0) {
      for (int k = 0; k < 3; ++k) {
        const float factor = 1 + iris[i] * (iris_gain[k] - 1);
        texture[4 * i + k] = iris[i] > 0
                                 ? ToByte(ToSrgb(std::min(1.0f, linear[base[4 * i + k]] * factor)))
                                 : base[4 * i + k];
      }
      continue;
    }
    float w[3];
    atlas.Weights(i, w);
    for (int k = 0; k < 3; ++k) {
      float g = 0;
      for (int c = 0; c < 3; ++c)
        g += w[c] * gain[3 * size_t{model.source[model.triangles[3 * size_t{t} + c]]} + k];
      const float filled =
          ToSrgb(std::clamp((linear[base[4 * i + k]] + 0.01f) * g - 0.01f, 0.0f, 1.0f));
      texture[4 * i + k] =
          ToByte(filled + blend.confidence[i] * (blend.colour[3 * i + k] - filled));
    }
    if (parts[t] < model.parts.size() && model.parts[parts[t]].name.rfind("hair", 0) == 0) continue;
    whole += area[t];
    seen += area[t] * static_cast<float>(observed[i]) / 255;
    copied += area[t] * mirrored[i];
  }
  DAF_RETURN_IF_ERROR(DilateCharts(atlas, kRings, arena, control, texture));
  report->observed_fraction = whole > 0 ? static_cast<float>(seen / whole) : 0;
  report->mirrored_fraction = whole > 0 ? static_cast<float>(copied / whole) : 0;
  control.Progress(view_count + 1, view_count + 1);
  return Status::Ok();
}

}  // namespace daf::head
