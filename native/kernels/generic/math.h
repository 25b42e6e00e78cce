// exp, sigmoid, sine and cosine by range reduction and minimax-like polynomials (Cody and Waite
// 1980; coefficients of the Taylor series rounded to float where the interval is small enough that
// they are within an ulp or two).
#pragma once

namespace daf::kernels {
namespace {

// Relative error below 3e-7 on ±87.
inline F Exp(F x) {
  x = Min(Max(x, Set(-87.0f)), Set(87.0f));
  const I n = Round(Mul(x, Set(1.44269504f)));
  const F k = ToFloat(n);
  F r = Fma(k, Set(-0.693359375f), x);
  r = Fma(k, Set(2.12194440e-4f), r);
  F p = Set(1.9875691500e-4f);
  p = Fma(p, r, Set(1.3981999507e-3f));
  p = Fma(p, r, Set(8.3334519073e-3f));
  p = Fma(p, r, Set(4.1665795894e-2f));
  p = Fma(p, r, Set(1.6666665459e-1f));
  p = Fma(p, r, Set(5.0000001201e-1f));
  p = Fma(p, Mul(r, r), Add(r, Set(1.0f)));
  return Mul(p, PowerOfTwo(n));
}

inline F Sigmoid(F x) { return Div(Set(1.0f), Add(Set(1.0f), Exp(Sub(Zero(), x)))); }

// |x| up to 8192: absolute error below 1e-6 + |x|·1e-7.
inline void SinCos(F x, F* sine, F* cosine) {
  const I n = Round(Mul(x, Set(0.636619772f)));  // quarter turns
  const F k = ToFloat(n);
  F r = Fma(k, Set(-1.5703125f), x);
  r = Fma(k, Set(-4.837512969970703125e-4f), r);
  r = Fma(k, Set(-7.549789948768648e-8f), r);
  const F r2 = Mul(r, r);
  F s = Set(-1.9515295891e-4f);
  s = Fma(s, r2, Set(8.3321608736e-3f));
  s = Fma(s, r2, Set(-1.6666654611e-1f));
  s = Fma(Mul(s, r2), r, r);
  F c = Set(2.443315711809948e-5f);
  c = Fma(c, r2, Set(-1.388731625493765e-3f));
  c = Fma(c, r2, Set(4.166664568298827e-2f));
  c = Fma(Mul(c, r2), r2, Fma(r2, Set(-0.5f), Set(1.0f)));
  const M swap = OddBit(n, 0);
  const F sin0 = Select(swap, c, s), cos0 = Select(swap, s, c);
  *sine = Select(OddBit(n, 1), Sub(Zero(), sin0), sin0);
  *cosine = Select(OddBit(AddI(n, SetI(1)), 1), Sub(Zero(), cos0), cos0);
}

void ExpValues(const float* in, float* out, size_t n) {
  for (size_t i = 0; i < n; i += kLanes)
    Store(out + i, Exp(Min(Max(Load(in + i), Set(-15.0f)), Set(15.0f))));
}

void SigmoidValues(const float* in, float* out, size_t n) {
  for (size_t i = 0; i < n; i += kLanes) Store(out + i, Sigmoid(Load(in + i)));
}

}  // namespace
}  // namespace daf::kernels
