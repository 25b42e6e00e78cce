#include "native/nerf/table_variation.h"

#include <algorithm>

namespace daf::nerf {

using kernels::HashLevel;
using kernels::kTile;

namespace {

constexpr uint32_t kEvery = 32;  // point whose cell is looked at: a few percent of a step's time
constexpr uint32_t kMostFeatures = 8;

// One tile of cells of one level. Vertices are read and written by the encoding's own kernels,
// which give an entry as it is where a point is its vertex.
struct Cells {
  alignas(64) float at[4][3][kTile];  // the first vertex, then its neighbours along the axes
  alignas(64) float features[4][kMostFeatures * kTile];

  kernels::HashArgs Args(const HashLevel& level, int vertex) {
    kernels::HashArgs args = {};
    args.level = level;
    args.x = at[vertex][0];
    args.y = at[vertex][1];
    args.z = at[vertex][2];
    args.tiles = 1;
    args.rows = features[vertex];
    args.rows_stride = size_t{level.features} * kTile;
    return args;
  }

  void Place(const HashLevel& level, const PointArrays& points, const uint32_t* pick) {
    const float cells = static_cast<float>(level.cells);
    const float* const lanes[3] = {points.x, points.y, points.z};
    for (int a = 0; a < 3; ++a) {
      for (uint32_t s = 0; s < kTile; ++s) {
        const uint32_t cell =
            std::min(static_cast<uint32_t>(lanes[a][pick[s]] * cells), level.cells - 1);
        for (int v = 0; v < 4; ++v)
          at[v][a][s] = static_cast<float>(cell + (v == a + 1 ? 1 : 0)) / cells;
      }
    }
  }

  // Replaces features by the derivatives of `weight` times the sum over the first `count` cells.
  double Differences(uint32_t rows, uint32_t count, float weight) {
    double sum = 0;
    for (uint32_t row = 0; row < rows; ++row) {
      for (uint32_t s = 0; s < kTile; ++s) {
        const size_t i = size_t{row} * kTile + s;
        float all = 0;
        for (int v = 1; v < 4; ++v) {
          const float difference = s < count ? features[v][i] - features[0][i] : 0.0f;
          sum += double{difference} * difference;
          features[v][i] = 2 * weight * difference;
          all -= features[v][i];
        }
        features[0][i] = all;
      }
    }
    return weight * sum;
  }
};

}  // namespace

double TableVariation(const kernels::Table& k, const std::vector<HashLevel>& levels,
                      const float* table, const PointArrays& points, uint32_t n, float weight,
                      float* gradients) {
  const uint32_t taken = (n + kEvery - 1) / kEvery;
  double loss = 0;
  Cells cells;
  for (const HashLevel& level : levels) {
    for (uint32_t first = 0; first < taken; first += kTile) {
      uint32_t pick[kTile];
      for (uint32_t s = 0; s < kTile; ++s) pick[s] = std::min(first + s, taken - 1) * kEvery;
      cells.Place(level, points, pick);
      for (int v = 0; v < 4; ++v) {
        kernels::HashArgs args = cells.Args(level, v);
        args.table = table;
        k.hash_forward(&args);
      }
      loss += cells.Differences(level.features, std::min(kTile, taken - first),
                                weight / static_cast<float>(taken));
      for (int v = 0; v < 4; ++v) {
        kernels::HashArgs args = cells.Args(level, v);
        args.grad = gradients;
        k.hash_backward(&args);
      }
    }
  }
  return loss;
}

}  // namespace daf::nerf
