// Multi-resolution hash encoding (Müller et al. 2022): trilinear interpolation between the eight
// vertices of the cell around a point, one level at a time so that a level's table stays in the
// cache while the whole batch passes. A cell is looked up as its four edges along x, whose two
// vertices are neighbours in the table.
#pragma once

#include "native/kernels/generic/math.h"

namespace daf::kernels {
namespace {

// The cells around the samples of one tile.
struct alignas(64) Cells {
  int32_t edge[4][kTile];  // of the near vertex, in floats; (y, z), (y + 1, z), (y, z + 1), both
  float weight[4][kTile];  // of an edge
  float far[kTile];        // of the second vertex of every edge, 1 − far of the first
};

// Whether a level's table is too large to be still in a near cache when a batch comes to it.
inline bool IsFar(const HashLevel& level) { return size_t{level.size} * level.features > 16384; }

inline __attribute__((always_inline)) void FindCells(const HashLevel& level, const float* px,
                                                     const float* py, const float* pz, Cells* out) {
  const F cells = Set(static_cast<float>(level.cells));
  const I last = SetI(static_cast<int32_t>(level.cells) - 1), none = SetI(0);
  const I features = SetI(static_cast<int32_t>(level.features));
  const int32_t side = static_cast<int32_t>(level.cells) + 1;
  const bool dense = level.dense != 0;
  const I by_y = SetI(dense ? side : static_cast<int32_t>(2654435761u));
  const I by_z = SetI(dense ? side * side : 805459861);
  const I mask = SetI(static_cast<int32_t>(level.size - level.cells - 1));
  for (uint32_t s = 0; s < kTile; s += kLanes) {
    const F x = Mul(Load(px + s), cells), y = Mul(Load(py + s), cells),
            z = Mul(Load(pz + s), cells);
    const I ix = MaxI(MinI(Truncate(x), last), none), iy = MaxI(MinI(Truncate(y), last), none),
            iz = MaxI(MinI(Truncate(z), last), none);
    const F fy = Sub(y, ToFloat(iy)), fz = Sub(z, ToFloat(iz));
    const F gy = Sub(Set(1.0f), fy), gz = Sub(Set(1.0f), fz);
    Store(out->far + s, Sub(x, ToFloat(ix)));
    Store(out->weight[0] + s, Mul(gy, gz));
    Store(out->weight[1] + s, Mul(fy, gz));
    Store(out->weight[2] + s, Mul(gy, fz));
    Store(out->weight[3] + s, Mul(fy, fz));
    const I ys[2] = {MulI(iy, by_y), AddI(MulI(iy, by_y), by_y)};
    const I zs[2] = {MulI(iz, by_z), AddI(MulI(iz, by_z), by_z)};
#pragma GCC unroll 4
    for (uint32_t e = 0; e < 4; ++e) {
      const I row = dense ? AddI(ys[e & 1], zs[e >> 1]) : AndI(XorI(ys[e & 1], zs[e >> 1]), mask);
      StoreI(out->edge[e] + s, MulI(AddI(row, ix), features));
    }
  }
}

// FindCells, and asks for the entries of a far level.
template <int kWrite>
inline __attribute__((always_inline)) void FetchCells(const HashArgs& a, const float* table,
                                                      uint32_t tile, Cells* out) {
  const size_t at = size_t{tile} * kTile;
  FindCells(a.level, a.x + at, a.y + at, a.z + at, out);
  if (!IsFar(a.level)) return;
  const uint32_t second = a.level.features > 2 ? a.level.features : 0;
  for (uint32_t e = 0; e < 4; ++e) {
    for (uint32_t s = 0; s < kTile; ++s) {
      __builtin_prefetch(table + out->edge[e][s], kWrite);
      if (second != 0) __builtin_prefetch(table + out->edge[e][s] + second, kWrite);
    }
  }
}

void HashForward(const HashArgs* args) {
  const HashArgs& a = *args;
  const float* table = a.table + a.level.offset;
  const uint32_t features = a.level.features;
  Cells found[2];
  FetchCells<0>(a, table, 0, &found[0]);
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    if (tile + 1 < a.tiles) FetchCells<0>(a, table, tile + 1, &found[(tile + 1) % 2]);
    const Cells& cells = found[tile % 2];
    for (uint32_t s = 0; s < kTile; s += kLanes) {
      const F far = Load(cells.far + s), near = Sub(Set(1.0f), far);
      float* row = a.rows + tile * a.rows_stride + s;
      if (features == 2) {
        F sum[4];  // two features of the near vertices, two of the far
        QuadSums(table, cells.edge[0] + s, cells.weight[0] + s, sum);
        Store(row, Fma(far, sum[2], Mul(near, sum[0])));
        Store(row + kTile, Fma(far, sum[3], Mul(near, sum[1])));
        continue;
      }
      for (uint32_t f = 0; f < features; f += 4, row += 4 * kTile) {
        F first[4], second[4];
        QuadSums(table + f, cells.edge[0] + s, cells.weight[0] + s, first);
        QuadSums(table + features + f, cells.edge[0] + s, cells.weight[0] + s, second);
#pragma GCC unroll 4
        for (uint32_t k = 0; k < 4; ++k)
          Store(row + k * kTile, Fma(far, second[k], Mul(near, first[k])));
      }
    }
  }
}

// Adds a quad of every sample of a vector, by the weights of its edges, to the floats from `grad`
// on. Samples in order, so that sums do not depend on the vector width.
inline __attribute__((always_inline)) void AddQuads(float* grad, const Cells& cells, uint32_t s,
                                                    const float* quads) {
  for (uint32_t l = 0; l < kLanes; ++l) {
#pragma GCC unroll 4
    for (uint32_t e = 0; e < 4; ++e)
      AddQuad(grad + cells.edge[e][s + l], quads + 4 * l, cells.weight[e][s + l]);
  }
}

void HashBackward(const HashArgs* args) {
  const HashArgs& a = *args;
  float* grad = a.grad + a.level.offset;
  const uint32_t features = a.level.features;
  Cells found[2];
  alignas(64) float quads[4 * kLanes];
  FetchCells<1>(a, grad, 0, &found[0]);
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    if (tile + 1 < a.tiles) FetchCells<1>(a, grad, tile + 1, &found[(tile + 1) % 2]);
    const Cells& cells = found[tile % 2];
    for (uint32_t s = 0; s < kTile; s += kLanes) {
      const F far = Load(cells.far + s), near = Sub(Set(1.0f), far);
      const float* row = a.rows + tile * a.rows_stride + s;
      if (features == 2) {
        const F d0 = Load(row), d1 = Load(row + kTile);
        StoreQuads(quads, Mul(near, d0), Mul(near, d1), Mul(far, d0), Mul(far, d1));
        AddQuads(grad, cells, s, quads);
        continue;
      }
      for (uint32_t f = 0; f < features; f += 4, row += 4 * kTile) {
        const F d0 = Load(row), d1 = Load(row + kTile), d2 = Load(row + 2 * kTile),
                d3 = Load(row + 3 * kTile);
        StoreQuads(quads, Mul(near, d0), Mul(near, d1), Mul(near, d2), Mul(near, d3));
        AddQuads(grad + f, cells, s, quads);
        StoreQuads(quads, Mul(far, d0), Mul(far, d1), Mul(far, d2), Mul(far, d3));
        AddQuads(grad + features + f, cells, s, quads);
      }
    }
  }
}

}  // namespace
}  // namespace daf::kernels
