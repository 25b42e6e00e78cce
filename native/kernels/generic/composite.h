// Alpha compositing along rays, and its derivative. With alpha_i = 1 − exp(−density_i · step_i),
// T_i = Π_{j<i} (1 − alpha_j) and w_i = T_i alpha_i: dw_i/ddensity_i = step_i T_{i+1} and
// dw_j/ddensity_i = −step_i w_j for j > i.
#pragma once

#include "native/kernels/generic/math.h"

namespace daf::kernels {
namespace {

void Composite(const CompositeArgs* args) {
  const CompositeArgs& a = *args;
  const uint32_t samples = a.first[a.rays];
  for (uint32_t s = 0; s < samples; s += kLanes) {
    const F optical = Mul(Load(a.density + s), Load(a.step + s));
    Store(a.alpha + s, Sub(Set(1.0f), Exp(Sub(Zero(), optical))));
  }
  for (uint32_t ray = 0; ray < a.rays; ++ray) {
    float through = 1, r = 0, g = 0, b = 0, opacity = 0, depth = 0;
    for (uint32_t s = a.first[ray]; s < a.first[ray + 1]; ++s) {
      const float w = through * a.alpha[s];
      a.weight[s] = w;
      through *= 1 - a.alpha[s];
      if (a.r != nullptr) {
        r += w * a.r[s];
        g += w * a.g[s];
        b += w * a.b[s];
      }
      opacity += w;
      depth += w * a.t[s];
    }
    float* out = a.out + size_t{ray} * 6;
    out[0] = r;
    out[1] = g;
    out[2] = b;
    out[3] = opacity;
    out[4] = depth;
    out[5] = through;
  }
}

void CompositeBackward(const CompositeArgs* args) {
  const CompositeArgs& a = *args;
  for (uint32_t ray = 0; ray < a.rays; ++ray) {
    const float* d = a.d_out + size_t{ray} * 4;
    // From the back: `behind` is Σ_{j>i} w_j dL/dw_j, T_{i+1} follows from the front's product kept
    // in w and alpha.
    float behind = 0;
    for (uint32_t s = a.first[ray + 1]; s-- > a.first[ray];) {
      const float w = a.weight[s];
      float dw = d[3];
      if (a.d_weight != nullptr) dw += a.d_weight[s];
      if (a.r != nullptr) {
        dw += d[0] * a.r[s] + d[1] * a.g[s] + d[2] * a.b[s];
        a.d_r[s] = w * d[0];
        a.d_g[s] = w * d[1];
        a.d_b[s] = w * d[2];
      }
      a.d_density[s] = dw;  // finished below, when T_{i+1} is known
      a.alpha[s] = 1 - a.alpha[s];
      behind += w * dw;
    }
    float through = 1;
    for (uint32_t s = a.first[ray]; s < a.first[ray + 1]; ++s) {
      const float dw = a.d_density[s];
      behind -= a.weight[s] * dw;
      through *= a.alpha[s];
      a.d_density[s] = a.step[s] * (through * dw - behind);
      a.alpha[s] = 1 - a.alpha[s];
    }
  }
}

}  // namespace
}  // namespace daf::kernels
