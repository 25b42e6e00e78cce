// Multi-resolution hash encoding (Müller et al. 2022): trilinear interpolation between the eight
// vertices of the cell around a point, one level at a time so that a level's table stays in the
// cache while the whole batch passes.
#pragma once

#include "native/kernels/generic/math.h"

namespace daf::kernels {
namespace {

struct Corners {
  I index[8];  // in floats
  F weight[8];
};

// Vertices are hashed by three numbers of which two are large primes; x alone is left as it is, so
// neighbours along x share cache lines.
inline __attribute__((always_inline)) void CornersOf(const HashLevel& level, F x, F y, F z,
                                                     Corners* out) {
  const F cells = Set(static_cast<float>(level.cells));
  const I last = SetI(static_cast<int32_t>(level.cells) - 1), none = SetI(0), one = SetI(1);
  x = Mul(x, cells);
  y = Mul(y, cells);
  z = Mul(z, cells);
  const I ix = MaxI(MinI(Truncate(x), last), none), iy = MaxI(MinI(Truncate(y), last), none),
          iz = MaxI(MinI(Truncate(z), last), none);
  const F fx = Sub(x, ToFloat(ix)), fy = Sub(y, ToFloat(iy)), fz = Sub(z, ToFloat(iz));
  const F gx = Sub(Set(1.0f), fx), gy = Sub(Set(1.0f), fy), gz = Sub(Set(1.0f), fz);
  const I features = SetI(static_cast<int32_t>(level.features));
  I xs[2], ys[2], zs[2];
  xs[0] = ix;
  xs[1] = AddI(ix, one);
  const int32_t side = static_cast<int32_t>(level.cells) + 1;
  const I py = level.dense != 0 ? SetI(side) : SetI(static_cast<int32_t>(2654435761u));
  const I pz = level.dense != 0 ? SetI(side * side) : SetI(805459861);
  ys[0] = MulI(iy, py);
  ys[1] = AddI(ys[0], py);
  zs[0] = MulI(iz, pz);
  zs[1] = AddI(zs[0], pz);
  const I mask = SetI(static_cast<int32_t>(level.size - 1));
  const F wyz[4] = {Mul(gy, gz), Mul(fy, gz), Mul(gy, fz), Mul(fy, fz)};
#pragma GCC unroll 8
  for (uint32_t c = 0; c < 8; ++c) {
    const I cx = xs[c & 1], cy = ys[(c >> 1) & 1], cz = zs[c >> 2];
    const I entry = level.dense != 0 ? AddI(AddI(cx, cy), cz) : AndI(XorI(XorI(cx, cy), cz), mask);
    out->index[c] = MulI(entry, features);
    out->weight[c] = Mul((c & 1) != 0 ? fx : gx, wyz[c >> 1]);
  }
}

// Whether a level's table is too large to be still in a near cache when a batch comes to it.
inline bool IsFar(const HashLevel& level) { return size_t{level.size} * level.features > 16384; }

// Asks for the entries around a vector of points.
template <int kWrite>
inline __attribute__((always_inline)) void FetchCorners(const HashLevel& level, const float* table,
                                                        F x, F y, F z) {
  alignas(64) int32_t index[8][kLanes];
  Corners corners;
  CornersOf(level, x, y, z, &corners);
  for (uint32_t c = 0; c < 8; ++c) StoreI(index[c], corners.index[c]);
  for (uint32_t c = 0; c < 8; ++c) {
    for (uint32_t l = 0; l < kLanes; ++l) __builtin_prefetch(table + index[c][l], kWrite);
  }
}

void HashForward(const HashArgs* args) {
  const HashArgs& a = *args;
  const float* table = a.table + a.level.offset;
  const uint32_t fetched = IsFar(a.level) ? a.tiles : 0;  // tiles whose entries are asked for ahead
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    for (uint32_t s = 0; s < kTile; s += kLanes) {
      const size_t at = size_t{tile} * kTile + s;
      if (tile + 1 < fetched) {
        const size_t next = at + kTile;
        FetchCorners<0>(a.level, table, Load(a.x + next), Load(a.y + next), Load(a.z + next));
      }
      Corners corners;
      CornersOf(a.level, Load(a.x + at), Load(a.y + at), Load(a.z + at), &corners);
      for (uint32_t pair = 0; pair < a.level.features; pair += 2) {
        F sum0 = Zero(), sum1 = Zero();
#pragma GCC unroll 8
        for (uint32_t c = 0; c < 8; ++c) {
          F f0, f1;
          GatherPair(table + pair, corners.index[c], &f0, &f1);
          sum0 = Fma(corners.weight[c], f0, sum0);
          sum1 = Fma(corners.weight[c], f1, sum1);
        }
        float* row = a.rows + tile * a.rows_stride + size_t{pair} * kTile + s;
        Store(row, sum0);
        Store(row + kTile, sum1);
      }
    }
  }
}

void HashBackward(const HashArgs* args) {
  const HashArgs& a = *args;
  float* grad = a.grad + a.level.offset;
  alignas(64) int32_t index[8][kLanes];
  alignas(64) float value[8][2 * kLanes];
  const uint32_t fetched = IsFar(a.level) ? a.tiles : 0;  // tiles whose entries are asked for ahead
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    for (uint32_t s = 0; s < kTile; s += kLanes) {
      const size_t at = size_t{tile} * kTile + s;
      if (tile + 1 < fetched) {
        const size_t next = at + kTile;
        FetchCorners<1>(a.level, grad, Load(a.x + next), Load(a.y + next), Load(a.z + next));
      }
      Corners corners;
      CornersOf(a.level, Load(a.x + at), Load(a.y + at), Load(a.z + at), &corners);
      for (uint32_t c = 0; c < 8; ++c) StoreI(index[c], corners.index[c]);
      for (uint32_t pair = 0; pair < a.level.features; pair += 2) {
        const float* row = a.rows + tile * a.rows_stride + size_t{pair} * kTile + s;
        const F d0 = Load(row), d1 = Load(row + kTile);
        for (uint32_t c = 0; c < 8; ++c)
          StorePairs(value[c], Mul(corners.weight[c], d0), Mul(corners.weight[c], d1));
        // Samples in order, so that sums do not depend on the vector width.
        for (uint32_t l = 0; l < kLanes; ++l) {
          for (uint32_t c = 0; c < 8; ++c) AddPair(grad + pair + index[c][l], value[c] + 2 * l);
        }
      }
    }
  }
}

}  // namespace
}  // namespace daf::kernels
