// Marching in every table, against asking every point of every ray's lattice.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "native/base/rng.h"
#include "native/kernels/kernels.h"

namespace daf::kernels {
namespace {

constexpr uint32_t kCells = 12, kRays = 37, kRun = 5;  // whole vectors of rays and a remainder
constexpr float kStep = 0.003f;

// By cell: 0 where something is, else how many cells away the nearest such cell is.
std::vector<uint8_t> Distances(Rng* rng, float share) {
  std::vector<uint32_t> full;
  for (uint32_t c = 0; c < kCells * kCells * kCells; ++c)
    if (rng->Uniform() < share) full.push_back(c);
  std::vector<uint8_t> out(kCells * kCells * kCells + 3, 255);
  const auto axis = [](uint32_t c, int a) {
    return static_cast<int>(a == 0   ? c % kCells
                            : a == 1 ? c / kCells % kCells
                                     : c / kCells / kCells);
  };
  for (uint32_t c = 0; c < kCells * kCells * kCells; ++c) {
    int nearest = kCells;
    for (const uint32_t f : full) {
      int far = 0;
      for (int a = 0; a < 3; ++a) far = std::max(far, std::abs(axis(c, a) - axis(f, a)));
      nearest = std::min(nearest, far);
    }
    out[c] = static_cast<uint8_t>(nearest);
  }
  return out;
}

struct Rays {
  std::vector<float> origin[3], slope[3], inverse[3], first, end;

  explicit Rays(Rng* rng) {
    constexpr float kAround[3] = {0.4f, 0.6f, -1.3f};
    for (uint32_t r = 0; r < kRays; ++r) {
      float near = 0, far = 10;
      for (int a = 0; a < 3; ++a) {
        const float target = rng->Uniform(-0.2f, 1.2f);
        const float from = kAround[a] + rng->Uniform(-0.3f, 0.3f);
        float d = target - from;
        if (std::fabs(d) < 0.01f) d = 0.01f;
        origin[a].push_back(from);
        slope[a].push_back(d);
        inverse[a].push_back(1 / d);
        const float walls[2] = {-from / d, (1 - from) / d};
        near = std::max(near, std::min(walls[0], walls[1]));
        far = std::min(far, std::max(walls[0], walls[1]));
      }
      first.push_back(near + kStep * rng->Uniform());
      end.push_back(far);  // before the first point where the ray misses the cube
    }
  }
  float At(uint32_t ray, float k) const { return std::fma(kStep, k, first[ray]); }
  float Place(uint32_t ray, int axis, float at) const {
    return std::min(std::max(std::fma(slope[axis][ray], at, origin[axis][ray]), 0.0f), 1.0f);
  }
};

// Whether a point is a sample, or so near to a wall of its cell that rounding decides.
enum class Expect { kNo, kYes, kEither };
Expect Expected(const Rays& rays, const uint8_t* distance, uint32_t ray, float k) {
  const float at = rays.At(ray, k);
  if (std::fabs(rays.end[ray] - at) < 1e-5f) return Expect::kEither;
  if (at > rays.end[ray]) return Expect::kNo;
  if (distance == nullptr) return Expect::kYes;
  uint32_t cell = 0;
  for (int a = 2; a >= 0; --a) {
    const float p = rays.Place(ray, a, at) * kCells;
    if (std::fabs(p - std::round(p)) < 1e-4f) return Expect::kEither;
    cell = cell * kCells + static_cast<uint32_t>(p);
  }
  return distance[cell] == 0 ? Expect::kYes : Expect::kNo;
}

class Marching : public ::testing::TestWithParam<Isa> {};

void ExpectEverySampleOnce(const Table& table, const Rays& rays, const uint8_t* distance) {
  std::vector<float> next(kRays, 0.0f), lanes[4];
  std::vector<uint32_t> ids(48), ray(kRays * kRun + 16);
  for (std::vector<float>& lane : lanes) lane.resize(ray.size());
  std::iota(ids.begin(), ids.begin() + kRays, 0u);
  std::set<std::pair<uint32_t, uint32_t>> found;
  std::vector<float> before(kRays, -1.0f);
  MarchArgs args{};
  args.step = kStep;
  args.distance = distance;
  args.cells = kCells;
  for (int a = 0; a < 3; ++a) {
    args.origin[a] = rays.origin[a].data();
    args.slope[a] = rays.slope[a].data();
    args.inverse[a] = rays.inverse[a].data();
  }
  args.first = rays.first.data();
  args.end = rays.end.data();
  args.next = next.data();
  args.rays = ids.data();
  args.run = kRun;
  args.x = lanes[0].data();
  args.y = lanes[1].data();
  args.z = lanes[2].data();
  args.t = lanes[3].data();
  args.ray = ray.data();
  args.count = kRays;
  for (int round = 0; args.count > 0; ++round) {
    ASSERT_LT(round, 4000) << "it never ends";
    table.march(&args);
    ASSERT_LE(args.samples, kRays * kRun);
    for (uint32_t s = 0; s < args.samples; ++s) {
      const float k = std::round((lanes[3][s] - rays.first[ray[s]]) / kStep);
      ASSERT_NEAR(lanes[3][s], rays.At(ray[s], k), 1e-6);
      for (int a = 0; a < 3; ++a)
        ASSERT_NEAR(lanes[a][s], rays.Place(ray[s], a, lanes[3][s]), 1e-6);
      ASSERT_GT(lanes[3][s], before[ray[s]]) << "out of order";
      before[ray[s]] = lanes[3][s];
      ASSERT_TRUE(found.emplace(ray[s], static_cast<uint32_t>(k)).second);
    }
  }
  size_t certain = 0;
  for (uint32_t r = 0; r < kRays; ++r) {
    for (uint32_t k = 0; rays.At(r, static_cast<float>(k)) < rays.end[r] + kStep; ++k) {
      const Expect expected = Expected(rays, distance, r, static_cast<float>(k));
      certain += expected == Expect::kYes ? 1 : 0;
      if (expected == Expect::kEither) continue;
      ASSERT_EQ(found.count({r, k}), expected == Expect::kYes ? 1u : 0u)
          << "ray " << r << ", " << k;
    }
  }
  EXPECT_GT(certain, 40u);
}

TEST_P(Marching, TakesEveryPointInOccupiedCellsOnceAndInOrder) {
  if (!IsaSupported(GetParam())) GTEST_SKIP() << IsaName(GetParam()) << ": this machine lacks it";
  const Table& table = *TableFor(GetParam());
  Rng rng(3);
  for (const float share : {0.02f, 0.2f, 0.7f}) {
    const std::vector<uint8_t> distance = Distances(&rng, share);
    const Rays rays(&rng);
    ExpectEverySampleOnce(table, rays, distance.data());
    ExpectEverySampleOnce(table, rays, nullptr);
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Marching,
                         ::testing::Values(Isa::kScalar, Isa::kNeon, Isa::kAvx2, Isa::kAvx512),
                         [](const auto& one) { return std::string(IsaName(one.param)); });

}  // namespace
}  // namespace daf::kernels
