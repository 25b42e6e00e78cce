#include "native/head/texture/light.h"

#include <algorithm>
#include <cmath>

#include "native/head/fit/dense.h"

namespace daf::head {

namespace {

// x[4] of target ≈ known × (x0 + x123·normal), least squares with Tukey weights around a shrinking
// spread.
bool Solve(const std::vector<LightSample>& samples, const std::vector<float>& known,
           const std::vector<float>& target, double x[4]) {
  double spread = 0;
  std::vector<float> errors(samples.size());
  for (int round = 0; round < 6; ++round) {
    double a[16] = {0}, b[4] = {0}, total = 0;
    for (size_t s = 0; s < samples.size(); ++s) {
      const float* n = samples[s].normal;
      const double basis[4] = {known[s], known[s] * n[0], known[s] * n[1], known[s] * n[2]};
      const double u = round == 0 ? 0 : errors[s] / (3 * spread);
      const double w = u < 1 ? samples[s].weight * (1 - u * u) * (1 - u * u) : 0;
      total += w * basis[0] * basis[0];
      for (int i = 0; i < 4; ++i) {
        b[i] += w * basis[i] * target[s];
        for (int j = 0; j <= i; ++j) a[4 * i + j] += w * basis[i] * basis[j];
      }
    }
    for (int i = 1; i < 4; ++i) a[4 * i + i] += 0.02 * total;
    a[0] += 1e-9 * (total + 1);
    if (!Cholesky(a, 4)) return false;
    SolveCholesky(a, 4, b);
    for (int i = 0; i < 4; ++i) x[i] = b[i];
    for (size_t s = 0; s < samples.size(); ++s) {
      const float* n = samples[s].normal;
      errors[s] = static_cast<float>(
          std::abs(target[s] - known[s] * (x[0] + x[1] * n[0] + x[2] * n[1] + x[3] * n[2])));
    }
    std::vector<float> sorted = errors;
    std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
    spread = std::max(1e-4, 1.5 * sorted[sorted.size() / 2]);
  }
  return true;
}

// Light from one side leaves the other to the sky and the room; a stronger direction than this is
// cast shadow, which no function of the normal describes.
void Moderate(double x[4]) {
  const double direction = std::sqrt(x[1] * x[1] + x[2] * x[2] + x[3] * x[3]),
               most = 0.65 * std::abs(x[0]);
  if (direction <= most) return;
  for (int i = 1; i < 4; ++i) x[i] *= most / direction;
}

}  // namespace

std::array<float, 12> EstimateLight(const std::vector<LightSample>& samples) {
  std::array<float, 12> light = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  if (samples.size() < 50) return light;
  // Half the direction is shared by the channels: a wholly coloured one is found in every deep
  // shadow and stains the skin when divided out, a wholly grey one leaves the sky's blue and the
  // lamp's yellow in.
  std::vector<float> known, target;
  for (const LightSample& s : samples) {
    known.push_back((s.albedo[0] + s.albedo[1] + s.albedo[2]) / 3);
    target.push_back((s.photo[0] + s.photo[1] + s.photo[2]) / 3);
  }
  double x[4];
  if (!Solve(samples, known, target, x) || !(x[0] > 1e-4)) return light;
  Moderate(x);
  for (int channel = 0; channel < 3; ++channel) {
    std::vector<float> ratios;
    for (const LightSample& s : samples) {
      const double shade = x[0] + x[1] * s.normal[0] + x[2] * s.normal[1] + x[3] * s.normal[2];
      if (shade > 0.1 * x[0] && s.albedo[channel] > 0.01f) {
        ratios.push_back(static_cast<float>(s.photo[channel] / (s.albedo[channel] * shade)));
      }
    }
    if (ratios.empty()) return light;
    std::nth_element(ratios.begin(), ratios.begin() + ratios.size() / 2, ratios.end());
    const double gain = ratios[ratios.size() / 2];
    double own[4];
    std::vector<float> albedo, photo;
    for (const LightSample& s : samples) {
      albedo.push_back(s.albedo[channel]);
      photo.push_back(s.photo[channel]);
    }
    if (!Solve(samples, albedo, photo, own)) return light;
    Moderate(own);
    for (int i = 0; i < 4; ++i)
      light[4 * channel + i] = static_cast<float>(0.5 * (own[i] + x[i] * gain));
  }
  return light;
}

}  // namespace daf::head
