// The hash encoding in every table, against double precision and its own differences.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "native/kernels/dot.h"
#include "native/kernels/testing_floats.h"
#include "native/kernels/testing_tables.h"

namespace daf::kernels {
namespace {

class Hash : public EachIsa {};

// `hashed`: entries, a power of two; 0: dense.
HashLevel Level(uint32_t cells, uint32_t hashed, uint32_t features, bool parts = true) {
  uint32_t log2 = 20;
  while (hashed != 0 && 1u << log2 > hashed) --log2;
  const HashLevel level = MakeHashLevel(cells, log2, features, parts, 16);
  EXPECT_EQ(level.dense != 0, hashed == 0);
  return level;
}

uint32_t Entry(const HashLevel& level, uint32_t x, uint32_t y, uint32_t z) {
  const uint32_t side = level.cells + 1, half = (side + 1) / 2;
  uint32_t before = 0, rows = side;
  if (level.part != 0) {
    before = (y % 2 + 2 * (z % 2)) * level.part;
    y /= 2;
    z /= 2;
    rows = half;
  }
  return before + x +
         (level.dense != 0 ? y * side + z * side * rows
                           : ((y * 2654435761u) ^ (z * 805459861u)) & level.mask);
}

TEST_P(Hash, EveryVertexOfADenseLevelHasAnEntryOfItsOwn) {
  for (const uint32_t cells : {1u, 4u, 5u}) {
    for (const bool parts : {false, true}) {
      const HashLevel level = Level(cells, 0, 2, parts);
      std::vector<int> seen(level.size, 0);
      for (uint32_t z = 0; z <= cells; ++z) {
        for (uint32_t y = 0; y <= cells; ++y) {
          for (uint32_t x = 0; x <= cells; ++x) ++seen.at(Entry(level, x, y, z));
        }
      }
      EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), (cells + 1) * (cells + 1) * (cells + 1));
      EXPECT_EQ(*std::max_element(seen.begin(), seen.end()), 1);
    }
  }
}

TEST_P(Hash, HashMatchesDouble) {
  Rng rng(4);
  for (const uint32_t features : {2u, 4u, 8u}) {
    for (const uint32_t hashed : {0u, 1u, 256u, 32768u}) {  // 1: dense, an odd number of cells less
      const bool dense = hashed < 2, parts = features != 4 || hashed != 256;
      const HashLevel level = Level(dense ? 5 - hashed : 37, dense ? 0 : hashed, features, parts);
      const uint32_t tiles = 2, n = tiles * kTile;
      Floats x(n, &rng, 0, 1), y(n, &rng, 0, 1), z(n, &rng, 0, 1),
          table(16 + level.size * features, &rng), grad(16 + level.size * features);
      x[0] = y[0] = z[0] = 0;  // corners of the cube
      x[1] = y[1] = z[1] = 1;
      Floats rows(tiles * (features + 1) * kTile, &rng);
      Floats deltas(rows);
      HashArgs args = {level,      x.get(),    y.get(),
                       z.get(),    tiles,      table.get(),
                       grad.get(), rows.get(), size_t{features + 1} * kTile};
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

// In parts, a batch that is long enough passes once for each or for two: the same sums to the last
// bit, forwards as rows or pairs and backwards as that of tables without parts in the same order.
TEST_P(Hash, PartsOfALevelArePassedOneByOneWithTheSameSums) {
  Rng rng(7);
  for (const uint32_t hashed : {0u, 65536u, 131072u}) {
    const HashLevel level = Level(hashed == 0 ? 38 : 300, hashed, 2), next = Level(32, 32768, 2);
    const uint32_t tiles = 150, n = tiles * kTile;
    Floats x(n, &rng, 0, 1), y(n, &rng, 0, 1), z(n, &rng, 0, 1), table(16 + level.size * 2, &rng);
    Floats rows(tiles * 2 * kTile), pairs(tiles * kTile), sums(n * 4);
    HashArgs args = {level,       x.get(), y.get(),    z.get(),  tiles,
                     table.get(), nullptr, rows.get(), 2 * kTile};
    table_->hash_forward(&args);
    Floats together(rows);
    args.sums = sums.get();
    args.next = &next;
    std::fill(rows.get(), rows.get() + rows.size(), -1.0f);
    std::fill(sums.get(), sums.get() + sums.size(), std::nanf(""));
    table_->hash_forward(&args);
    for (size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i], together[i]);
    EXPECT_FALSE(std::isnan(sums[0])) << "no part was passed alone";
    args.rows = nullptr;
    args.pairs = pairs.words();
    args.rows_stride = kTile;
    table_->hash_forward(&args);
    for (uint32_t i = 0; i < n; ++i) {
      const float* row = together.get() + i / kTile * 2 * kTile + i % kTile;
      ASSERT_EQ(pairs.words()[i], uint32_t{RoundToBf16(row[kTile])} << 16 | RoundToBf16(row[0]));
    }
    // Backwards: a batch of which each tile comes alone adds what the whole does.
    Floats grad(16 + level.size * 2), alone(16 + level.size * 2);
    args.rows = together.get();
    args.rows_stride = 2 * kTile;
    args.grad = grad.get();
    table_->hash_backward(&args);
    args.grad = alone.get();
    args.tiles = 1;
    args.next = nullptr;
    for (uint32_t tile = 0; tile < tiles; ++tile) {
      table_->hash_backward(&args);
      args.x += kTile;
      args.y += kTile;
      args.z += kTile;
      args.rows += 2 * kTile;
    }
    for (size_t i = 0; i < grad.size(); ++i) ASSERT_EQ(grad[i], alone[i]);
  }
}

TEST_P(Hash, HashPairsAreTheRowsRounded) {
  Rng rng(6);
  for (const uint32_t features : {2u, 4u, 8u}) {
    const HashLevel level = Level(37, 32768, features);
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
      const HashLevel level = Level(hashed == 0 ? 5 : 37, hashed, features, features != 4);
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
