#include "native/nerf/training/sample_lanes.h"

#include <gtest/gtest.h>

#include <vector>

namespace daf::nerf {
namespace {

TEST(SampleLanes, SortsByRayAndKeepsTheOrderWithinARay) {
  Arena arena;
  SampleLanes lanes;
  ASSERT_TRUE(lanes.Reserve(&arena).ok());
  const uint32_t rays[] = {0, 3, 0, 2, 3, 3, 0};  // ray 1 has none
  for (const uint32_t ray : rays) lanes.ray[lanes.samples++] = ray;
  lanes.ray_count = 4;
  std::vector<uint32_t> order(lanes.samples);
  lanes.SortByRay(order.data());
  EXPECT_EQ(order, (std::vector<uint32_t>{0, 2, 6, 3, 1, 4, 5}));
  EXPECT_EQ(std::vector<uint32_t>(lanes.first, lanes.first + 5),
            (std::vector<uint32_t>{0, 3, 3, 4, 7}));
}

}  // namespace
}  // namespace daf::nerf
