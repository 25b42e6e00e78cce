#include "native/nerf/distance_field.h"

#include <gtest/gtest.h>

#include <cmath>

#include "native/base/rng.h"

namespace daf::nerf {
namespace {

TEST(LeastParabola, IsWhatTryingAllCellsFinds) {
  constexpr uint32_t kCells = 9;
  constexpr size_t kAll = kCells * kCells * kCells;
  Rng rng(3, 1);
  std::vector<float> before(kAll, INFINITY);
  for (int i = 0; i < 20; ++i) before[rng.Below(kAll)] = -30 * rng.Uniform();
  std::vector<float> after = before;
  std::vector<uint32_t> source(kAll);
  ASSERT_TRUE(LeastParabola(kCells, TaskControl(), after.data(), source.data()).ok());
  const auto place = [](size_t i, int axis) {
    const size_t at[3] = {i % kCells, i / kCells % kCells, i / kCells / kCells};
    return static_cast<float>(at[axis]);
  };
  const auto from = [&](size_t p, size_t q) {
    float sum = before[q];
    for (int a = 0; a < 3; ++a) sum += (place(p, a) - place(q, a)) * (place(p, a) - place(q, a));
    return sum;
  };
  for (size_t p = 0; p < kAll; ++p) {
    float least = INFINITY;
    for (size_t q = 0; q < kAll; ++q) least = std::min(least, from(p, q));
    ASSERT_NEAR(after[p], least, 1e-4f);
    ASSERT_NEAR(from(p, source[p]), least, 1e-4f);
  }
}

TEST(LeastParabola, OfNothingIsInfinite) {
  std::vector<float> values(64, INFINITY);
  ASSERT_TRUE(LeastParabola(4, TaskControl(), values.data(), nullptr).ok());
  for (const float v : values) EXPECT_EQ(v, INFINITY);
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(LeastParabola(4, TaskControl(words), values.data(), nullptr).code(), Code::kCancelled);
}

}  // namespace
}  // namespace daf::nerf
