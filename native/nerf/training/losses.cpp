#include "native/nerf/training/losses.h"

#include <algorithm>
#include <cmath>

namespace daf::nerf {

void ColorLoss(const SceneTrainOptions& options, const TrainingRay& ray, const float out[6],
               float d_out[4], LossSums* sums) {
  double loss = 0;
  d_out[3] = 0;
  for (int c = 0; c < 3; ++c) {
    const float error = out[c] + (1 - out[3]) * ray.background[c] -
                        (ray.alpha * ray.color[c] + (1 - ray.alpha) * ray.background[c]);
    const float size = std::fabs(error);
    const bool square = size < options.huber;
    loss += square ? error * error / (2 * options.huber) : size - options.huber / 2;
    d_out[c] = square ? error / options.huber : std::copysign(1.0f, error);
    d_out[3] -= d_out[c] * ray.background[c];
    sums->squared_error += double{error} * error;
  }
  if (options.opacity_weight > 0) {
    constexpr float kEdge = 1e-4f;  // the entropy's slope is infinite at 0 and 1
    const float o = std::min(std::max(out[3], kEdge), 1 - kEdge);
    loss -= options.opacity_weight * (o * std::log(o) + (1 - o) * std::log(1 - o));
    if (o == out[3]) d_out[3] -= options.opacity_weight * std::log(o / (1 - o));
  }
  sums->loss += loss;
  ++sums->rays;
}

double Distortion(const float* w, const float* t, const float* s, uint32_t n, float weight,
                  float* d_weight) {
  double total = 0, total_t = 0;
  for (uint32_t i = 0; i < n; ++i) {
    total += w[i];
    total_t += double{w[i]} * t[i];
  }
  // Σ_j w_j |t_i − t_j| from the sums before and after i, as t ascends.
  double before = 0, before_t = 0, loss = 0;
  for (uint32_t i = 0; i < n; ++i) {
    const double after = total - before - w[i], after_t = total_t - before_t - double{w[i]} * t[i];
    const double apart = t[i] * before - before_t + after_t - t[i] * after;
    loss += w[i] * (apart + double{w[i]} * s[i] / 3);
    d_weight[i] = static_cast<float>(weight * (2 * apart + 2 * double{w[i]} * s[i] / 3));
    before += w[i];
    before_t += double{w[i]} * t[i];
  }
  return weight * loss;
}

}  // namespace daf::nerf
