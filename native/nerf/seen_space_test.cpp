#include "native/nerf/seen_space.h"

#include <gtest/gtest.h>

#include <cmath>

#include "native/nerf/light_map.h"
#include "native/nerf/testing_field.h"

namespace daf::nerf {
namespace {

using testing::Analytic;
using testing::AnalyticField;

// Density by the point, in units of the field; the box is [-1, 1]³.
template <typename Density>
std::unique_ptr<Model> ModelOf(Density density, bool unbounded) {
  Box box;
  box.unbounded = unbounded;
  const float scale = unbounded ? 4.0f : 2.0f;  // inside of the box, of units of the cube
  const Analytic field = {
      [=](float x, float y, float z) {
        const float p[3] = {scale * (x - 0.5f), scale * (y - 0.5f), scale * (z - 0.5f)};
        const float far = std::max({std::fabs(p[0]), std::fabs(p[1]), std::fabs(p[2])});
        return far > 1 ? 0.0f : box.edge() * density(p[0], p[1], p[2]);
      },
      [](float, float, float, float c[3]) { c[0] = c[1] = c[2] = 0.5f; }};
  std::unique_ptr<Model> model;
  EXPECT_TRUE(Model::Make(std::make_unique<AnalyticField>(field), box, 64, &model).ok());
  return model;
}

// A hollow ball of outer radius 0.8 with a hole of radius `hole` towards +x.
std::unique_ptr<Model> Shell(float density, float hole) {
  return ModelOf(
      [=](float x, float y, float z) {
        const float r = std::hypot(x, y, z);
        const bool open = x > 0 && std::hypot(y, z) < hole;
        return r < 0.8f && r > 0.6f && !open ? density : 0.0f;
      },
      false);
}

// Opaque, in a haze that a ray through the box loses a fifth of its light to; before a wall.
std::unique_ptr<Model> BallAndWall() {
  return ModelOf(
      [](float x, float y, float z) {
        return std::hypot(x, y, z - 0.5f) < 0.25f || z < -0.9f ? 200.0f : 0.1f;
      },
      true);
}

// At z = 6, within ± 0.5 of the axis, looking down −z.
std::vector<Camera> FromTheFront() {
  std::vector<Camera> cameras;
  for (const float x : {-0.5f, -0.25f, 0.0f, 0.25f, 0.5f}) {
    Camera camera;
    camera.translation[0] = -x;
    camera.translation[2] = -6;
    camera.width = camera.height = 512;
    camera.center[0] = camera.center[1] = 256;
    camera.focal[0] = camera.focal[1] = 1000;
    cameras.push_back(camera);
  }
  return cameras;
}

constexpr SeenSpace::Region kAll = {{-1, -1, -1}, {1, 1, 1}, 64};

float GateAt(const SeenSpace& seen, float x, float y, float z) {
  const float point[3] = {x, y, z};
  return seen.Gate(point);
}

TEST(SeenSpace, IsSolidWhereAnOpaqueShellHidesIt) {
  const auto model = Shell(250, 0);
  SeenSpace seen;
  uint64_t queries = 0;
  ASSERT_TRUE(seen.Find(model.get(), kAll, TaskControl(), &queries).ok());
  EXPECT_GE(GateAt(seen, 0, 0, 0), SeenSpace::kCertain);
  EXPECT_GE(GateAt(seen, 0.3f, 0.2f, -0.2f), SeenSpace::kCertain);
  EXPECT_EQ(GateAt(seen, 0.95f, 0, 0), 0) << "outside";
  EXPECT_EQ(GateAt(seen, 0.81f, 0, 0), 0) << "the density alone tells where the surface is";
  EXPECT_EQ(GateAt(seen, 0, 0, -0.81f), 0);
  EXPECT_LE(queries, 64u * 64 * 64);
}

TEST(SeenSpace, IsOpenWhereAHoleOrMistLetsOneSee) {
  uint64_t queries = 0;
  SeenSpace through_hole, through_mist;
  const auto open = Shell(250, 0.4f), mist = Shell(1, 0);
  ASSERT_TRUE(through_hole.Find(open.get(), kAll, TaskControl(), &queries).ok());
  EXPECT_EQ(GateAt(through_hole, 0.1f, 0, 0), 0);
  EXPECT_EQ(GateAt(through_hole, -0.4f, 0, 0), 0);
  ASSERT_TRUE(through_mist.Find(mist.get(), kAll, TaskControl(), &queries).ok());
  EXPECT_EQ(GateAt(through_mist, 0, 0, 0), 0);
}

TEST(SeenSpace, OfACaptureIsEmptyInFrontAndRoundBehind) {
  const auto model = BallAndWall();
  model->SetCameras(FromTheFront());
  SeenSpace seen;
  uint64_t queries = 0;
  ASSERT_TRUE(seen.Find(model.get(), kAll, TaskControl(), &queries).ok());
  EXPECT_LE(GateAt(seen, 0, 0, 0.9f), -SeenSpace::kCertain) << "haze";
  EXPECT_LE(GateAt(seen, 0.7f, 0.7f, 0), -SeenSpace::kCertain) << "beside it";
  EXPECT_GE(GateAt(seen, 0, 0, 0.5f), SeenSpace::kCertain) << "within";
  EXPECT_GE(GateAt(seen, 0, 0, 0.2f), SeenSpace::kCertain) << "its back, which nothing shows";
  EXPECT_LE(GateAt(seen, 0, 0, -0.2f), -SeenSpace::kCertain) << "its shadow";
  EXPECT_GE(GateAt(seen, 0.7f, 0.7f, -0.97f), SeenSpace::kCertain) << "the wall";
  const float front[3] = {0, 0, 0.75f}, back[3] = {0, 0, 0.1f};
  const float towards[3] = {0, 0, 1}, away[3] = {0, 0, -1};
  EXPECT_TRUE(seen.Shown(front, towards));
  EXPECT_FALSE(seen.Shown(back, away));
}

TEST(SeenSpace, LightEndsInFogAtItsDensity) {
  float density;
  uint64_t queries = 0;
  for (const float fog : {2.0f, 0.01f}) {
    const auto model = ModelOf([=](float, float, float) { return fog; }, false);
    SeenSpace seen;
    ASSERT_TRUE(seen.Find(model.get(), kAll, TaskControl(), &queries).ok());
    ASSERT_TRUE(seen.SurfaceDensity(model.get(), TaskControl(), &density).ok());
    EXPECT_NEAR(density, fog > 1 ? fog : 0, 1e-4f) << "no light ends in the thin one";
  }
}

TEST(SeenSpace, OfACaptureWithoutItsCamerasIsNotKnown) {
  const auto model = BallAndWall();
  SeenSpace seen;
  uint64_t queries = 0;
  ASSERT_TRUE(seen.Find(model.get(), kAll, TaskControl(), &queries).ok());
  EXPECT_FALSE(seen.known());
  EXPECT_EQ(GateAt(seen, 0, 0, 0), 0);
  const float point[3] = {0, 0, 0}, normal[3] = {0, 0, 1};
  EXPECT_TRUE(seen.Shown(point, normal));
  EXPECT_EQ(queries, 0u);
}

TEST(SeenSpace, HearsCancel) {
  const auto model = Shell(250, 0);
  int32_t words[3] = {1, 0, 0};
  uint64_t queries = 0;
  SeenSpace seen;
  EXPECT_EQ(seen.Find(model.get(), kAll, TaskControl(words), &queries).code(), Code::kCancelled);
}

// Within one picture, of which it follows 65,536 rays here, it does so after a few hundred.
TEST(SeenSpace, HearsCancelAmongTheRaysOfAPicture) {
  constexpr uint32_t kCells = 8, kSide = 256;
  constexpr size_t kFew = 512;
  const std::vector<float> wall(kCells * kCells * kCells, 100.0f);  // in which all rays end
  const DensityLattice lattice = {{-4, -4, -4}, {4, 4, 4}, kCells, wall.data()};
  for (const int32_t raised : {0, 1}) {
    int32_t words[3] = {raised, 0, 0};
    LightMap map;
    const Status status = map.Follow(FromTheFront()[0], lattice, kSide, TaskControl(words));
    size_t ended = 0;
    map.EachEnd([&](const float*) { ++ended; });
    EXPECT_EQ(status.code(), raised != 0 ? Code::kCancelled : Code::kOk);
    if (raised == 0) {
      EXPECT_EQ(ended, size_t{kSide} * kSide);
    } else {
      EXPECT_LE(ended, kFew);
    }
  }
}

}  // namespace
}  // namespace daf::nerf
