#include "native/head/matte/mixture.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace daf::head {
namespace {

// Log of a share that changes no sum of floats beside 1.
constexpr float kNothing = -18;

float Distance2(const float a[3], const uint8_t b[3]) {
  float d = 0;
  for (int k = 0; k < 3; ++k) d += (a[k] - b[k]) * (a[k] - b[k]);
  return d;
}

}  // namespace

void Mixture::Learn(const uint8_t* colours, size_t count) {
  empty = count == 0;
  if (empty) return;
  // Seeds: the first colour, then always the colour farthest from all seeds, which finds hair, skin
  // and clothes.
  for (int k = 0; k < 3; ++k) mean[0][k] = colours[k];
  std::vector<float> nearest(count, 1e30f);  // seed, squared
  for (int part = 1; part < kParts; ++part) {
    size_t farthest = 0;
    float most = -1;
    for (size_t i = 0; i < count; ++i) {
      nearest[i] = std::min(nearest[i], Distance2(mean[part - 1], colours + 3 * i));
      if (nearest[i] > most) {
        most = nearest[i];
        farthest = i;
      }
    }
    for (int k = 0; k < 3; ++k) mean[part][k] = colours[3 * farthest + k];
  }
  double sums[kParts][3], squares[kParts][3];
  size_t members[kParts];
  for (int round = 0; round < 8; ++round) {
    for (int p = 0; p < kParts; ++p) {
      members[p] = 0;
      for (int k = 0; k < 3; ++k) sums[p][k] = squares[p][k] = 0;
    }
    for (size_t i = 0; i < count; ++i) {
      int best = 0;
      float least = 1e30f;
      for (int p = 0; p < kParts; ++p) {
        const float d = Distance2(mean[p], colours + 3 * i);
        if (d < least) {
          least = d;
          best = p;
        }
      }
      ++members[best];
      for (int k = 0; k < 3; ++k) {
        const double c = colours[3 * i + k];
        sums[best][k] += c;
        squares[best][k] += c * c;
      }
    }
    for (int p = 0; p < kParts; ++p) {
      if (members[p] == 0) continue;
      for (int k = 0; k < 3; ++k) mean[p][k] = static_cast<float>(sums[p][k] / members[p]);
    }
  }
  for (int p = 0; p < kParts; ++p) {
    log_weight[p] = -INFINITY;
    if (members[p] == 0) continue;
    double log_determinant = 0;
    for (int k = 0; k < 3; ++k) {
      const double m = sums[p][k] / members[p];
      // A floor of six grey levels: a flat backdrop must not claim certainty that noise would
      // break.
      const double variance = squares[p][k] / members[p] - m * m + 36;
      inverse_variance[p][k] = static_cast<float>(1 / variance);
      log_determinant += std::log(variance);
    }
    log_weight[p] = static_cast<float>(std::log(static_cast<double>(members[p]) / count) -
                                       0.5 * log_determinant);
  }
}

float Mixture::LogLikelihood(const uint8_t colour[3]) const {
  float values[kParts], most = -INFINITY;
  for (int p = 0; p < kParts; ++p) {
    float d = 0;
    for (int k = 0; k < 3; ++k)
      d += (mean[p][k] - colour[k]) * (mean[p][k] - colour[k]) * inverse_variance[p][k];
    values[p] = log_weight[p] - 0.5f * d;
    most = std::max(most, values[p]);
  }
  float sum = 0;
  for (float value : values) {
    if (value - most > kNothing) sum += std::exp(value - most);
  }
  return most + std::log(sum);
}

}  // namespace daf::head
