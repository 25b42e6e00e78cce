#include "native/mesh/iso_surface.h"

#include <limits>

#include "native/base/rng.h"
#include "native/mesh/testing_shapes.h"

namespace daf::mesh {
namespace {

using namespace testing;

TEST(IsoSurface, SphereIsWatertightAndHasItsVolumeAndArea) {
  Mesh mesh;
  const IsoGrid grid{{-1.5f, -1.4f, -1.6f}, {1.5f, 1.6f, 1.4f}, 48, 0.0f};
  ASSERT_TRUE(ExtractIsoSurface(grid, Of(Ball), TaskControl(), &mesh).ok());
  ExpectWatertight(mesh);
  EXPECT_NEAR(Volume(mesh), 4.0 / 3.0 * kPi, 0.01 * 4.0 / 3.0 * kPi);
  EXPECT_NEAR(Area(mesh), 4.0 * kPi, 0.01 * 4.0 * kPi);
  EXPECT_EQ(EulerCharacteristic(mesh), 2);
  for (const auto& p : mesh.positions)
    EXPECT_NEAR(std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]), 1.0f, 0.01f);
}

TEST(IsoSurface, NoiseIsWatertightAndClosesAtTheBox) {
  Rng rng(7);
  const Sampler noise = [&rng](const float*, size_t count, float* values) {
    for (size_t i = 0; i < count; ++i) values[i] = rng.Uniform(-1, 1);
    return Status::Ok();
  };
  Mesh mesh;
  ASSERT_TRUE(
      ExtractIsoSurface({{0, 0, 0}, {1, 1, 1}, 12, 0.0f}, noise, TaskControl(), &mesh).ok());
  EXPECT_GT(mesh.triangles.size(), 1000u);
  ExpectWatertight(mesh);
  EXPECT_GT(Volume(mesh), 0.0);
}

TEST(IsoSurface, RefusesBadGridsAndValues) {
  Mesh mesh;
  EXPECT_EQ(ExtractIsoSurface({{0, 0, 0}, {0, 1, 1}, 8, 0}, Of(Ball), TaskControl(), &mesh).code(),
            Code::kBadArgument);
  EXPECT_EQ(ExtractIsoSurface({{0, 0, 0}, {1, 1, 1}, 0, 0}, Of(Ball), TaskControl(), &mesh).code(),
            Code::kBadArgument);
  const auto nan = [](const float*) { return std::numeric_limits<float>::quiet_NaN(); };
  EXPECT_EQ(ExtractIsoSurface({{0, 0, 0}, {1, 1, 1}, 8, 0}, Of(nan), TaskControl(), &mesh).code(),
            Code::kBadData);
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(
      ExtractIsoSurface({{0, 0, 0}, {1, 1, 1}, 8, 0}, Of(Ball), TaskControl(words), &mesh).code(),
      Code::kCancelled);
}

}  // namespace
}  // namespace daf::mesh
