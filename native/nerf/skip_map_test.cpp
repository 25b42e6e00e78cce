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
  ASSERT_EQ(map.cells(), 24u);
  std::vector<std::array<int, 3>> occupied;
  for (uint32_t z = 0; z < 24; ++z) {
    for (uint32_t y = 0; y < 24; ++y) {
      for (uint32_t x = 0; x < 24; ++x) {
        if (grid.Occupied(x, y, z))
          occupied.push_back({static_cast<int>(x), static_cast<int>(y), static_cast<int>(z)});
      }
    }
  }
  ASSERT_GT(occupied.size(), 5u);
  for (int z = 0; z < 24; ++z) {
    for (int y = 0; y < 24; ++y) {
      for (int x = 0; x < 24; ++x) {
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

// A sampler of one ray at a time, for every instruction set that this machine has.
class OneRay {
 public:
  OneRay(const SamplePlan& plan, const kernels::Table& kernels, const float origin[3])
      : sampler_(plan, kernels, origin) {
    EXPECT_TRUE(sampler_.Reserve(1, &arena_).ok());
  }
  const LatticeSampler& sampler() const { return sampler_; }
  bool Start(const Ray& ray, const PixelPlace& place, float from) {
    return sampler_.Start(ray, place, from, 0);
  }
  // Its samples, `run` at a time.
  std::vector<RaySample> All(uint32_t run) {
    std::vector<RaySample> all;
    std::vector<float> lanes(5 * (run + 16));
    std::vector<uint32_t> rays(run + 16);
    SampleBatch batch = {};
    float* at = lanes.data();
    for (float** lane : {&batch.x, &batch.y, &batch.z, &batch.t, &batch.length}) {
      *lane = at;
      at += run + 16;
    }
    batch.ray = rays.data();
    uint32_t list[16] = {0}, count = 1;
    for (;;) {
      sampler_.Take(list, &count, run, &batch);
      EXPECT_EQ(batch.count > 0, count == 1);
      for (uint32_t i = 0; i < batch.count; ++i)
        all.push_back({batch.t[i], batch.length[i], {batch.x[i], batch.y[i], batch.z[i]}});
      if (count == 0) return all;
    }
  }

 private:
  Arena arena_;
  LatticeSampler sampler_;
};

class LatticeSamplers : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!IsaSupported(GetParam())) GTEST_SKIP() << IsaName(GetParam()) << ": this machine lacks it";
    table_ = kernels::TableFor(GetParam());
    ASSERT_NE(table_, nullptr);
  }
  const kernels::Table* table_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(Isas, LatticeSamplers, ::testing::ValuesIn(kIsas),
                         [](const auto& info) { return std::string(IsaName(info.param)); });

TEST_P(LatticeSamplers, TakesTheOccupiedSamplesOfTheLattice) {
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
      OneRay all(PlanOf(box, nullptr, nullptr), *table_, ray.origin),
          skipping(PlanOf(box, &grid, &map), *table_, ray.origin);
      const PixelPlace place = {0, rng.Uniform()};
      const bool hits = all.Start(ray, place, 0);
      ASSERT_EQ(skipping.Start(ray, place, skipping.sampler().Clear(ray, 0, 0)), hits);
      if (!hits) continue;
      std::vector<float> expected, visited;
      for (const RaySample& sample : all.All(7)) {
        uint32_t cell[3];
        for (int axis = 0; axis < 3; ++axis)
          cell[axis] = std::min(31u, static_cast<uint32_t>(sample.position[axis] * 32));
        if (grid.Occupied(cell[0], cell[1], cell[2])) expected.push_back(sample.t);
      }
      for (const RaySample& sample : skipping.All(1 + rng.Below(9))) visited.push_back(sample.t);
      ASSERT_EQ(visited, expected);
    }
  }
}

TEST_P(LatticeSamplers, IsClearOnlyWhereEveryRayOfTheBundleIs) {
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
    OneRay sampler(PlanOf(box, &grid, &map), *table_, middle.origin);
    constexpr float kSpread = 0.03f;
    const float clear = sampler.sampler().Clear(middle, kSpread, 0);
    cleared += clear > 0 ? 1 : 0;
    for (int k = 0; k < 20; ++k) {
      const Ray ray = PixelRay(camera, x + rng.Uniform(-2, 2), y + rng.Uniform(-2, 2));
      float apart = 0;
      for (int a = 0; a < 3; ++a) apart += std::pow(ray.direction[a] - middle.direction[a], 2.0f);
      if (std::sqrt(apart) > kSpread) continue;
      if (!sampler.Start(ray, {0, 0.5f}, 0)) continue;
      const std::vector<RaySample> samples = sampler.All(1);
      if (!samples.empty()) ASSERT_GE(samples[0].t, clear);
    }
  }
  EXPECT_GT(cleared, 300);
}

TEST_P(LatticeSamplers, RaysAlongAWallStayOnTheirSideOfIt) {
  const Box box;
  for (const float x : {-0.5f, 1.5f}) {
    const Ray ray = {{x, 0, 4}, {0, 0, -1}, 1};
    OneRay sampler(PlanOf(box, nullptr, nullptr), *table_, ray.origin);
    ASSERT_EQ(sampler.Start(ray, {0, 0}, 0), x < 1);
    if (x > 1) continue;
    const std::vector<RaySample> samples = sampler.All(4);
    ASSERT_FALSE(samples.empty());
    EXPECT_FLOAT_EQ(samples[0].t, 3);
    EXPECT_FLOAT_EQ(samples[0].position[0], 0.25f);
  }
}

}  // namespace
}  // namespace daf::nerf
