// Adam (Kingma and Ba 2015).
#pragma once

#include "native/kernels/generic/math.h"

namespace daf::kernels {
namespace {

inline __attribute__((always_inline)) void AdamStep(const AdamArgs& a, size_t at, F gradient,
                                                    M where, bool masked) {
  const F p = Load(a.parameters + at), m0 = Load(a.first + at), v0 = Load(a.second + at);
  const F g = Fma(Set(a.decay), p, Mul(gradient, Set(a.scale)));
  const F m = Fma(Set(a.beta1), m0, Mul(Set(1 - a.beta1), g));
  const F v = Fma(Set(a.beta2), v0, Mul(Set(1 - a.beta2), Mul(g, g)));
  const F next =
      Sub(p, Div(Mul(Set(a.rate), m), Add(Sqrt(Mul(v, Set(a.correction))), Set(a.epsilon))));
  Store(a.parameters + at, masked ? Select(where, next, p) : next);
  Store(a.first + at, masked ? Select(where, m, m0) : m);
  Store(a.second + at, masked ? Select(where, v, v0) : v);
  Store(a.gradients + at, Zero());
}

void Adam(const AdamArgs* args) {
  const AdamArgs& a = *args;
  size_t i = 0;
  for (; i + kLanes <= a.count; i += kLanes) {
    const F g = Load(a.gradients + i);
    const M where = NonZero(g);
    if (a.sparse) {
      if (!None(where)) AdamStep(a, i, g, where, true);
    } else {
      AdamStep(a, i, g, where, false);
    }
  }
  for (; i < a.count; ++i) {
    const float gradient = a.gradients[i];
    if (a.sparse && gradient == 0) continue;
    const float g = a.decay * a.parameters[i] + gradient * a.scale;
    a.first[i] = a.beta1 * a.first[i] + (1 - a.beta1) * g;
    a.second[i] = a.beta2 * a.second[i] + (1 - a.beta2) * (g * g);
    const F root = Sqrt(Set(a.second[i] * a.correction));
    float lanes[kLanes];
    Store(lanes, root);
    a.parameters[i] -= a.rate * a.first[i] / (lanes[0] + a.epsilon);
    a.gradients[i] = 0;
  }
}

}  // namespace
}  // namespace daf::kernels
