#include "native/head/texture/eyes.h"

#include <algorithm>
#include <cmath>

#include "native/head/texture/colour.h"

namespace daf::head {
namespace {

constexpr float kPupilDegrees = 11, kIrisDegrees = 29;  // seen from the eyeball's centre
constexpr size_t kFewestPixels = 40;  // between the lids, to tell an iris from a lash

// Pixels inside the polygon of six lid landmarks, drawn in a little; linear colours divided by the
// light straight ahead.
void CollectEye(const TextureView& view, const HeadModel& model, int first,
                const std::array<float, 12>& light, std::vector<std::array<float, 3>>* out) {
  float polygon[6][2], middle[2] = {0, 0};
  for (int i = 0; i < 6; ++i) {
    float depth;
    if (!view.camera.Project(view.positions + 3 * size_t{model.landmarks[first + i]}, polygon[i],
                             &depth))
      return;
    for (int k = 0; k < 2; ++k) middle[k] += polygon[i][k] / 6;
  }
  float low[2] = {1e9f, 1e9f}, high[2] = {-1e9f, -1e9f};
  for (auto& corner : polygon) {
    for (int k = 0; k < 2; ++k) {
      corner[k] = middle[k] + 0.85f * (corner[k] - middle[k]);
      low[k] = std::min(low[k], corner[k]);
      high[k] = std::max(high[k], corner[k]);
    }
  }
  const auto& linear = LinearTable();
  float shade[3];
  for (int k = 0; k < 3; ++k) shade[k] = std::clamp(light[4 * k] + light[4 * k + 3], 0.2f, 5.0f);
  const int left = std::max(0, static_cast<int>(low[0])),
            right = std::min(view.photo.width - 1, static_cast<int>(high[0]));
  const int top = std::max(0, static_cast<int>(low[1])),
            bottom = std::min(view.photo.height - 1, static_cast<int>(high[1]));
  for (int y = top; y <= bottom; ++y) {
    for (int x = left; x <= right; ++x) {
      bool inside = false;
      const float px = static_cast<float>(x) + 0.5f, py = static_cast<float>(y) + 0.5f;
      for (int i = 0, j = 5; i < 6; j = i++) {
        if ((polygon[i][1] > py) == (polygon[j][1] > py)) continue;
        const float cross = (polygon[j][0] - polygon[i][0]) * (py - polygon[i][1]) /
                                (polygon[j][1] - polygon[i][1]) +
                            polygon[i][0];
        if (px < cross) inside = !inside;
      }
      if (!inside || view.matte[static_cast<size_t>(y) * view.photo.width + x] < 128) continue;
      const uint8_t* c = view.photo.at(x, y);
      out->push_back({linear[c[0]] / shade[0], linear[c[1]] / shade[1], linear[c[2]] / shade[2]});
    }
  }
}

}  // namespace

std::vector<float> IrisWeights(const HeadModel& model, const Atlas& atlas) {
  std::vector<float> out(atlas.texels(), 0);
  const std::vector<uint16_t> parts = PartOfTriangle(model);
  std::vector<std::array<float, 3>> centres(model.parts.size());
  for (size_t p = 0; p < model.parts.size(); ++p) {
    const Part& part = model.parts[p];
    if (part.name.rfind("eye", 0) != 0 || part.vertex_count == 0) continue;
    // The middle of the bounding box: a denser iris does not pull it forward.
    float low[3] = {1e9f, 1e9f, 1e9f}, high[3] = {-1e9f, -1e9f, -1e9f};
    for (uint32_t r = part.first_vertex; r < part.first_vertex + part.vertex_count; ++r) {
      for (int k = 0; k < 3; ++k) {
        const float x = model.mean[3 * size_t{model.source[r]} + k];
        low[k] = std::min(low[k], x);
        high[k] = std::max(high[k], x);
      }
    }
    for (int k = 0; k < 3; ++k) centres[p][k] = 0.5f * (low[k] + high[k]);
  }
  for (size_t i = 0; i < atlas.texels(); ++i) {
    const uint32_t t = atlas.triangle[i];
    if (t == kNoTriangle || parts[t] >= model.parts.size() ||
        model.parts[parts[t]].name.rfind("eye", 0) != 0)
      continue;
    float w[3], d[3], length = 0;
    atlas.Weights(i, w);
    for (int k = 0; k < 3; ++k) {
      d[k] = -centres[parts[t]][k];
      for (int c = 0; c < 3; ++c)
        d[k] += w[c] * model.mean[3 * size_t{model.source[model.triangles[3 * size_t{t} + c]]} + k];
      length += d[k] * d[k];
    }
    const float degrees =
        std::acos(std::clamp(d[2] / std::sqrt(std::max(1e-12f, length)), -1.0f, 1.0f)) * 57.29578f;
    out[i] = SmoothStep(kPupilDegrees - 1.5f, kPupilDegrees + 1.5f, degrees) *
             (1 - SmoothStep(kIrisDegrees - 1.5f, kIrisDegrees + 1.5f, degrees));
  }
  return out;
}

bool EstimateIrisGain(const HeadModel& model, const Atlas& atlas, const std::vector<float>& iris,
                      const TextureView* views, int view_count,
                      const std::vector<std::array<float, 12>>& lights, const uint8_t* base,
                      float gain[3]) {
  const auto& linear = LinearTable();
  double known[3] = {0, 0, 0}, total = 0;
  for (size_t i = 0; i < atlas.texels(); ++i) {
    if (iris[i] < 0.5f) continue;
    total += iris[i];
    for (int k = 0; k < 3; ++k) known[k] += iris[i] * linear[base[4 * i + k]];
  }
  if (!(total > 0)) return false;
  double seen[3] = {0, 0, 0};
  int eyes = 0;
  for (int v = 0; v < view_count; ++v) {
    for (const int first : {36, 42}) {
      std::vector<std::array<float, 3>> colours;
      CollectEye(views[v], model, first, lights[v], &colours);
      if (colours.size() < kFewestPixels) continue;
      std::sort(colours.begin(), colours.end(), [](const auto& a, const auto& b) {
        return a[0] + 2 * a[1] + a[2] < b[0] + 2 * b[1] + b[2];
      });
      // The darkest tenth is pupil and lash, the brighter two thirds white and lid.
      const size_t from = colours.size() / 10, to = colours.size() * 35 / 100;
      double mean[3] = {0, 0, 0};
      for (size_t i = from; i < to; ++i) {
        for (int k = 0; k < 3; ++k) mean[k] += colours[i][k] / static_cast<double>(to - from);
      }
      for (int k = 0; k < 3; ++k) seen[k] += mean[k];
      ++eyes;
    }
  }
  if (eyes == 0) return false;
  for (int k = 0; k < 3; ++k) {
    gain[k] = static_cast<float>(
        std::clamp((seen[k] / eyes + 0.005) / (known[k] / total + 0.005), 0.35, 2.8));
  }
  return true;
}

}  // namespace daf::head
