#include "native/mesh/components.h"

#include <algorithm>

#include "native/mesh/iso_surface.h"
#include "native/mesh/testing_shapes.h"

namespace daf::mesh {
namespace {

using namespace testing;

// Balls of radius 1, 0.5 and 0.2 in a row.
void ThreeBalls(Mesh* mesh) {
  const auto three = [](const float* p) {
    return std::max(
        {BallAt(p, -1, 0, 0, 1), BallAt(p, 1.5f, 0, 0, 0.5f), BallAt(p, 2.5f, 0, 0, 0.2f)});
  };
  ASSERT_TRUE(
      ExtractIsoSurface({{-3, -3, -3}, {3, 3, 3}, 40, 0.0f}, Of(three), TaskControl(), mesh).ok());
}

size_t Keep(double share, Mesh* mesh) {
  size_t count;
  EXPECT_TRUE(KeepComponents(share, TaskControl(), mesh, &count).ok());
  return count;
}

TEST(Components, KeepsTheLargest) {
  Mesh mesh;
  ThreeBalls(&mesh);
  EXPECT_EQ(Keep(1, &mesh), 3u);
  ExpectWatertight(mesh);
  EXPECT_NEAR(Volume(mesh), 4.0 / 3.0 * kPi, 0.1);
  for (const auto& p : mesh.positions) EXPECT_LT(p[0], 0.1f);
}

TEST(Components, KeepsWhatIsLargeEnoughOrAll) {
  Mesh mesh;
  ThreeBalls(&mesh);
  const size_t all = mesh.triangles.size();
  Keep(0, &mesh);
  EXPECT_EQ(mesh.triangles.size(), all);
  Keep(0.1, &mesh);  // areas are as 1 to 0.25 to 0.04
  ExpectWatertight(mesh);
  EXPECT_EQ(EulerCharacteristic(mesh), 4);
  EXPECT_EQ(Keep(1, &mesh), 2u);
}

TEST(Components, OfTwoEqualsTheFirst) {
  Mesh mesh;
  mesh.positions.resize(8);
  mesh.triangles = {{0, 2, 1}, {0, 1, 3}, {0, 3, 2}, {1, 2, 3},
                    {4, 6, 5}, {4, 5, 7}, {4, 7, 6}, {5, 6, 7}};
  Keep(1, &mesh);
  EXPECT_EQ(mesh.triangles.size(), 4u);
  EXPECT_EQ(mesh.triangles[3], (Triangle{1, 2, 3}));
}

TEST(Components, NothingStaysNothing) {
  Mesh mesh;
  EXPECT_EQ(Keep(1, &mesh), 0u);
}

TEST(Components, HearsCancel) {
  Mesh mesh;
  ThreeBalls(&mesh);
  int32_t words[3] = {1, 0, 0};
  size_t count;
  EXPECT_EQ(KeepComponents(1, TaskControl(words), &mesh, &count).code(), Code::kCancelled);
}

}  // namespace
}  // namespace daf::mesh
