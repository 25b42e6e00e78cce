// What pictures do not show is emptied, tried again now and then, and not rendered.
#include "native/nerf/training/shown_cells.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace daf::nerf {
namespace {

constexpr uint32_t kSide = 16;

size_t Occupied(const Occupancy& grid) {
  return static_cast<size_t>(grid.Fraction() * kSide * kSide * kSide + 0.5);
}

struct Fixture {
  Fixture() {
    EXPECT_TRUE(grid.Make(kSide).ok());
    EXPECT_TRUE(shown.Reserve(grid, 2, &arena).ok());
  }
  // All cells dense; of those the pictures show the lower half in x, each thread one of two rows.
  void Sweep() {
    for (uint32_t z = 0; z < kSide; ++z) {
      for (uint32_t y = 0; y < kSide; ++y) {
        for (uint32_t x = 0; x < kSide / 2; ++x) shown.Mark(y % 2, Middle(x), Middle(y), Middle(z));
      }
    }
    grid.ResetToAllowed();
    shown.Sweep(&grid);
  }
  static float Middle(uint32_t cell) { return (static_cast<float>(cell) + 0.5f) / kSide; }
  Arena arena;
  Occupancy grid;
  ShownCells shown;
};

TEST(ShownCells, EmptiesWhatHasNotShownForLong) {
  Fixture f;
  for (int i = 0; i < 7; ++i) f.Sweep();
  EXPECT_EQ(Occupied(f.grid), kSide * kSide * kSide);
  f.Sweep();
  EXPECT_EQ(Occupied(f.grid), kSide * kSide * kSide / 2);
  EXPECT_TRUE(f.grid.Occupied(kSide / 2 - 1, 3, 4));
  EXPECT_FALSE(f.grid.Occupied(kSide / 2, 3, 4));
}

TEST(ShownCells, TriesEveryCellAgainButIsNotCertainOfIt) {
  Fixture f;
  for (int i = 0; i < 8; ++i) f.Sweep();
  std::vector<bool> tried(kSide * kSide * kSide);
  const size_t half = tried.size() / 2;
  std::vector<uint64_t> certain(tried.size() / 64);
  for (int i = 0; i < 64; ++i) {
    f.Sweep();
    EXPECT_GT(Occupied(f.grid), half);
    EXPECT_LT(Occupied(f.grid), half + half / 16);
    for (uint32_t c = 0; c < tried.size(); ++c) {
      if (f.grid.Occupied(c % kSide, c / kSide % kSide, c / kSide / kSide)) tried[c] = true;
    }
    f.shown.Certain(f.grid, certain.data());
    size_t count = 0;
    for (const uint64_t word : certain) count += static_cast<size_t>(__builtin_popcountll(word));
    EXPECT_EQ(count, half);
  }
  EXPECT_EQ(std::count(tried.begin(), tried.end(), false), 0);
}

TEST(ShownCells, GoesOnFromItsState) {
  Fixture a, b;
  for (int i = 0; i < 5; ++i) a.Sweep();
  a.shown.Mark(0, 0.9f, 0.9f, 0.9f);
  b.shown.Restore(a.shown.State());
  for (int i = 0; i < 40; ++i) {
    a.Sweep();
    b.Sweep();
    ASSERT_EQ(std::memcmp(a.grid.bytes(), b.grid.bytes(), a.grid.byte_count()), 0);
  }
}

TEST(Occupancy, AllowsCellsAndTheirNeighbours) {
  Occupancy grid;
  ASSERT_TRUE(grid.Make(kSide).ok());
  std::vector<uint64_t> bits(kSide * kSide * kSide / 64);
  for (const size_t cell : {size_t{0}, size_t{(5 * kSide + 7) * kSide + 9}})
    bits[cell / 64] |= uint64_t{1} << (cell % 64);
  grid.AllowAround(bits.data());
  grid.ResetToAllowed();
  EXPECT_EQ(Occupied(grid), 4u + 7u);
  EXPECT_TRUE(grid.Occupied(9, 7, 4));
  EXPECT_TRUE(grid.Occupied(10, 7, 5));
  EXPECT_FALSE(grid.Occupied(10, 8, 5));
  EXPECT_TRUE(grid.BlockOccupied(0, 0, 0));
}

}  // namespace
}  // namespace daf::nerf
