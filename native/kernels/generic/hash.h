// Multi-resolution hash encoding (Müller et al. 2022): trilinear interpolation between the eight
// vertices of the cell around a point, one level at a time so that a level's table stays in the
// cache while the whole batch passes. A cell is looked up as its four edges along x, whose two
// vertices are neighbours in the table. Where a level is larger than a near cache and the batch is
// long enough to pay for it, the batch passes once for each of the level's parts (kernels.h), or
// for two of them; what is passed next is asked for meanwhile, from end to end, which memory
// delivers twice as fast as entries here and there.
#pragma once

#include "native/kernels/generic/math.h"

namespace daf::kernels {
namespace {

// The cells around the samples of one tile, as some of their edges.
struct alignas(64) Cells {
  int32_t edge[4][kTile];  // of the near vertex, in floats
  float weight[4][kTile];  // of an edge
  float far[kTile];        // of the second vertex of every edge, 1 − far of the first
};

// Floats of a table that stay in L2 beside the next as many.
constexpr size_t kPiece = 75000;

inline size_t FloatsOf(const HashLevel& level) { return size_t{level.size} * level.features; }
inline size_t LinesOf(size_t floats) { return (floats + 15) / 16; }

// Whether so much of a level's table is in no near cache when a batch comes to it that asking for
// single entries ahead pays: tables of less than half a megabyte were no faster for it.
inline bool IsFar(const HashLevel& level) { return FloatsOf(level) > 100000; }

// Parts of a level that a batch is to pass together: 4, 2 or 1.
inline uint32_t PartsTogether(const HashLevel& level, uint32_t tiles, bool apart) {
  const size_t floats = FloatsOf(level), samples = size_t{tiles} * kTile;
  if (!apart || level.part == 0 || level.features != 2 || floats <= kPiece) return 4;
  // A pass for a part costs as much as its lines, where most of them are looked at.
  if (samples * 8 < LinesOf(floats) * 3) return 4;
  return floats / 2 <= kPiece ? 2 : 1;
}

// How the edges of a level are found: by_y · (y / 2) + odd_y for odd y, likewise z, the sum of both
// or a hash; then `part` for each part before.
struct EdgePlaces {
  int32_t by_y, by_z, odd_y, odd_z, mask, part;
  bool dense;
};

inline EdgePlaces PlacesOf(const HashLevel& level) {
  const uint32_t side = level.cells + 1;
  const bool dense = level.dense != 0, whole = level.part == 0;
  uint32_t y = 2654435761u, z = 805459861u;
  if (dense) {
    y = side;
    z = side * (whole ? side : (side + 1) / 2);
  }
  return {static_cast<int32_t>(whole ? 2 * y : y),
          static_cast<int32_t>(whole ? 2 * z : z),
          static_cast<int32_t>(whole ? y : 0),
          static_cast<int32_t>(whole ? z : 0),
          static_cast<int32_t>(level.mask),
          static_cast<int32_t>(level.part),
          dense};
}

// One axis of a cell: the place and the weight of its even (odd = 0) or odd vertex.
inline __attribute__((always_inline)) void FindVertex(I cell, F far, F near, int32_t odd, I by,
                                                      int32_t odd_by, I* place, F* weight) {
  const I half = ShiftDownI(AddI(cell, SetI(1 - odd)), 1);
  *place = AddI(MulI(half, by), SetI(odd * odd_by));
  *weight = Select(OddBit(AddI(cell, SetI(odd)), 0), far, near);
}

// Edges `first` … first + kEdges − 1, in the order of the parts.
template <uint32_t kEdges>
inline __attribute__((always_inline)) void FindCells(const HashLevel& level,
                                                     const EdgePlaces& places, uint32_t first,
                                                     const float* px, const float* py,
                                                     const float* pz, Cells* out) {
  constexpr uint32_t kY = kEdges > 1 ? 2 : 1, kZ = kEdges > 2 ? 2 : 1;
  const F cells = Set(static_cast<float>(level.cells)), one = Set(1.0f);
  const I last = SetI(static_cast<int32_t>(level.cells) - 1), none = SetI(0);
  const I by_y = SetI(places.by_y), by_z = SetI(places.by_z), mask = SetI(places.mask);
  const int shift = level.features == 2 ? 1 : level.features == 4 ? 2 : 3;
  const int32_t first_y = static_cast<int32_t>(first % 2),
                first_z = static_cast<int32_t>(first / 2);
  for (uint32_t s = 0; s < kTile; s += kLanes) {
    const F x = Mul(Load(px + s), cells), y = Mul(Load(py + s), cells),
            z = Mul(Load(pz + s), cells);
    const I ix = MaxI(MinI(Truncate(x), last), none), iy = MaxI(MinI(Truncate(y), last), none),
            iz = MaxI(MinI(Truncate(z), last), none);
    const F fy = Sub(y, ToFloat(iy)), fz = Sub(z, ToFloat(iz));
    const F gy = Sub(one, fy), gz = Sub(one, fz);
    Store(out->far + s, Sub(x, ToFloat(ix)));
    I ys[kY], zs[kZ];
    F wy[kY], wz[kZ];
#pragma GCC unroll 2
    for (uint32_t v = 0; v < kY; ++v)
      FindVertex(iy, fy, gy, first_y + static_cast<int32_t>(v), by_y, places.odd_y, &ys[v], &wy[v]);
#pragma GCC unroll 2
    for (uint32_t v = 0; v < kZ; ++v)
      FindVertex(iz, fz, gz, first_z + static_cast<int32_t>(v), by_z, places.odd_z, &zs[v], &wz[v]);
#pragma GCC unroll 4
    for (uint32_t e = 0; e < kEdges; ++e) {
      const I row =
          places.dense ? AddI(ys[e % 2], zs[e / 2]) : AndI(XorI(ys[e % 2], zs[e / 2]), mask);
      const I before = SetI(static_cast<int32_t>(first + e) * places.part);
      StoreI(out->edge[e] + s, ShiftI(AddI(AddI(row, ix), before), shift));
      Store(out->weight[e] + s, Mul(wy[e % 2], wz[e / 2]));
    }
  }
}

constexpr uint32_t kRowsAhead = 2;  // tiles

// A pass of a batch over some parts of a level.
template <uint32_t kEdges>
struct Pass {
  const HashArgs& a;
  EdgePlaces places;
  uint32_t first;      // edge
  uint32_t fetched;    // tiles whose entries are asked for ahead, one by one
  const float* ahead;  // what the next pass looks up
  size_t lines, each;  // of it, and of them while a tile passes

  Pass(const HashArgs& args, uint32_t first_edge, bool one_by_one)
      : a(args),
        places(PlacesOf(args.level)),
        first(first_edge),
        fetched(one_by_one ? args.tiles : 0),
        ahead(nullptr),
        lines(0),
        each(0) {}

  void Ahead(const float* at, size_t floats) {
    if (size_t{a.tiles} * kTile * 8 < LinesOf(floats)) return;  // hardly anything of it is wanted
    ahead = at;
    lines = LinesOf(floats);
    each = (lines + a.tiles - 1) / a.tiles;
  }

  void Find(uint32_t tile, Cells* out) const {
    const size_t at = size_t{tile} * kTile;
    FindCells<kEdges>(a.level, places, first, a.x + at, a.y + at, a.z + at, out);
  }

  // The rows of a tile: those of tile after tile lie in pages of their own, so that the hardware
  // does not see them coming.
  template <int kWrite>
  void FetchRows(const void* rows, uint32_t tile, uint32_t count) const {
    if (tile + kRowsAhead >= a.tiles) return;
    const char* at = static_cast<const char*>(rows) + (tile + kRowsAhead) * a.rows_stride * 4;
    for (uint32_t i = 0; i < count * kTile * 4; i += 64) __builtin_prefetch(at + i, kWrite, 3);
  }

  template <int kWrite>
  void FetchAhead() {
    for (size_t i = each < lines ? each : lines; i > 0; --i, --lines, ahead += 16)
      __builtin_prefetch(ahead, kWrite, 2);
  }
};

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

// A level that is looked up one part or two after the other, kEdges at a time, and after them the
// first of args.next: what each pass asks for ahead of the one behind it.
template <uint32_t kEdges>
inline Pass<kEdges> PassOf(const HashArgs& a, const float* base, uint32_t first, bool apart) {
  Pass<kEdges> pass(a, first, kEdges == 4 && IsFar(a.level));
  const size_t part = size_t{a.level.part} * a.level.features;
  if (first + kEdges < 4) {
    pass.Ahead(base + a.level.offset + (first + kEdges) * part, kEdges * part);
  } else if (a.next != nullptr) {
    const size_t floats = FloatsOf(*a.next) / 4 * PartsTogether(*a.next, a.tiles, apart);
    if (floats <= kPiece) pass.Ahead(base + a.next->offset, floats);
  }
  return pass;
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

// kMore: the sums of the edges before are in a.sums. The last edges' are turned into rows.
template <bool kRounded, uint32_t kEdges, bool kMore>
void ForwardPairs(Pass<kEdges> pass) {
  const HashArgs& a = pass.a;
  const float* table = a.table + a.level.offset;
  const bool last = kEdges == 4 || pass.first + kEdges == 4;
  Cells found[2];
  pass.Find(0, &found[0]);
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    const Cells &cells = found[tile % 2], &next = found[(tile + 1) % 2];
    if (tile + 1 < a.tiles) pass.Find(tile + 1, &found[(tile + 1) % 2]);
    pass.template FetchAhead<0>();
    if (last)
      pass.template FetchRows<1>(kRounded ? static_cast<void*>(a.pairs) : a.rows, tile,
                                 kRounded ? 1 : 2);
    const bool fetches = tile + 1 < pass.fetched;
    for (uint32_t s = 0; s < kTile; s += kLanes) {
      if (kEdges == 4 && fetches) {
#pragma GCC unroll 4
        for (uint32_t l = 0; l < kLanes; ++l) Fetch<0, true>(a.level, table, next, s + l);
      }
      float* const sums = kEdges == 4 ? nullptr : a.sums + (size_t{tile} * kTile + s) * 4;
      F quads[4];
#pragma GCC unroll 4
      for (uint32_t k = 0; kMore && k < 4; ++k) quads[k] = Load(sums + k * kLanes);
      EdgeSums<kEdges, kMore>(table, cells.edge[0] + s, cells.weight[0] + s, quads);
      if (!last) {
#pragma GCC unroll 4
        for (uint32_t k = 0; k < 4; ++k) Store(sums + k * kLanes, quads[k]);
        continue;
      }
      F sum[4];  // two features of the near vertices, two of the far
      Transpose(quads[0], quads[1], quads[2], quads[3], sum);
      const F far = Load(cells.far + s), near = Sub(Set(1.0f), far);
      StoreTwo<kRounded>(a, 0, tile * a.rows_stride + s, Fma(far, sum[2], Mul(near, sum[0])),
                         Fma(far, sum[3], Mul(near, sum[1])));
    }
  }
}

// out[j] of every lane: the j-th of four floats from `table` on, summed over the edges.
inline __attribute__((always_inline)) void QuadSums(const float* table, const int32_t* edges,
                                                    const float* weights, F out[4]) {
  F quads[4];
  EdgeSums<4, false>(table, edges, weights, quads);
  Transpose(quads[0], quads[1], quads[2], quads[3], out);
}

template <bool kRounded>
void ForwardMany(Pass<4> pass) {  // features than two
  const HashArgs& a = pass.a;
  const float* table = a.table + a.level.offset;
  const uint32_t features = a.level.features;
  Cells found[2];
  pass.Find(0, &found[0]);
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    const Cells &cells = found[tile % 2], &next = found[(tile + 1) % 2];
    if (tile + 1 < a.tiles) pass.Find(tile + 1, &found[(tile + 1) % 2]);
    pass.FetchAhead<0>();
    const bool fetches = tile + 1 < pass.fetched;
    for (uint32_t s = 0; s < kTile; s += kLanes) {
      if (fetches) {
#pragma GCC unroll 4
        for (uint32_t l = 0; l < kLanes; ++l) Fetch<0, false>(a.level, table, next, s + l);
      }
      const F far = Load(cells.far + s), near = Sub(Set(1.0f), far);
      const size_t at = tile * a.rows_stride + s;
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

template <bool kRounded>
void ForwardAs(const HashArgs& a) {
  const bool apart = a.sums != nullptr;
  if (a.level.features != 2) return ForwardMany<kRounded>(PassOf<4>(a, a.table, 0, apart));
  const uint32_t together = PartsTogether(a.level, a.tiles, apart);
  if (together == 4) return ForwardPairs<kRounded, 4, false>(PassOf<4>(a, a.table, 0, apart));
  if (together == 2) {
    ForwardPairs<kRounded, 2, false>(PassOf<2>(a, a.table, 0, apart));
    return ForwardPairs<kRounded, 2, true>(PassOf<2>(a, a.table, 2, apart));
  }
  ForwardPairs<kRounded, 1, false>(PassOf<1>(a, a.table, 0, apart));
  for (uint32_t e = 1; e < 4; ++e) ForwardPairs<kRounded, 1, true>(PassOf<1>(a, a.table, e, apart));
}

void HashForward(const HashArgs* args) {
  args->pairs != nullptr ? ForwardAs<true>(*args) : ForwardAs<false>(*args);
}

// Samples between those whose gradients are added next to each other. Neighbours lie along a ray,
// often in one cell: each would wait for the sum before it.
constexpr uint32_t kApart = 16;

// Adds a quad of every sample of a tile, by the weights of its edges, to the floats from `grad` on,
// in an order that does not depend on the vector width. Asks for the entries of `next` meanwhile,
// unless it is null.
template <bool kPair, uint32_t kEdges>
inline __attribute__((always_inline)) void AddQuads(const HashLevel& level, float* grad,
                                                    const Cells& cells, const float* quads,
                                                    const Cells* next) {
  for (uint32_t first = 0; first < kApart; ++first) {
#pragma GCC unroll 3
    for (uint32_t i = first; i < kTile; i += kApart) {
      if (kEdges == 4 && next != nullptr) Fetch<1, kPair>(level, grad, *next, i);
#pragma GCC unroll 4
      for (uint32_t e = 0; e < kEdges; ++e)
        AddQuad(grad + cells.edge[e][i], quads + 4 * i, cells.weight[e][i]);
    }
  }
}

// No entry belongs to two parts: it takes its samples in the same order whichever way they pass.
template <bool kPair, uint32_t kEdges>
void BackwardPass(Pass<kEdges> pass) {
  const HashArgs& a = pass.a;
  float* grad = a.grad + a.level.offset;
  const uint32_t features = kPair ? 2 : a.level.features;
  Cells found[2];
  alignas(64) float quads[4 * kTile];
  pass.Find(0, &found[0]);
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    const Cells& cells = found[tile % 2];
    const Cells* next = tile + 1 < pass.fetched ? &found[(tile + 1) % 2] : nullptr;
    if (tile + 1 < a.tiles) pass.Find(tile + 1, &found[(tile + 1) % 2]);
    pass.template FetchAhead<1>();
    pass.template FetchRows<0>(a.rows, tile, features);
    const float* row = a.rows + tile * a.rows_stride;
    if (kPair) {
      for (uint32_t s = 0; s < kTile; s += kLanes) {
        const F far = Load(cells.far + s), near = Sub(Set(1.0f), far);
        const F d0 = Load(row + s), d1 = Load(row + kTile + s);
        StoreQuads(quads + 4 * s, Mul(near, d0), Mul(near, d1), Mul(far, d0), Mul(far, d1));
      }
      AddQuads<true, kEdges>(a.level, grad, cells, quads, next);
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
      AddQuads<false, kEdges>(a.level, grad + f, cells, quads, f == 0 ? next : nullptr);
    }
  }
}

void HashBackward(const HashArgs* args) {
  const HashArgs& a = *args;
  if (a.level.features != 2) return BackwardPass<false, 4>(PassOf<4>(a, a.grad, 0, true));
  const uint32_t together = PartsTogether(a.level, a.tiles, true);
  if (together == 4) return BackwardPass<true, 4>(PassOf<4>(a, a.grad, 0, true));
  if (together == 2) {
    BackwardPass<true, 2>(PassOf<2>(a, a.grad, 0, true));
    return BackwardPass<true, 2>(PassOf<2>(a, a.grad, 2, true));
  }
  for (uint32_t e = 0; e < 4; ++e) BackwardPass<true, 1>(PassOf<1>(a, a.grad, e, true));
}

}  // namespace
}  // namespace daf::kernels
