// Rays taken many at a time against each of them walked alone.
#include "native/nerf/lattice_rays.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "native/nerf/march.h"
#include "native/nerf/testing_scene.h"

namespace daf::nerf {
namespace {

constexpr uint32_t kRays = 150, kRun = 6;
constexpr float kStep = 0.017f;

class LatticeRaysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(grid_.Make(32).ok());
    for (uint32_t i = 0; i < 32 * 32 * 32; ++i) {
      if (rng_.Below(10) > 0) grid_.Forbid(i % 32, i / 32 % 32, i / 1024);
    }
    grid_.ResetToAllowed();
    ASSERT_TRUE(skip_.Build(grid_).ok());
    const kernels::Table* table;
    ASSERT_TRUE(kernels::Chosen(&table).ok());
    rays_ = std::make_unique<LatticeRays>(box_, &skip_, *table, kStep);
    ASSERT_TRUE(rays_->Reserve(kRays, &arena_).ok());
    for (uint32_t i = 0; i < kRays; ++i) {
      const float distance = rng_.Uniform(0.2f, 4);
      const Camera camera =
          testing::Orbit(rng_.Uniform(-3, 3), rng_.Uniform(-1.5f, 1.5f), distance, 64);
      ray_.push_back(PixelRay(camera, rng_.Uniform(0, 64), rng_.Uniform(0, 64)));
      jitter_.push_back(rng_.Uniform());
      near_.push_back(rng_.Below(2) == 0 ? 0 : rng_.Uniform(0, 2));
    }
  }
  // Distances of a ray's samples.
  std::vector<float> Alone(uint32_t i) const {
    std::vector<float> all;
    Marcher march;
    if (!march.Start(box_, &grid_, ray_[i], kStep, jitter_[i], near_[i])) return all;
    float t, position[3];
    while (march.Next(&t, position)) all.push_back(t);
    return all;
  }

  Rng rng_{5, 1};
  Box box_;
  Occupancy grid_;
  SkipMap skip_;
  Arena arena_;
  std::unique_ptr<LatticeRays> rays_;
  std::vector<Ray> ray_;
  std::vector<float> jitter_, near_;
};

TEST_F(LatticeRaysTest, EachFromItsOwnOriginHasTheSamplesItHasAlone) {
  std::vector<uint32_t> list(kRays + 16);
  uint32_t count = 0;
  for (uint32_t i = 0; i < kRays; ++i) {
    if (rays_->Start(ray_[i], near_[i], INFINITY, jitter_[i], 0, i)) list[count++] = i;
  }
  std::vector<float> lanes(4 * (kRays * kRun + 16));
  std::vector<uint32_t> ids(kRays * kRun + 16);
  float* const at = lanes.data();
  const size_t room = kRays * kRun + 16;
  const LatticeRays::Samples out = {at, at + room, at + 2 * room, at + 3 * room, ids.data()};
  std::vector<std::vector<float>> taken(kRays);
  size_t samples = 0;
  while (count > 0) {
    const uint32_t more = rays_->Take(list.data(), &count, kRun, out);
    for (uint32_t s = 0; s < more; ++s) taken[ids[s]].push_back(out.t[s]);
    samples += more;
  }
  EXPECT_GT(samples, 500u);
  // A point on a cell's wall may be on either side of it.
  size_t different = 0;
  for (uint32_t i = 0; i < kRays; ++i) {
    const std::vector<float> alone = Alone(i);
    different += alone.size() > taken[i].size() ? alone.size() - taken[i].size()
                                                : taken[i].size() - alone.size();
    if (alone.size() != taken[i].size()) continue;
    for (size_t k = 0; k < alone.size(); ++k) ASSERT_NEAR(taken[i][k], alone[k], 1e-4f) << i;
  }
  EXPECT_LE(different, samples / 500);
}

TEST_F(LatticeRaysTest, AMovedRayGoesOnWhereItWas) {
  uint32_t from = kRays;
  for (uint32_t i = 0; i < kRays && from == kRays; ++i) {
    if (Alone(i).size() > 2 && i > 0) from = i;
  }
  ASSERT_LT(from, kRays);
  ASSERT_TRUE(rays_->Start(ray_[from], near_[from], INFINITY, jitter_[from], 0, from));
  float lanes[4][32];
  uint32_t ids[32], list[16] = {from}, count = 1;
  const LatticeRays::Samples out = {lanes[0], lanes[1], lanes[2], lanes[3], ids};
  ASSERT_EQ(rays_->Take(list, &count, 1, out), 1u);
  rays_->Move(from, 0);
  list[0] = 0;
  ASSERT_EQ(rays_->Take(list, &count, 1, out), 1u);
  EXPECT_EQ(ids[0], 0u);
  EXPECT_NEAR(out.t[0], Alone(from)[1], 1e-4f);
}

}  // namespace
}  // namespace daf::nerf
