// The hash encoding in every table, against double precision and its own differences.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "native/kernels/dot.h"
#include "native/kernels/testing_floats.h"
#include "native/kernels/testing_tables.h"

namespace daf::kernels {
namespace {

class Hash : public EachIsa {};

HashLevel Level(uint32_t cells, bool dense, uint32_t features, uint32_t hashed) {
  const uint32_t vertices = (cells + 1) * (cells + 1) * (cells + 1);
  return {cells, dense ? vertices : hashed + cells, dense ? 1u : 0u, features, 16};
}

uint32_t Entry(const HashLevel& level, uint32_t x, uint32_t y, uint32_t z) {
  const uint32_t side = level.cells + 1;
  return level.dense != 0
             ? x + y * side + z * side * side
             : x + (((y * 2654435761u) ^ (z * 805459861u)) & (level.size - level.cells - 1));
}

TEST_P(Hash, HashMatchesDouble) {
  Rng rng(4);
  for (const uint32_t features : {2u, 4u, 8u}) {
    for (const uint32_t hashed : {0u, 256u, 65536u}) {  // entries; 0: dense
      const bool dense = hashed == 0;
      const HashLevel level = Level(dense ? 5 : 37, dense, features, hashed);
      const uint32_t tiles = 2, n = tiles * kTile;
      Floats x(n, &rng, 0, 1), y(n, &rng, 0, 1), z(n, &rng, 0, 1),
          table(16 + level.size * features, &rng), grad(16 + level.size * features);
      x[0] = y[0] = z[0] = 0;  // corners of the cube
      x[1] = y[1] = z[1] = 1;
      Floats rows(tiles * (features + 1) * kTile, &rng);
      Floats deltas(rows);
      HashArgs args = {level,      x.get(),    y.get(),
                       z.get(),    tiles,      table.get(),
                       grad.get(), rows.get(), (features + 1) * kTile};
      table_->hash_forward(&args);
      args.rows = deltas.get();
      table_->hash_backward(&args);
      std::vector<double> expected_grad(grad.size(), 0);
      for (uint32_t i = 0; i < n; ++i) {
        const float p[3] = {x[i], y[i], z[i]};
        uint32_t cell[3];
        double f[3];
        for (int a = 0; a < 3; ++a) {
          const float at = p[a] * static_cast<float>(level.cells);
          cell[a] = std::min(static_cast<uint32_t>(at), level.cells - 1);
          f[a] = double{at} - cell[a];
        }
        for (uint32_t k = 0; k < features; ++k) {
          const size_t at = (i / kTile) * args.rows_stride + k * kTile + i % kTile;
          double sum = 0;
          for (uint32_t c = 0; c < 8; ++c) {
            double weight = 1;
            for (uint32_t a = 0; a < 3; ++a) weight *= ((c >> a) & 1) != 0 ? f[a] : 1 - f[a];
            const size_t entry = level.offset +
                                 size_t{Entry(level, cell[0] + (c & 1), cell[1] + ((c >> 1) & 1),
                                              cell[2] + (c >> 2))} *
                                     features +
                                 k;
            sum += weight * table[entry];
            expected_grad[entry] += weight * deltas[at];
          }
          ASSERT_NEAR(rows[at], sum, 3e-6);
        }
      }
      for (size_t i = 0; i < grad.size(); ++i) ASSERT_NEAR(grad[i], expected_grad[i], 2e-5);
    }
  }
}

TEST_P(Hash, HashPairsAreTheRowsRounded) {
  Rng rng(6);
  for (const uint32_t features : {2u, 4u, 8u}) {
    const HashLevel level = Level(37, false, features, 65536);
    const uint32_t tiles = 3, n = tiles * kTile;
    Floats x(n, &rng, 0, 1), y(n, &rng, 0, 1), z(n, &rng, 0, 1),
        table(16 + level.size * features, &rng);
    Floats rows(tiles * features * kTile), pairs(tiles * (features / 2 + 1) * kTile, &rng);
    Floats before(pairs);
    HashArgs args = {level,       x.get(), y.get(),    z.get(),          tiles,
                     table.get(), nullptr, rows.get(), features * kTile, nullptr};
    table_->hash_forward(&args);
    args.rows = nullptr;
    args.pairs = pairs.words();
    args.rows_stride = size_t{features / 2 + 1} * kTile;
    table_->hash_forward(&args);
    for (uint32_t i = 0; i < n; ++i) {
      const size_t tile = i / kTile, sample = i % kTile;
      for (uint32_t f = 0; f < features; f += 2) {
        const float* row = rows.get() + (tile * features + f) * kTile + sample;
        ASSERT_EQ(pairs.words()[tile * args.rows_stride + f / 2 * kTile + sample],
                  uint32_t{RoundToBf16(row[kTile])} << 16 | RoundToBf16(row[0]));
      }
      const size_t behind = tile * args.rows_stride + features / 2 * kTile + sample;
      ASSERT_EQ(pairs[behind], before[behind]);  // a row of another level
    }
  }
}

// The slope of the deltas' product with the encoding, which is linear along each axis of a cell: so
// that differences within it are exact.
TEST_P(Hash, HashPositionIsTheSlopeOfForward) {
  Rng rng(5);
  for (const uint32_t features : {2u, 4u, 8u}) {
    for (const uint32_t hashed : {0u, 16384u}) {
      const HashLevel level = Level(hashed == 0 ? 5 : 37, hashed == 0, features, hashed);
      const uint32_t tiles = 3, n = tiles * kTile;
      const size_t stride = (features + 1) * kTile;
      Floats lanes[3] = {Floats(n), Floats(n), Floats(n)},
             slopes[3] = {Floats(n), Floats(n), Floats(n)};
      Floats table(16 + level.size * features, &rng), deltas(tiles * stride, &rng);
      for (uint32_t i = 0; i < n; ++i) {
        for (Floats& lane : lanes) {
          const float cell = static_cast<float>(rng.Below(level.cells));
          lane[i] = (cell + rng.Uniform(0.3f, 0.7f)) / static_cast<float>(level.cells);
        }
      }
      for (Floats& each : slopes) std::fill(each.get(), each.get() + n, 1.0f);  // is added to
      const HashPositionArgs args = {{level, lanes[0].get(), lanes[1].get(), lanes[2].get(), tiles,
                                      table.get(), nullptr, deltas.get(), stride},
                                     {slopes[0].get(), slopes[1].get(), slopes[2].get()}};
      table_->hash_position(&args);
      for (int axis = 0; axis < 3; ++axis) {
        const float by = 0.25f / static_cast<float>(level.cells);
        Floats rows[2] = {Floats(tiles * stride), Floats(tiles * stride)};
        Floats own(lanes[axis]);
        for (int side = 0; side < 2; ++side) {
          for (uint32_t i = 0; i < n; ++i) lanes[axis][i] = own[i] + (side == 0 ? -by : by);
          HashArgs forward = args.hash;
          forward.rows = rows[side].get();
          table_->hash_forward(&forward);
        }
        for (uint32_t i = 0; i < n; ++i) {
          double sum = 0;
          for (uint32_t k = 0; k < features; ++k) {
            const size_t at = (i / kTile) * stride + k * kTile + i % kTile;
            sum +=
                double{deltas[at]} * (double{rows[1][at]} - double{rows[0][at]}) / (2 * double{by});
          }
          ASSERT_NEAR(slopes[axis][i], 1 + sum, 2e-5 * features * level.cells) << axis;
          lanes[axis][i] = own[i];
        }
      }
    }
  }
}

DAF_EACH_ISA(Hash);

}  // namespace
}  // namespace daf::kernels
