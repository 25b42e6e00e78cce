#include "native/mesh/unfold.h"

#include "native/mesh/band_surface.h"
#include "native/mesh/level_fit.h"
#include "native/mesh/simplify.h"
#include "native/mesh/testing_shapes.h"

namespace daf::mesh {
namespace {

using namespace testing;

constexpr float kStep = 3.0f / 64;  // a cell

template <typename F>
Mesh Simplified(F f, size_t faces) {
  Mesh mesh;
  BandReport report;
  EXPECT_TRUE(ExtractBandSurface({{-1.5f, -1.4f, -1.6f}, {1.5f, 1.6f, 1.4f}, 64, 0}, Of(f),
                                 {1, 1, 0}, TaskControl(), &mesh, &report)
                  .ok());
  EXPECT_TRUE(Simplify(faces, TaskControl(), &mesh).ok());
  return mesh;
}

// The least cosine between a triangle's normal and where it lies, seen from the origin.
float LeastOutward(const Mesh& mesh) {
  float least = 1;
  for (const Triangle& t : mesh.triangles) {
    const Point normal =
        Unit(AreaNormal(mesh.positions[t[0]], mesh.positions[t[1]], mesh.positions[t[2]]), {});
    least = std::fmin(least, Dot(normal, Unit(Middle(mesh, t), {})));
  }
  return least;
}

TEST(Unfold, TakesADentOutAndLeavesTheRest) {
  Mesh mesh = Simplified(Ball, 4000);
  const std::vector<Point> before = mesh.positions;
  mesh.positions[700] = Along({0, 0, 0}, 0.8f, before[700]);
  ASSERT_LT(LeastOutward(mesh), 0.5f);
  ASSERT_TRUE(Unfold(Of(Ball), kStep, TaskControl(), &mesh).ok());
  EXPECT_GT(LeastOutward(mesh), 0.5f);
  size_t moved = 0;
  for (size_t v = 0; v < before.size(); ++v) moved += mesh.positions[v] != before[v];
  EXPECT_LT(moved, 20u);
  EXPECT_GT(Length(mesh.positions[700]), 0.85f);
}

TEST(Unfold, LeavesWhatFollowsTheFunction) {
  // Edges of 90° and of 40°: the cube's, and those of a wedge that is as high as it is deep.
  const auto cube = [](const float* p) {
    return 0.8f - std::fmax(std::fabs(p[0]), std::fmax(std::fabs(p[1]), std::fabs(p[2])));
  };
  const auto wedge = [](const float* p) {
    const float side = 0.94f * std::fabs(p[0]) + 0.34f * p[2] - 0.3f;
    return -std::fmax(side, std::fmax(std::fabs(p[1]) - 0.8f, -0.8f - p[2]));
  };
  const auto check = [](auto f, double volume) {
    Mesh mesh = Simplified(f, 3000);
    const double before = Volume(mesh);
    ASSERT_NEAR(before, volume, 0.02 * volume);
    ASSERT_TRUE(Unfold(Of(f), kStep, TaskControl(), &mesh).ok());
    EXPECT_NEAR(Volume(mesh), before, 2e-3 * before);
    ExpectWatertight(mesh);
  };
  check(cube, 1.6 * 1.6 * 1.6);
  const double high = 0.8 + 0.3 / 0.34;
  check(wedge, 1.6 * high * high * 0.34 / 0.94);
}

// A ball whose surface is as rough as what few pictures teach: noise of the size of cells.
float Rough(const float* p) {
  const auto wave = [p](float k, float shift) {
    return std::sin(k * p[0] + shift) * std::sin(1.07f * k * p[1] + 2 * shift) *
           std::sin(0.93f * k * p[2] + 3 * shift);
  };
  return Ball(p) + 0.02f * wave(41, 1) + 0.02f * wave(29, 2);
}

TEST(Unfold, AFitOfARoughSurfaceFoldsNothing) {
  for (const size_t faces : {4000, 20000}) {
    Mesh mesh = Simplified(Rough, faces);
    const double before = Volume(mesh);
    const int64_t euler = EulerCharacteristic(mesh);
    ASSERT_LT(LeastOutward(mesh), 0);
    ASSERT_TRUE(FitToLevel(Of(Rough), 0, kStep, TaskControl(), &mesh).ok());
    EXPECT_GT(LeastOutward(mesh), 0);
    ExpectWatertight(mesh);
    EXPECT_EQ(EulerCharacteristic(mesh), euler);
    EXPECT_NEAR(Volume(mesh), before, 0.01 * before);
  }
}

// Waves of five and seven cells, each nearly as steep as the ball's own function: they overhang,
// but make no handle. After simplification some triangles turn against the function; once fitted,
// none.
TEST(Unfold, NoTriangleOfARoughSurfaceWithoutHandlesTurnsAgainstTheFunction) {
  const auto steep = [](const float* p) {
    const auto wave = [p](float k, float shift) {
      return std::sin(k * p[0] + shift) * std::sin(1.07f * k * p[1] + 2 * shift) *
             std::sin(0.93f * k * p[2] + 3 * shift);
    };
    const float k = 2 * kPi / (5 * kStep);
    return Ball(p) + 0.9f / k * (wave(k, 1) + wave(0.7f * k, 2));
  };
  for (const size_t faces : {20000, 4000}) {
    Mesh mesh = Simplified(steep, faces);
    ASSERT_EQ(EulerCharacteristic(mesh), 2);
    ASSERT_TRUE(FitToLevel(Of(steep), 0, kStep, TaskControl(), &mesh).ok());
    EXPECT_EQ(TrianglesAgainst(mesh, steep, kStep), 0u) << faces;
    ExpectWatertight(mesh);
  }
}

}  // namespace
}  // namespace daf::mesh
