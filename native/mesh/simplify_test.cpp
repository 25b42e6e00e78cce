#include "native/mesh/simplify.h"

#include <algorithm>

#include "native/mesh/band_surface.h"
#include "native/mesh/incidence.h"
#include "native/mesh/smooth.h"
#include "native/mesh/testing_shapes.h"

namespace daf::mesh {
namespace {

using namespace testing;

template <typename F>
Mesh Extract(F f, int resolution) {
  Mesh mesh;
  BandReport report;
  EXPECT_TRUE(ExtractBandSurface({{-1.5f, -1.4f, -1.6f}, {1.5f, 1.6f, 1.4f}, resolution, 0}, Of(f),
                                 {}, TaskControl(), &mesh, &report)
                  .ok());
  return mesh;
}

TEST(Simplify, SphereStaysClosedAndRound) {
  Mesh mesh = Extract(Ball, 64);
  ASSERT_GT(mesh.triangles.size(), 40000u);
  ASSERT_TRUE(Simplify(2000, TaskControl(), &mesh).ok());
  EXPECT_LE(mesh.triangles.size(), 2000u);
  EXPECT_GE(mesh.triangles.size(), 1998u);
  ExpectWatertight(mesh);
  EXPECT_EQ(EulerCharacteristic(mesh), 2);
  EXPECT_NEAR(Volume(mesh), 4.0 / 3.0 * kPi, 0.005 * 4.0 / 3.0 * kPi);
  EXPECT_NEAR(Area(mesh), 4.0 * kPi, 0.005 * 4.0 * kPi);
  for (const auto& p : mesh.positions)
    EXPECT_NEAR(std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]), 1.0f, 0.01f);
}

TEST(Simplify, KeepsTheTopologyOfARoughSurfaceWithHandles) {
  // Sheets joined by many handles, with noise.
  const auto rough = [](const float* p) {
    const float gyroid = std::sin(5 * p[0]) * std::cos(5 * p[1]) +
                         std::sin(5 * p[1]) * std::cos(5 * p[2]) +
                         std::sin(5 * p[2]) * std::cos(5 * p[0]);
    return gyroid + 0.1f * std::sin(40 * p[0]) * std::sin(43 * p[1]) * std::sin(37 * p[2]);
  };
  Mesh mesh = Extract(rough, 56);
  ExpectWatertight(mesh);
  const int64_t euler = EulerCharacteristic(mesh);
  ASSERT_LT(euler, -10);
  ASSERT_TRUE(Simplify(mesh.triangles.size() / 8, TaskControl(), &mesh).ok());
  ExpectWatertight(mesh);
  EXPECT_EQ(EulerCharacteristic(mesh), euler);
}

TEST(Simplify, ACubeNeedsFewTriangles) {
  const auto cube = [](const float* p) {
    return 0.8f - std::fmax(std::fabs(p[0]), std::fmax(std::fabs(p[1]), std::fabs(p[2])));
  };
  Mesh mesh = Extract(cube, 48);
  ASSERT_TRUE(Simplify(400, TaskControl(), &mesh).ok());
  ExpectWatertight(mesh);
  EXPECT_LE(mesh.triangles.size(), 400u);
  EXPECT_NEAR(Volume(mesh), 1.6 * 1.6 * 1.6, 0.01 * 1.6 * 1.6 * 1.6);
}

TEST(Simplify, FoldsNothingOver) {
  // Bumps of the size of cells, and a sheet with waves that is a few cells thick; at the sheet's
  // rim, where two surfaces meet, no direction is outward.
  const auto sheet = [](const float* p) {
    const float bend = 0.1f * std::sin(5 * p[0]) + 0.05f * std::sin(11 * p[1]);
    return std::fmin(0.08f - std::fabs(p[2] - bend), 1.0f - std::hypot(p[0], p[1]));
  };
  const auto check = [](auto f, size_t budget, float reach) {
    Mesh mesh = Extract(f, 96);
    ASSERT_TRUE(Simplify(budget, TaskControl(), &mesh).ok());
    ExpectWatertight(mesh);
    EXPECT_EQ(EulerCharacteristic(mesh), 2);
    EXPECT_LE(mesh.triangles.size(), budget);
    EXPECT_GE(mesh.triangles.size() + 2, budget);
    auto& all = mesh.triangles;
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const Triangle& t) {
                               const Point middle = Middle(mesh, t);
                               return std::hypot(middle[0], middle[1]) > reach;
                             }),
              all.end());
    EXPECT_EQ(TrianglesAgainst(mesh, f, 0.004f), 0u);
  };
  check(Bumpy, 8000, 2);
  check(sheet, 6000, 0.95f);
}

TEST(Simplify, StopsWhereNothingMayGo) {
  Mesh mesh = Extract(Ball, 12);
  ASSERT_TRUE(Simplify(0, TaskControl(), &mesh).ok());
  ExpectWatertight(mesh);
  EXPECT_GE(mesh.triangles.size(), 4u);
  EXPECT_EQ(EulerCharacteristic(mesh), 2);
}

TEST(Simplify, SaysHowLargeASurfaceDoesNotFit) {
  Mesh mesh = Extract(Ball, 64);
  Budget& budget = Budget::Process();
  budget.SetLimit(budget.used() + (size_t{1} << 20));
  const Status status = Simplify(100, TaskControl(), &mesh);
  budget.SetLimit(0);
  EXPECT_EQ(status.code(), Code::kMemory);
  EXPECT_NE(status.message().find(std::to_string(mesh.triangles.size()) + " triangles"),
            std::string::npos)
      << status.message();
}

TEST(Simplify, LeavesWhatFitsAndHearsCancel) {
  Mesh mesh = Extract(Ball, 12);
  const auto before = mesh.positions;
  ASSERT_TRUE(Simplify(mesh.triangles.size(), TaskControl(), &mesh).ok());
  EXPECT_EQ(mesh.positions, before);
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(Simplify(10, TaskControl(words), &mesh).code(), Code::kCancelled);
}

// Passes over millions of triangles poll for themselves: what calls them does so only between them.
TEST(Simplify, SinglePassesHearCancel) {
  Mesh mesh = Extract(Ball, 12);
  int32_t words[3] = {1, 0, 0};
  Arena arena;
  EXPECT_EQ(Incidence().Build(mesh, TaskControl(words), &arena).code(), Code::kCancelled);
  const auto before = mesh.positions;
  EXPECT_EQ(Smooth(1, TaskControl(words), &mesh).code(), Code::kCancelled);
  EXPECT_EQ(mesh.positions, before);
}

}  // namespace
}  // namespace daf::mesh
