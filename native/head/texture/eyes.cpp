#include "native/head/texture/eyes.h"

#include <algorithm>
#include <cmath>

#include "native/head/texture/colour.h"

namespace daf::head {
namespace {

constexpr float kPupilDegrees = 11, kIrisDegrees = 29;  // seen from the eyeball's centre
constexpr size_t kFewestPixels = 40;  // between the lids, to tell an iris from a lash

// Share of the distance between an eye's corners (some 30 mm) that is an iris's radius (5.9 mm).
constexpr float kIrisOfWidth = 0.195f;
constexpr float kSmallestIris = 2.5f;  // radius in pixels, below which there is no ring to look at
constexpr size_t kFewestRingPixels = 10;

using Rgb = std::array<float, 3>;
float Luminance(const Rgb& c) { return 0.25f * (c[0] + 2 * c[1] + c[2]); }

struct EyePixel {
  float x, y;
  Rgb colour;  // linear, divided by the light straight ahead
};

struct Eye {
  float corners[2][2];           // pixels
  float middle[2];               // of the lids
  std::vector<EyePixel> pixels;  // between the lids, drawn in a little
};

// What one view shows of an eye between its six lid landmarks; no pixels where it is hidden.
Eye SeeEye(const TextureView& view, const HeadModel& model, int first,
           const std::array<float, 12>& light) {
  Eye out{};
  float polygon[6][2];
  for (int i = 0; i < 6; ++i) {
    float depth;
    if (!view.camera.Project(view.positions + 3 * size_t{model.landmarks[first + i]}, polygon[i],
                             &depth))
      return out;
    for (int k = 0; k < 2; ++k) out.middle[k] += polygon[i][k] / 6;
  }
  for (int k = 0; k < 2; ++k) {
    out.corners[0][k] = polygon[0][k];
    out.corners[1][k] = polygon[3][k];
  }
  float low[2] = {1e9f, 1e9f}, high[2] = {-1e9f, -1e9f};
  for (auto& corner : polygon) {
    for (int k = 0; k < 2; ++k) {
      corner[k] = out.middle[k] + 0.85f * (corner[k] - out.middle[k]);
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
      out.pixels.push_back(
          {px, py, {linear[c[0]] / shade[0], linear[c[1]] / shade[1], linear[c[2]] / shade[2]}});
    }
  }
  return out;
}

// The mean of the colours whose luminance ranks from `from` to `to`, shares of all.
Rgb MeanOfRanks(std::vector<Rgb>* colours, float from, float to) {
  std::sort(colours->begin(), colours->end(),
            [](const Rgb& a, const Rgb& b) { return Luminance(a) < Luminance(b); });
  const size_t n = colours->size();
  const size_t begin = static_cast<size_t>(from * static_cast<float>(n));
  const size_t end = std::max(begin + 1, static_cast<size_t>(to * static_cast<float>(n)));
  double mean[3] = {0, 0, 0};
  for (size_t i = begin; i < end; ++i) {
    for (int k = 0; k < 3; ++k) mean[k] += (*colours)[i][k] / static_cast<double>(end - begin);
  }
  return {static_cast<float>(mean[0]), static_cast<float>(mean[1]), static_cast<float>(mean[2])};
}

// An iris is a disc of known size, darker than what is around it: its place is where it differs
// most from its surroundings, wherever the eye looks. Its colour is the ring's between the pupil
// and the dark rim. False when it is too small.
bool IrisColour(const Eye& eye, Rgb* colour) {
  const float axis[2] = {eye.corners[1][0] - eye.corners[0][0],
                         eye.corners[1][1] - eye.corners[0][1]};
  const float width = std::hypot(axis[0], axis[1]), radius = kIrisOfWidth * width;
  if (radius < kSmallestIris || eye.pixels.size() < kFewestPixels) return false;
  const float along[2] = {axis[0] / width, axis[1] / width};
  float best = -1e9f, centre[2] = {eye.middle[0], eye.middle[1]};
  for (int step = -6; step <= 6; ++step) {
    for (int lift = -2; lift <= 2; ++lift) {
      const float u = 0.035f * width * static_cast<float>(step),
                  v = 0.03f * width * static_cast<float>(lift);
      const float x = eye.middle[0] + u * along[0] - v * along[1],
                  y = eye.middle[1] + u * along[1] + v * along[0];
      float sum[2] = {0, 0}, count[2] = {0, 0};
      for (const EyePixel& p : eye.pixels) {
        const float distance = std::hypot(p.x - x, p.y - y) / radius;
        if (distance > 1.5f) continue;
        const int around = distance > 1;
        sum[around] += std::min(1.0f, Luminance(p.colour));
        ++count[around];
      }
      if (count[0] == 0 || count[1] == 0) continue;
      // Off-centre places are less likely, and whole discs count for more than cut ones.
      const float score = (sum[1] / count[1] - sum[0] / count[0]) *
                              std::sqrt(count[0] / (3.14159f * radius * radius)) -
                          0.004f * static_cast<float>(std::abs(step));
      if (score <= best) continue;
      best = score;
      centre[0] = x;
      centre[1] = y;
    }
  }
  std::vector<Rgb> ring;
  for (const EyePixel& p : eye.pixels) {
    const float distance = std::hypot(p.x - centre[0], p.y - centre[1]) / radius;
    // The upper lid's lashes and shadow lie over the upper part.
    if (distance > 0.45f && distance < 0.85f && p.y > centre[1] - 0.4f * radius)
      ring.push_back(p.colour);
  }
  if (ring.size() < kFewestRingPixels) return false;
  *colour = MeanOfRanks(&ring, 0.15f, 0.8f);  // without lashes and highlights
  return true;
}

// Where the iris is too small to be found: the darkest tenth is pupil and lash, the brighter two
// thirds white and lid.
bool DarkColour(const Eye& eye, Rgb* colour) {
  if (eye.pixels.size() < kFewestPixels) return false;
  std::vector<Rgb> colours;
  for (const EyePixel& p : eye.pixels) colours.push_back(p.colour);
  *colour = MeanOfRanks(&colours, 0.1f, 0.35f);
  return true;
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
      const Eye eye = SeeEye(views[v], model, first, lights[v]);
      Rgb colour;
      if (!IrisColour(eye, &colour) && !DarkColour(eye, &colour)) continue;
      for (int k = 0; k < 3; ++k) seen[k] += colour[k];
      ++eyes;
    }
  }
  if (eyes == 0) return false;
  for (int k = 0; k < 3; ++k) {
    gain[k] = static_cast<float>(
        std::clamp((seen[k] / eyes + 0.005) / (known[k] / total + 0.005), 0.2, 14.0));
  }
  return true;
}

}  // namespace daf::head
