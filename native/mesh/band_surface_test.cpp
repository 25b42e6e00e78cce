#include "native/mesh/band_surface.h"

#include <algorithm>
#include <limits>

#include "native/base/rng.h"
#include "native/mesh/iso_surface.h"
#include "native/mesh/testing_shapes.h"

namespace daf::mesh {
namespace {

using namespace testing;

// Both extractors on one function: the same mesh. Returns dense queries over band queries.
template <typename F>
double ExpectSameAsDense(const IsoGrid& grid, F f, Mesh* band, float guard = 1) {
  Mesh dense;
  BandReport report;
  *band = Mesh();
  EXPECT_TRUE(ExtractIsoSurface(grid, Of(f), TaskControl(), &dense).ok());
  EXPECT_TRUE(ExtractBandSurface(grid, Of(f), {guard}, TaskControl(), band, &report).ok());
  EXPECT_EQ(band->positions, dense.positions);
  EXPECT_EQ(band->triangles, dense.triangles);
  EXPECT_EQ(band->positions.capacity(), band->positions.size()) << "room for exactly the mesh";
  EXPECT_EQ(band->triangles.capacity(), band->triangles.size());
  return std::pow(static_cast<double>(grid.side()), 3) / static_cast<double>(report.queries);
}

TEST(BandSurface, SphereIsTheDenseOneFromFewQueries) {
  Mesh mesh;
  const IsoGrid grid{{-1.5f, -1.4f, -1.6f}, {1.5f, 1.6f, 1.4f}, 128, 0.0f};
  EXPECT_GT(ExpectSameAsDense(grid, Ball, &mesh), 8);
  ExpectWatertight(mesh);
  EXPECT_EQ(EulerCharacteristic(mesh), 2);
  EXPECT_NEAR(Volume(mesh), 4.0 / 3.0 * kPi, 0.002 * 4.0 / 3.0 * kPi);
  EXPECT_NEAR(Area(mesh), 4.0 * kPi, 0.002 * 4.0 * kPi);
}

TEST(BandSurface, TwelveTimesFewerQueriesAt256) {
  Mesh mesh;
  BandReport report;
  const IsoGrid grid{{-1.3f, -1.3f, -1.3f}, {1.3f, 1.3f, 1.3f}, 256, 0.0f};
  ASSERT_TRUE(ExtractBandSurface(grid, Of(Ball), {}, TaskControl(), &mesh, &report).ok());
  EXPECT_LT(12 * report.queries, 257u * 257u * 257u);
  EXPECT_EQ(EulerCharacteristic(mesh), 2);
}

TEST(BandSurface, ThinShellsAndStrandsAreWhole) {
  // A hollow ball of one cell's wall, a spiral of one cell's thickness.
  const auto shell = [](const float* p) { return 0.02f - std::fabs(Ball(p) + 0.2f); };
  const auto spiral = [](const float* p) {
    const float x = p[0] - std::cos(6 * p[2]), y = p[1] - std::sin(6 * p[2]);
    return 0.03f - std::hypot(x, y) / std::sqrt(37.0f);
  };
  const IsoGrid grid{{-1.5f, -1.5f, -1.5f}, {1.5f, 1.5f, 1.5f}, 90, 0.0f};
  Mesh mesh;
  ExpectSameAsDense(grid, shell, &mesh);
  ExpectWatertight(mesh);
  ExpectSameAsDense(grid, spiral, &mesh);
  ExpectWatertight(mesh);
}

TEST(BandSurface, SeparateSpecksAreFoundWithinTheGuard) {
  // Balls of 0.6 to 3 cells' radius, thrown in at random, in a field that falls off around them.
  Rng rng(3);
  std::vector<std::array<float, 4>> balls(40);
  for (auto& ball : balls) {
    for (int a = 0; a < 3; ++a) ball[a] = rng.Uniform(-0.95f, 0.95f);
    ball[3] = rng.Uniform(0.6f, 3.0f) * 2 / 64;
  }
  const auto specks = [&balls](const float* p) {
    float most = -1e9f;
    for (const auto& b : balls) most = std::max(most, BallAt(p, b[0], b[1], b[2], b[3]));
    return most;
  };
  const IsoGrid grid{{-1, -1, -1}, {1, 1, 1}, 64, 0.0f};
  Mesh mesh;
  ExpectSameAsDense(grid, specks, &mesh);
  ExpectWatertight(mesh);
  const size_t all = mesh.triangles.size();
  BandReport report;
  ASSERT_TRUE(ExtractBandSurface(grid, Of(specks), {0}, TaskControl(), &mesh, &report).ok());
  EXPECT_LT(mesh.triangles.size(), all) << "without a guard some slip through";
}

TEST(BandSurface, NoiseAndOddResolutionsAreTheSame) {
  const auto noise = [](const float* p) {
    const float s = std::sin(p[0] * 91.7f + p[1] * 57.3f + p[2] * 33.1f) * 4375.85f;
    return s - std::floor(s) - 0.5f;
  };
  for (const int resolution : {1, 2, 3, 5, 7, 13, 30}) {
    Mesh mesh;
    ExpectSameAsDense({{0, 0, 0}, {1, 2, 3}, resolution, 0.1f}, noise, &mesh);
    ExpectWatertight(mesh);
  }
}

TEST(BandSurface, ClosesAtTheBoxAndMayBeEmpty) {
  Mesh mesh;
  const IsoGrid grid{{-0.5f, -0.5f, -0.5f}, {0.5f, 0.5f, 0.5f}, 20, 0.0f};
  ExpectSameAsDense(grid, Ball, &mesh);
  ExpectWatertight(mesh);
  EXPECT_EQ(EulerCharacteristic(mesh), 2);
  EXPECT_GT(Volume(mesh), 0.8);
  ExpectSameAsDense(
      grid, [](const float*) { return -1.0f; }, &mesh);
  EXPECT_TRUE(mesh.triangles.empty());
}

TEST(BandSurface, RefusesWhatTheDenseOneRefuses) {
  Mesh mesh;
  BandReport report;
  const auto extract = [&](const IsoGrid& grid, const Sampler& f, const TaskControl& control) {
    return ExtractBandSurface(grid, f, {}, control, &mesh, &report).code();
  };
  const IsoGrid sound{{0, 0, 0}, {1, 1, 1}, 8, 0};
  EXPECT_EQ(extract({{0, 0, 0}, {0, 1, 1}, 8, 0}, Of(Ball), TaskControl()), Code::kBadArgument);
  EXPECT_EQ(extract({{0, 0, 0}, {1, 1, 1}, 1025, 0}, Of(Ball), TaskControl()), Code::kBadArgument);
  const auto nan = [](const float*) { return std::numeric_limits<float>::quiet_NaN(); };
  EXPECT_EQ(extract(sound, Of(nan), TaskControl()), Code::kBadData);
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(extract(sound, Of(Ball), TaskControl(words)), Code::kCancelled);
  const Sampler fails = [](const float*, size_t, float*) { return Status(Code::kIo, "no"); };
  EXPECT_EQ(extract(sound, fails, TaskControl()), Code::kIo);
}

// The coarse look goes through all of the grid, and keeps 4 bytes a point of it.
TEST(BandSurface, WhatIsFarFromTheSurfaceTakesHardlyAnyRoom) {
  const IsoGrid grid{{-6, -6, -6}, {6, 6, 6}, 256, 0.0f};
  Budget& budget = Budget::Process();
  budget.DropKept();
  budget.SetLimit(budget.used() + (size_t{16} << 20));
  Mesh mesh;
  BandReport report;
  const Status status = ExtractBandSurface(grid, Of(Ball), {}, TaskControl(), &mesh, &report);
  budget.SetLimit(0);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_GT(report.queries, 64u * 64 * 64);
  EXPECT_NEAR(Volume(mesh), 4.0 / 3.0 * kPi, 0.02 * 4.0 / 3.0 * kPi);
}

TEST(BandSurface, SaysHowLargeASurfaceDoesNotFit) {
  Budget& budget = Budget::Process();
  const size_t before = budget.used();
  budget.SetLimit(before + (size_t{6} << 20));
  Mesh mesh;
  BandReport report;
  const Status status = ExtractBandSurface({{-1.2f, -1.2f, -1.2f}, {1.2f, 1.2f, 1.2f}, 96, 0},
                                           Of(Ball), {}, TaskControl(), &mesh, &report);
  budget.SetLimit(0);
  EXPECT_EQ(status.code(), Code::kMemory);
  EXPECT_NE(status.message().find("triangles at resolution 96"), std::string::npos)
      << status.message();
  EXPECT_EQ(budget.used(), before);
}

}  // namespace
}  // namespace daf::mesh
