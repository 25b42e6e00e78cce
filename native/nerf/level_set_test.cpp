#include "native/nerf/level_set.h"

#include <gtest/gtest.h>

#include <cmath>

#include "native/nerf/testing_field.h"

namespace daf::nerf {
namespace {

using testing::Analytic;
using testing::AnalyticField;

// Density e^(10 − 20 r) around the cube's centre, colour by position; the box is twice the cube.
std::unique_ptr<Model> Fog(uint32_t occupancy = 16) {
  const Analytic fog = {[](float x, float y, float z) {
                          return std::exp(10 - 20 * std::hypot(x - 0.5f, y - 0.5f, z - 0.5f));
                        },
                        [](float x, float, float, float c[3]) { c[0] = c[1] = c[2] = x; }};
  std::unique_ptr<Model> model;
  Box box;
  EXPECT_TRUE(Model::Make(std::make_unique<AnalyticField>(fog), box, occupancy, &model).ok());
  return model;
}

TEST(LevelSet, IsTheLogOfDensityOverLevelWithinItsRange) {
  const auto model = Fog();
  model->occupancy().AllowAll();
  const TaskControl control;
  LevelSet level(model.get(), 0.5f * std::exp(6.0f), control);  // per length: the box's edge is 2
  ASSERT_TRUE(level.Open(nullptr).ok());
  model->occupancy().ResetToAllowed();
  const float points[] = {0, 0, 0, 0.2f, 0, 0, 0.5f, 0, 0, 1, 0, 0, 1, 1, 1};
  float values[5];
  ASSERT_TRUE(level.Values(points, 5, values).ok());
  EXPECT_NEAR(values[0], 4, 1e-4);  // r halves in the cube
  EXPECT_NEAR(values[1], 2, 1e-4);
  EXPECT_NEAR(values[2], -1, 1e-4);
  EXPECT_NEAR(values[3], -6, 1e-4);
  EXPECT_EQ(values[4], -LevelSet::kRange);
  EXPECT_EQ(level.queries(), 5u);
}

TEST(LevelSet, AsksNothingWhereRaysSeeNothing) {
  const auto model = Fog();
  const TaskControl control;
  LevelSet level(model.get(), 1, control);
  ASSERT_TRUE(level.Open(nullptr).ok());
  model->occupancy().AllowAll();
  model->occupancy().Forbid(8, 8, 8);
  model->occupancy().ResetToAllowed();
  const float nan = std::nanf("");
  const float points[] = {0.05f, 0.05f, 0.05f, -0.05f, 0.05f, 0.05f, nan, 0, 0};
  float values[3];
  ASSERT_TRUE(level.Values(points, 3, values).ok());
  EXPECT_EQ(values[0], -LevelSet::kRange) << "an empty cell";
  EXPECT_GT(values[1], 0);
  EXPECT_EQ(values[2], -LevelSet::kRange);
  EXPECT_EQ(level.queries(), 1u);
}

TEST(LevelSet, GivesColoursAndHearsCancel) {
  const auto model = Fog();
  int32_t words[3] = {0, 0, 0};
  const TaskControl control(words);
  LevelSet level(model.get(), 1, control);
  ASSERT_TRUE(level.Open(nullptr).ok());
  const float points[] = {-0.5f, 0, 0, 0.5f, 0, 0}, directions[] = {1, 0, 0, 1, 0, 0};
  float colors[6], value;
  ASSERT_TRUE(level.Colors(points, 2, directions, 1, colors).ok());
  EXPECT_NEAR(colors[0], 0.25f, 1e-6);
  EXPECT_NEAR(colors[5], 0.75f, 1e-6);
  words[0] = 1;
  EXPECT_EQ(level.Values(points, 1, &value).code(), Code::kCancelled);
}

TEST(LevelSet, RefusesALevelThatIsNoDensity) {
  const auto model = Fog();
  const TaskControl control;
  for (const float bad : {0.0f, -1.0f, NAN, INFINITY})
    EXPECT_EQ(LevelSet(model.get(), bad, control).Open(nullptr).code(), Code::kBadArgument);
}

}  // namespace
}  // namespace daf::nerf
