// Fixed encodings: spherical harmonics of directions, positional encoding of points.
#pragma once

#include "native/kernels/generic/math.h"

namespace daf::kernels {
namespace {

// Real, orthonormal, degrees 0 to 3 in the order (0,0), (1,−1), (1,0), (1,1), (2,−2) … (3,3).
void Harmonics(const float* px, const float* py, const float* pz, uint32_t tiles, float* rows,
               size_t stride) {
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    for (uint32_t s = 0; s < kTile; s += kLanes) {
      const size_t at = size_t{tile} * kTile + s;
      const F x = Load(px + at), y = Load(py + at), z = Load(pz + at);
      const F xx = Mul(x, x), yy = Mul(y, y), zz = Mul(z, z), xy = Mul(x, y), yz = Mul(y, z),
              xz = Mul(x, z);
      const F five = Sub(Mul(Set(5.0f), zz), Set(1.0f)), diff = Sub(xx, yy);
      float* row = rows + tile * stride + s;
      Store(row, Set(0.28209479f));
      Store(row + kTile, Mul(Set(0.48860251f), y));
      Store(row + 2 * kTile, Mul(Set(0.48860251f), z));
      Store(row + 3 * kTile, Mul(Set(0.48860251f), x));
      Store(row + 4 * kTile, Mul(Set(1.09254843f), xy));
      Store(row + 5 * kTile, Mul(Set(1.09254843f), yz));
      Store(row + 6 * kTile, Sub(Mul(Set(0.94617470f), zz), Set(0.31539157f)));
      Store(row + 7 * kTile, Mul(Set(1.09254843f), xz));
      Store(row + 8 * kTile, Mul(Set(0.54627422f), diff));
      Store(row + 9 * kTile, Mul(Mul(Set(0.59004359f), y), Sub(Mul(Set(3.0f), xx), yy)));
      Store(row + 10 * kTile, Mul(Mul(Set(2.89061144f), xy), z));
      Store(row + 11 * kTile, Mul(Mul(Set(0.45704580f), y), five));
      Store(row + 12 * kTile, Mul(Mul(Set(0.37317633f), z), Sub(Mul(Set(5.0f), zz), Set(3.0f))));
      Store(row + 13 * kTile, Mul(Mul(Set(0.45704580f), x), five));
      Store(row + 14 * kTile, Mul(Mul(Set(1.44530572f), z), diff));
      Store(row + 15 * kTile, Mul(Mul(Set(0.59004359f), x), Sub(xx, Mul(Set(3.0f), yy))));
    }
  }
}

void Frequencies(const float* px, const float* py, const float* pz, const float scale[3],
                 const float shift[3], uint32_t frequencies, uint32_t tiles, float* rows,
                 size_t stride) {
  const float* axes[3] = {px, py, pz};
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    for (uint32_t axis = 0; axis < 3; ++axis) {
      const F by = Set(scale[axis]), plus = Set(shift[axis]);
      for (uint32_t s = 0; s < kTile; s += kLanes) {
        F p = Fma(Load(axes[axis] + size_t{tile} * kTile + s), by, plus);
        float* row = rows + tile * stride + size_t{axis} * kTile + s;
        Store(row, p);
        for (uint32_t k = 0; k < frequencies; ++k) {
          F sine, cosine;
          SinCos(p, &sine, &cosine);
          Store(row + (size_t{3} + 6 * k) * kTile, sine);
          Store(row + (size_t{6} + 6 * k) * kTile, cosine);
          p = Add(p, p);
        }
      }
    }
  }
}

}  // namespace
}  // namespace daf::kernels
