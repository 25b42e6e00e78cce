#include "native/nerf/interior.h"

#include <gtest/gtest.h>

#include <cmath>

#include "native/nerf/testing_field.h"

namespace daf::nerf {
namespace {

using testing::Analytic;
using testing::AnalyticField;

// A hollow ball of outer radius 0.4 of the cube with walls of `wall`, with a hole of radius `hole`
// towards +x.
std::unique_ptr<Model> Shell(float density, float wall, float hole, bool unbounded = false) {
  const Analytic shell = {[=](float x, float y, float z) {
                            const float r = std::hypot(x - 0.5f, y - 0.5f, z - 0.5f);
                            const bool open = x > 0.5f && std::hypot(y - 0.5f, z - 0.5f) < hole;
                            return r < 0.4f && r > 0.4f - wall && !open ? density : 0.0f;
                          },
                          [](float, float, float, float c[3]) { c[0] = c[1] = c[2] = 0.5f; }};
  std::unique_ptr<Model> model;
  Box box;
  box.unbounded = unbounded;
  EXPECT_TRUE(Model::Make(std::make_unique<AnalyticField>(shell), box, 64, &model).ok());
  return model;
}

bool Inside(const Interior& interior, float x, float y, float z) {
  const float unit[3] = {x, y, z};
  return interior.Contains(unit);
}

TEST(Interior, IsWhatAnOpaqueShellHides) {
  const auto model = Shell(500, 0.1f, 0);
  Interior interior;
  uint64_t queries = 0;
  ASSERT_TRUE(interior.Find(model.get(), TaskControl(), &queries).ok());
  EXPECT_TRUE(Inside(interior, 0.5f, 0.5f, 0.5f));
  EXPECT_TRUE(Inside(interior, 0.62f, 0.58f, 0.4f));
  EXPECT_FALSE(Inside(interior, 0.05f, 0.5f, 0.5f)) << "outside";
  EXPECT_FALSE(Inside(interior, 0.895f, 0.5f, 0.5f)) << "where light enters the wall";
  EXPECT_GT(interior.Fraction(), 0.1);
  EXPECT_LT(interior.Fraction(), 4.0 / 3 * 3.1416 * 0.4 * 0.4 * 0.4);
  EXPECT_LE(queries, 64u * 64 * 64);
}

TEST(Interior, IsNothingThatAHoleOrMistLetsOneSee) {
  uint64_t queries = 0;
  Interior through_hole, through_mist;
  const auto open = Shell(500, 0.1f, 0.08f), mist = Shell(5, 0.1f, 0);
  ASSERT_TRUE(through_hole.Find(open.get(), TaskControl(), &queries).ok());
  EXPECT_FALSE(Inside(through_hole, 0.5f, 0.5f, 0.5f));
  EXPECT_FALSE(Inside(through_hole, 0.3f, 0.5f, 0.5f));
  EXPECT_TRUE(Inside(through_hole, 0.5f, 0.68f, 0.42f)) << "beside the beam";
  ASSERT_TRUE(through_mist.Find(mist.get(), TaskControl(), &queries).ok());
  EXPECT_EQ(through_mist.Fraction(), 0);
}

TEST(Interior, AnUnboundedModelHasNone) {
  const auto model = Shell(500, 0.1f, 0, true);
  Interior interior;
  uint64_t queries = 0;
  ASSERT_TRUE(interior.Find(model.get(), TaskControl(), &queries).ok());
  EXPECT_FALSE(Inside(interior, 0.5f, 0.5f, 0.5f));
  EXPECT_EQ(queries, 0u);
}

TEST(Interior, HearsCancel) {
  const auto model = Shell(500, 0.1f, 0);
  int32_t words[3] = {1, 0, 0};
  uint64_t queries = 0;
  Interior interior;
  EXPECT_EQ(interior.Find(model.get(), TaskControl(words), &queries).code(), Code::kCancelled);
}

}  // namespace
}  // namespace daf::nerf
