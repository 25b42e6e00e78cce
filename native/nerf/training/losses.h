// What a ray's colour, opacity and weights cost, and the derivatives that compositing's backward
// pass takes.
#pragma once

#include <cstdint>

#include "native/nerf/training/images.h"
#include "native/nerf/training/options.h"

namespace daf::nerf {

// Sums over rays.
struct LossSums {
  double loss = 0;           // with every term
  double squared_error = 0;  // of the three channels
  uint64_t rays = 0;

  void Add(const LossSums& other) {
    loss += other.loss;
    squared_error += other.squared_error;
    rays += other.rays;
  }
};

// Huber loss of the colour over the background and, where asked for, the entropy of the opacity.
// out: r g b opacity depth transmittance of the ray; d_out[4]: derivatives by r g b and opacity.
void ColorLoss(const SceneTrainOptions& options, const TrainingRay& ray, const float out[6],
               float d_out[4], LossSums* sums);

// Distortion (Barron et al. 2022) of one ray of n samples: Σ_ij w_i w_j |t_i − t_j| + Σ_i w_i² s_i
// / 3 with t the samples' distances and s their lengths. Writes dL/dw, scaled by `weight`; returns
// the loss.
double Distortion(const float* w, const float* t, const float* s, uint32_t n, float weight,
                  float* d_weight);

}  // namespace daf::nerf
