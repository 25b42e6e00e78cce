// The contraction of unbounded boxes, and marching through it.
#include <gtest/gtest.h>

#include <cmath>

#include "native/nerf/march.h"
#include "native/nerf/renderer.h"
#include "native/nerf/testing_field.h"
#include "native/nerf/testing_scene.h"

namespace daf::nerf {
namespace {

Box Unbounded() {
  Box box;
  box.unbounded = true;
  return box;
}

TEST(Unbounded, TheBoxFillsTheMiddleAndTheHorizonTheEdge) {
  float unit[3];
  const float corner[3] = {1, -1, 0.5f};
  Unbounded().ToUnit(corner, unit);
  EXPECT_FLOAT_EQ(unit[0], 0.75f);
  EXPECT_FLOAT_EQ(unit[1], 0.25f);
  EXPECT_FLOAT_EQ(unit[2], 0.625f);
  const float outside[3] = {2, 0, 1};
  Unbounded().ToUnit(outside, unit);
  EXPECT_FLOAT_EQ(unit[0], 0.875f);  // (2 − 1/2) / 2 of the half
  EXPECT_FLOAT_EQ(unit[2], 0.6875f);
  const float far[3] = {0, 1e6f, 0};
  Unbounded().ToUnit(far, unit);
  EXPECT_NEAR(unit[1], 1, 1e-5);
}

TEST(Unbounded, SamplesFollowEachOtherAndCoverTheRay) {
  const Ray ray = {{-3, 0.2f, 0.1f}, {1, 0, 0}, 1};
  Marcher march;
  ASSERT_TRUE(march.Start(Unbounded(), nullptr, ray, 0.01f, 0.5f));
  float t, position[3], end = 0;
  uint32_t samples = 0;
  while (march.Next(&t, position)) {
    if (samples > 0) {
      ASSERT_NEAR(t, end, 1e-4 * t);
    }
    end = t + march.length();
    float expected[3];
    const float p[3] = {ray.origin[0] + t, ray.origin[1], ray.origin[2]};
    Unbounded().ToUnit(p, expected);
    for (int a = 0; a < 3; ++a) ASSERT_NEAR(position[a], expected[a], 1e-5);
    ++samples;
  }
  EXPECT_GT(end, 60);
  EXPECT_LT(samples, 1000u);
}

TEST(Unbounded, SkippingLeavesOutEmptyCellsOnly) {
  Occupancy grid;
  ASSERT_TRUE(grid.Make(64, true).ok());
  const auto occupied = [](uint32_t x, uint32_t y, uint32_t z) {
    return (x / 3 + y / 5 + z / 2) % 4 == 0;
  };
  for (uint32_t z = 0; z < 64; ++z) {
    for (uint32_t y = 0; y < 64; ++y) {
      for (uint32_t x = 0; x < 64; ++x) {
        if (!occupied(x, y, z)) grid.Forbid(x, y, z);
      }
    }
  }
  grid.ResetToAllowed();
  Rng rng(3);
  for (int r = 0; r < 200; ++r) {
    Ray ray = {{rng.Uniform(-2, 2), rng.Uniform(-2, 2), rng.Uniform(-2, 2)}, {}, 1};
    float norm = 0;
    for (float& d : ray.direction) {
      d = rng.Uniform(-1, 1);
      norm += d * d;
    }
    for (float& d : ray.direction) d /= std::sqrt(norm);
    Marcher every, skipping;
    ASSERT_TRUE(every.Start(Unbounded(), nullptr, ray, 0.02f, 0));
    ASSERT_TRUE(skipping.Start(Unbounded(), &grid, ray, 0.02f, 0));
    uint32_t met = 0, taken = 0;
    float t, p[3];
    while (every.Next(&t, p)) {
      met += occupied(static_cast<uint32_t>(p[0] * 64), static_cast<uint32_t>(p[1] * 64),
                      static_cast<uint32_t>(p[2] * 64));
    }
    while (skipping.Next(&t, p)) {
      ASSERT_TRUE(occupied(static_cast<uint32_t>(p[0] * 64), static_cast<uint32_t>(p[1] * 64),
                           static_cast<uint32_t>(p[2] * 64)));
      ++taken;
    }
    // Rounding may put a sample at a wall to either side.
    EXPECT_NEAR(taken, met, 3 + 0.03 * met);
  }
}

// A wall four half sides away is seen at its distance.
TEST(Unbounded, FarWallsAreSeenWhereTheyAre) {
  std::unique_ptr<Model> model;
  // Beyond z = −4: contracted, (2 − 1/4) of 2.
  const testing::Analytic wall = {
      [](float, float, float z) { return z < 0.5f - 0.25f * 1.75f ? 200.0f : 0.0f; },
      [](float x, float, float, float c[3]) { c[0] = x, c[1] = c[2] = 0.5f; }};
  ASSERT_TRUE(
      Model::Make(std::make_unique<testing::AnalyticField>(wall), Unbounded(), 128, &model).ok());
  const Camera camera = testing::Orbit(0, 0, 3, 16);
  std::vector<float> depth(256), opacity(256), color(768);
  std::vector<uint8_t> rgba(1024);
  Renderer renderer;
  RenderOptions options;
  options.samples = 512;
  RenderStats stats;
  ASSERT_TRUE(renderer
                  .Render(model.get(), camera, {0, 0, 16, 16}, options,
                          {rgba.data(), color.data(), depth.data(), opacity.data(), nullptr},
                          TaskControl(), &stats)
                  .ok());
  for (uint32_t i = 0; i < 256; ++i) {
    ASSERT_GT(opacity[i], 0.99f);
    ASSERT_NEAR(depth[i], 7, 0.15);
  }
  const float point[3] = {0, 0, -5}, before[3] = {0, 0, -3};
  float density;
  ASSERT_TRUE(model->Evaluate(point, nullptr, 1, &density, nullptr, TaskControl()).ok());
  EXPECT_FLOAT_EQ(density, 100);  // per length: the edge is 2
  ASSERT_TRUE(model->Evaluate(before, nullptr, 1, &density, nullptr, TaskControl()).ok());
  EXPECT_EQ(density, 0);
}

}  // namespace
}  // namespace daf::nerf
