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

// Whether so much of a level's table is in no near cache when a batch comes to it that asking ahead
// pays: tables of less than half a megabyte were no faster for it.
inline bool IsFar(const HashLevel& level) { return size_t{level.size} * level.features > 100000; }

inline __attribute__((always_inline)) void FindCells(const HashLevel& level, const float* px,
                                                     const float* py, const float* pz, Cells* out) {
  const F cells = Set(static_cast<float>(level.cells));
  const I last = SetI(static_cast<int32_t>(level.cells) - 1), none = SetI(0);
  const int shift = level.features == 2 ? 1 : level.features == 4 ? 2 : 3;
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
      StoreI(out->edge[e] + s, ShiftI(AddI(row, ix), shift));
    }
  }
}

inline __attribute__((always_inline)) void FindTile(const HashArgs& a, uint32_t tile, Cells* out) {
  const size_t at = size_t{tile} * kTile;
  FindCells(a.level, a.x + at, a.y + at, a.z + at, out);
}

// Asks for the entries around one sample, into L2: into L1 was slower in every comparison,
// on the one machine tried. kPair: both vertices of an edge lie in one quad.
template <int kWrite, bool kPair>
inline __attribute__((always_inline)) void Fetch(const HashLevel& level, const float* table,
                                                 const Cells& cells, uint32_t sample) {
#pragma GCC unroll 4
  for (uint32_t e = 0; e < 4; ++e) {
    const float* edge = table + cells.edge[e][sample];
    __builtin_prefetch(edge, kWrite, 2);
    if (!kPair) __builtin_prefetch(edge + level.features, kWrite, 2);
  }
}

// Rounded to bf16 in the high half, ties to even; the low half is arbitrary. Finite values only.
inline I RoundHigh(F a) {
  const I bits = Bits(a);
  return AddI(AddI(bits, SetI(0x7fff)), AndI(ShiftDownI(bits, 16), SetI(1)));
}
// A word of dot.h.
inline I Pair(F first, F second) {
  return AddI(ShiftDownI(RoundHigh(first), 16), AndI(RoundHigh(second), SetI(-65536)));
}

// Where the features of a vector of samples go, two at a time: two rows or one row of pairs.
template <bool kRounded>
inline __attribute__((always_inline)) void StoreTwo(const HashArgs& a, size_t row, size_t at,
                                                    F first, F second) {
  if (kRounded) {
    StoreI(reinterpret_cast<int32_t*>(a.pairs) + row / 2 * kTile + at, Pair(first, second));
  } else {
    Store(a.rows + row * kTile + at, first);
    Store(a.rows + (row + 1) * kTile + at, second);
  }
}

template <bool kPair, bool kRounded>
void ForwardAs(const HashArgs& a) {
  const float* table = a.table + a.level.offset;
  const uint32_t features = kPair ? 2 : a.level.features;
  const uint32_t fetched = IsFar(a.level) ? a.tiles : 0;  // tiles whose entries are asked for ahead
  Cells found[2];
  FindTile(a, 0, &found[0]);
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    const Cells &cells = found[tile % 2], &next = found[(tile + 1) % 2];
    if (tile + 1 < a.tiles) FindTile(a, tile + 1, &found[(tile + 1) % 2]);
    const bool fetches = tile + 1 < fetched;
    for (uint32_t s = 0; s < kTile; s += kLanes) {
      if (fetches) {
#pragma GCC unroll 4
        for (uint32_t l = 0; l < kLanes; ++l) Fetch<0, kPair>(a.level, table, next, s + l);
      }
      const F far = Load(cells.far + s), near = Sub(Set(1.0f), far);
      const size_t at = tile * a.rows_stride + s;
      if (kPair) {
        F sum[4];  // two features of the near vertices, two of the far
        QuadSums(table, cells.edge[0] + s, cells.weight[0] + s, sum);
        StoreTwo<kRounded>(a, 0, at, Fma(far, sum[2], Mul(near, sum[0])),
                           Fma(far, sum[3], Mul(near, sum[1])));
        continue;
      }
      for (uint32_t f = 0; f < features; f += 4) {
        F first[4], second[4];
        QuadSums(table + f, cells.edge[0] + s, cells.weight[0] + s, first);
        QuadSums(table + features + f, cells.edge[0] + s, cells.weight[0] + s, second);
#pragma GCC unroll 2
        for (uint32_t k = 0; k < 4; k += 2)
          StoreTwo<kRounded>(a, f + k, at, Fma(far, second[k], Mul(near, first[k])),
                             Fma(far, second[k + 1], Mul(near, first[k + 1])));
      }
    }
  }
}

void HashForward(const HashArgs* args) {
  const bool rounded = args->pairs != nullptr;
  if (args->level.features == 2)
    return rounded ? ForwardAs<true, true>(*args) : ForwardAs<true, false>(*args);
  return rounded ? ForwardAs<false, true>(*args) : ForwardAs<false, false>(*args);
}

// Samples between those whose gradients are added next to each other. Neighbours lie along a ray,
// often in one cell: each would wait for the sum before it.
constexpr uint32_t kApart = 16;

// Adds a quad of every sample of a tile, by the weights of its edges, to the floats from `grad` on,
// in an order that does not depend on the vector width. Asks for the entries of `next` meanwhile,
// unless it is null.
template <bool kPair>
inline __attribute__((always_inline)) void AddQuads(const HashLevel& level, float* grad,
                                                    const Cells& cells, const float* quads,
                                                    const Cells* next) {
  for (uint32_t first = 0; first < kApart; ++first) {
#pragma GCC unroll 3
    for (uint32_t i = first; i < kTile; i += kApart) {
      if (next != nullptr) Fetch<1, kPair>(level, grad, *next, i);
#pragma GCC unroll 4
      for (uint32_t e = 0; e < 4; ++e)
        AddQuad(grad + cells.edge[e][i], quads + 4 * i, cells.weight[e][i]);
    }
  }
}

template <bool kPair>
void BackwardAs(const HashArgs& a) {
  float* grad = a.grad + a.level.offset;
  const uint32_t features = kPair ? 2 : a.level.features;
  const uint32_t fetched = IsFar(a.level) ? a.tiles : 0;  // tiles whose entries are asked for ahead
  Cells found[2];
  alignas(64) float quads[4 * kTile];
  FindTile(a, 0, &found[0]);
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    const Cells& cells = found[tile % 2];
    const Cells* next = tile + 1 < fetched ? &found[(tile + 1) % 2] : nullptr;
    if (tile + 1 < a.tiles) FindTile(a, tile + 1, &found[(tile + 1) % 2]);
    const float* row = a.rows + tile * a.rows_stride;
    if (kPair) {
      for (uint32_t s = 0; s < kTile; s += kLanes) {
        const F far = Load(cells.far + s), near = Sub(Set(1.0f), far);
        const F d0 = Load(row + s), d1 = Load(row + kTile + s);
        StoreQuads(quads + 4 * s, Mul(near, d0), Mul(near, d1), Mul(far, d0), Mul(far, d1));
      }
      AddQuads<true>(a.level, grad, cells, quads, next);
      continue;
    }
    for (uint32_t f = 0; f < 2 * features; f += 4) {  // of the near vertices, then of the far
      const bool is_far = f >= features;
      const float* rows = row + size_t{is_far ? f - features : f} * kTile;
      for (uint32_t s = 0; s < kTile; s += kLanes) {
        const F far = Load(cells.far + s), weight = is_far ? far : Sub(Set(1.0f), far);
        StoreQuads(quads + 4 * s, Mul(weight, Load(rows + s)), Mul(weight, Load(rows + kTile + s)),
                   Mul(weight, Load(rows + 2 * kTile + s)),
                   Mul(weight, Load(rows + 3 * kTile + s)));
      }
      AddQuads<false>(a.level, grad + f, cells, quads, f == 0 ? next : nullptr);
    }
  }
}

void HashBackward(const HashArgs* args) {
  if (args->level.features == 2) return BackwardAs<true>(*args);
  BackwardAs<false>(*args);
}

}  // namespace
}  // namespace daf::kernels
