#include "native/head/texture/light.h"

#include <algorithm>
#include <cmath>

#include "native/head/fit/dense.h"

namespace daf::head {

std::array<float, 12> EstimateLight(const std::vector<LightSample>& samples) {
  std::array<float, 12> light = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  if (samples.size() < 50) return light;
  for (int channel = 0; channel < 3; ++channel) {
    double x[4] = {1, 0, 0, 0};
    double spread = 1e9;
    for (int round = 0; round < 6; ++round) {
      double a[16] = {0}, b[4] = {0}, total = 0;
      for (const LightSample& s : samples) {
        const double basis[4] = {s.albedo[channel], s.albedo[channel] * s.normal[0],
                                 s.albedo[channel] * s.normal[1], s.albedo[channel] * s.normal[2]};
        const double error = s.photo[channel] - (basis[0] * x[0] + basis[1] * x[1] +
                                                 basis[2] * x[2] + basis[3] * x[3]);
        const double u = error / spread;
        const double w = s.weight * (round == 0        ? 1.0
                                     : std::abs(u) < 3 ? std::pow(1 - u * u / 9, 2)
                                                       : 0.0);
        total += w * basis[0] * basis[0];
        for (int i = 0; i < 4; ++i) {
          b[i] += w * basis[i] * s.photo[channel];
          for (int j = 0; j <= i; ++j) a[4 * i + j] += w * basis[i] * basis[j];
        }
      }
      for (int i = 1; i < 4; ++i) a[4 * i + i] += 0.02 * total;
      a[0] += 1e-9 * (total + 1);
      if (!Cholesky(a, 4)) return light;
      SolveCholesky(a, 4, b);
      for (int i = 0; i < 4; ++i) x[i] = b[i];
      std::vector<float> errors;
      errors.reserve(samples.size());
      for (const LightSample& s : samples) {
        const double shade = x[0] + x[1] * s.normal[0] + x[2] * s.normal[1] + x[3] * s.normal[2];
        errors.push_back(
            static_cast<float>(std::abs(s.photo[channel] - s.albedo[channel] * shade)));
      }
      std::nth_element(errors.begin(), errors.begin() + errors.size() / 2, errors.end());
      spread = std::max(1e-4, 1.5 * errors[errors.size() / 2]);
    }
    for (int i = 0; i < 4; ++i) light[4 * channel + i] = static_cast<float>(x[i]);
  }
  return light;
}

}  // namespace daf::head
