// How a level's encoding changes where a point moves within its cell: along x the difference of the
// two ends of every edge, along y and z that of the edges.
#pragma once

#include "native/kernels/generic/hash.h"

namespace daf::kernels {
namespace {

// The derivatives of an edge's weight by y and z, in cells.
struct alignas(64) EdgeSlopes {
  float by_y[4][kTile];
  float by_z[4][kTile];
};

inline __attribute__((always_inline)) void FindSlopes(const Cells& cells, EdgeSlopes* out) {
  for (uint32_t s = 0; s < kTile; s += kLanes) {
    const F w0 = Load(cells.weight[0] + s), w1 = Load(cells.weight[1] + s),
            w2 = Load(cells.weight[2] + s), w3 = Load(cells.weight[3] + s);
    const F fy = Add(w1, w3), fz = Add(w2, w3), gy = Add(w0, w2), gz = Add(w0, w1);
    Store(out->by_y[0] + s, Sub(Zero(), gz));
    Store(out->by_y[1] + s, gz);
    Store(out->by_y[2] + s, Sub(Zero(), fz));
    Store(out->by_y[3] + s, fz);
    Store(out->by_z[0] + s, Sub(Zero(), gy));
    Store(out->by_z[1] + s, Sub(Zero(), fy));
    Store(out->by_z[2] + s, gy);
    Store(out->by_z[3] + s, fy);
  }
}

// Of `count` features from `table` on: their values at the near and the far vertices of the edges,
// summed with these weights.
inline __attribute__((always_inline)) void Ends(const float* table, uint32_t features,
                                                const int32_t* edges, const float* weights,
                                                F near[4], F far[4]) {
  QuadSums(table, edges, weights, near);
  if (features > 2) {
    QuadSums(table + features, edges, weights, far);
  } else {  // both are neighbours in one quad
    far[0] = near[2];
    far[1] = near[3];
  }
}

void HashPosition(const HashPositionArgs* args) {
  const HashArgs& a = args->hash;
  const uint32_t features = a.level.features, together = features < 4 ? features : 4;
  const uint32_t fetched = IsFar(a.level) ? a.tiles : 0;  // tiles whose entries are asked for ahead
  const F scale = Set(static_cast<float>(a.level.cells));
  Cells found[2];
  EdgeSlopes slopes;
  FindTile(a, 0, &found[0]);
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    const Cells &cells = found[tile % 2], &next = found[(tile + 1) % 2];
    if (tile + 1 < a.tiles) FindTile(a, tile + 1, &found[(tile + 1) % 2]);
    FindSlopes(cells, &slopes);
    for (uint32_t s = 0; s < kTile; s += kLanes) {
      if (tile + 1 < fetched) {
        for (uint32_t l = 0; l < kLanes; ++l) {
          const float* level = a.table + a.level.offset;
          features == 2 ? Fetch<0, true>(a.level, level, next, s + l)
                        : Fetch<0, false>(a.level, level, next, s + l);
        }
      }
      const F far = Load(cells.far + s);
      F dx = Zero(), dy = Zero(), dz = Zero();
      for (uint32_t f = 0; f < features; f += together) {
        const float* table = a.table + a.level.offset + f;
        const float* row = a.rows + tile * a.rows_stride + size_t{f} * kTile + s;
        F first[3][4], second[3][4];
        Ends(table, features, cells.edge[0] + s, cells.weight[0] + s, first[0], second[0]);
        Ends(table, features, cells.edge[0] + s, slopes.by_y[0] + s, first[1], second[1]);
        Ends(table, features, cells.edge[0] + s, slopes.by_z[0] + s, first[2], second[2]);
        for (uint32_t k = 0; k < together; ++k) {
          const F d = Load(row + k * kTile);
          dx = Fma(d, Sub(second[0][k], first[0][k]), dx);
          dy = Fma(d, Fma(far, Sub(second[1][k], first[1][k]), first[1][k]), dy);
          dz = Fma(d, Fma(far, Sub(second[2][k], first[2][k]), first[2][k]), dz);
        }
      }
      const size_t at = size_t{tile} * kTile + s;
      Store(args->d[0] + at, Fma(scale, dx, Load(args->d[0] + at)));
      Store(args->d[1] + at, Fma(scale, dy, Load(args->d[1] + at)));
      Store(args->d[2] + at, Fma(scale, dz, Load(args->d[2] + at)));
    }
  }
}

}  // namespace
}  // namespace daf::kernels
