// The distances of the skip map, and that rays which use it take the samples they would take
// anyway.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "native/nerf/lattice_sampler.h"
#include "native/nerf/march.h"
#include "native/nerf/testing_scene.h"

namespace daf::nerf {
namespace {

// Cells at random, `per_mille` of a thousand.
void Fill(uint32_t resolution, uint32_t per_mille, uint64_t seed, Occupancy* grid) {
  ASSERT_TRUE(grid->Make(resolution).ok());
  Rng rng(seed);
  for (uint32_t z = 0; z < resolution; ++z) {
    for (uint32_t y = 0; y < resolution; ++y) {
      for (uint32_t x = 0; x < resolution; ++x) {
        if (rng.Below(1000) >= per_mille) grid->Forbid(x, y, z);
      }
    }
  }
  grid->ResetToAllowed();
}

TEST(SkipMap, HoldsTheChessboardDistanceToTheNearestOccupiedCell) {
  Occupancy grid;
  Fill(24, 2, 5, &grid);
  SkipMap map;
  ASSERT_TRUE(map.Build(grid).ok());
  ASSERT_EQ(map.cells(), 12u);
  std::vector<std::array<int, 3>> occupied;
  for (uint32_t z = 0; z < 24; ++z) {
    for (uint32_t y = 0; y < 24; ++y) {
      for (uint32_t x = 0; x < 24; ++x) {
        if (grid.Occupied(x, y, z))
          occupied.push_back(
              {static_cast<int>(x / 2), static_cast<int>(y / 2), static_cast<int>(z / 2)});
      }
    }
  }
  ASSERT_GT(occupied.size(), 5u);
  for (int z = 0; z < 12; ++z) {
    for (int y = 0; y < 12; ++y) {
      for (int x = 0; x < 12; ++x) {
        int nearest = 255;
        for (const auto& o : occupied)
          nearest = std::min(
              nearest, std::max({std::abs(o[0] - x), std::abs(o[1] - y), std::abs(o[2] - z)}));
        ASSERT_EQ(map.Distance(x, y, z), nearest) << x << " " << y << " " << z;
      }
    }
  }
}

TEST(SkipMap, IsAsFarAsItCanBeInEmptySpace) {
  Occupancy grid;
  Fill(8, 0, 1, &grid);
  SkipMap map;
  ASSERT_TRUE(map.Build(grid).ok());
  EXPECT_EQ(map.Distance(0, 3, 2), 255);
}

SamplePlan PlanOf(const Box& box, const Occupancy* grid, const SkipMap* map) {
  return {&box, grid, map, 0.013f, 0, false, 0, 0, INFINITY};
}

bool Next(const LatticeSampler& sampler, LatticeSampler::Ray* ray, RaySample* out) {
  Way way;
  do way = sampler.Advance(ray);
  while (way == Way::kMoved);
  return way == Way::kHere && sampler.Take(ray, out);
}

TEST(LatticeSampler, TakesTheOccupiedSamplesOfTheLattice) {
  Box box;
  box.max[1] = 2.5f;
  for (const uint32_t per_mille : {1u, 30u, 300u}) {
    Occupancy grid;
    Fill(32, per_mille, 7, &grid);
    SkipMap map;
    ASSERT_TRUE(map.Build(grid).ok());
    Rng rng(3);
    for (int i = 0; i < 200; ++i) {
      const Camera camera = testing::Orbit(rng.Uniform(-3, 3), rng.Uniform(-1.5f, 1.5f), 3, 64);
      const Ray ray = PixelRay(camera, rng.Uniform(0, 64), rng.Uniform(0, 64));
      const LatticeSampler all(PlanOf(box, nullptr, nullptr), ray.origin),
          skipping(PlanOf(box, &grid, &map), ray.origin);
      const PixelPlace place = {0, rng.Uniform()};
      LatticeSampler::Ray a, b;
      const bool hits = all.Start(ray, place, 0, &a);
      ASSERT_EQ(skipping.Start(ray, place, skipping.Clear(ray, 0, 0), &b), hits);
      if (!hits) continue;
      std::vector<float> expected, visited;
      RaySample sample;
      while (Next(all, &a, &sample)) {
        uint32_t cell[3];
        for (int axis = 0; axis < 3; ++axis)
          cell[axis] = std::min(31u, static_cast<uint32_t>(sample.position[axis] * 32));
        if (grid.Occupied(cell[0], cell[1], cell[2])) expected.push_back(sample.t);
      }
      while (Next(skipping, &b, &sample)) visited.push_back(sample.t);
      ASSERT_EQ(visited, expected);
    }
  }
}

TEST(LatticeSampler, IsClearOnlyWhereEveryRayOfTheBundleIs) {
  const Box box;
  Occupancy grid;
  Fill(32, 2, 11, &grid);
  SkipMap map;
  ASSERT_TRUE(map.Build(grid).ok());
  Rng rng(4);
  int cleared = 0;
  for (int i = 0; i < 400; ++i) {
    const Camera camera = testing::Orbit(rng.Uniform(-3, 3), rng.Uniform(-1.5f, 1.5f), 3, 64);
    const float x = rng.Uniform(2, 62), y = rng.Uniform(2, 62);
    const Ray middle = PixelRay(camera, x, y);
    const LatticeSampler sampler(PlanOf(box, &grid, &map), middle.origin);
    constexpr float kSpread = 0.03f;
    const float clear = sampler.Clear(middle, kSpread, 0);
    cleared += clear > 0 ? 1 : 0;
    for (int k = 0; k < 20; ++k) {
      const Ray ray = PixelRay(camera, x + rng.Uniform(-2, 2), y + rng.Uniform(-2, 2));
      float apart = 0;
      for (int a = 0; a < 3; ++a) apart += std::pow(ray.direction[a] - middle.direction[a], 2.0f);
      if (std::sqrt(apart) > kSpread) continue;
      LatticeSampler::Ray state;
      RaySample first;
      if (!sampler.Start(ray, {0, 0.5f}, 0, &state) || !Next(sampler, &state, &first)) continue;
      ASSERT_GE(first.t, clear);
    }
  }
  EXPECT_GT(cleared, 300);
}

TEST(LatticeSampler, RaysAlongAWallStayOnTheirSideOfIt) {
  const Box box;
  for (const float x : {-0.5f, 1.5f}) {
    const Ray ray = {{x, 0, 4}, {0, 0, -1}, 1};
    const LatticeSampler sampler(PlanOf(box, nullptr, nullptr), ray.origin);
    LatticeSampler::Ray state;
    ASSERT_EQ(sampler.Start(ray, {0, 0}, 0, &state), x < 1);
    RaySample sample;
    if (x < 1) {
      ASSERT_TRUE(Next(sampler, &state, &sample));
      EXPECT_FLOAT_EQ(sample.t, 3);
      EXPECT_FLOAT_EQ(sample.position[0], 0.25f);
    }
  }
}

}  // namespace
}  // namespace daf::nerf
