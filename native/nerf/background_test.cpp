// The learned background: its gradient, and its tensors.
#include "native/nerf/background.h"

#include <gtest/gtest.h>

#include <cmath>

namespace daf::nerf {
namespace {

constexpr float kDirection[3] = {0.48f, -0.6f, 0.64f};
constexpr float kD[3] = {0.7f, -1.3f, 0.4f};

Background Random() {
  Background background(3);
  // The last layer begins at zero: give it something to pass on.
  for (uint32_t i = Background::kLayer3; i < Background::kParameters; ++i)
    background.parameters()[i] = 0.3f * std::sin(static_cast<float>(i));
  return background;
}

double Weighed(const Background& background) {
  float color[3];
  background.Color(kDirection, color);
  return double{kD[0]} * color[0] + double{kD[1]} * color[1] + double{kD[2]} * color[2];
}

TEST(Background, BeginsGrey) {
  float color[3];
  Background(1).Color(kDirection, color);
  for (const float v : color) EXPECT_FLOAT_EQ(v, 0.5f);
}

TEST(Background, GradientMatchesDifferences) {
  Background background = Random();
  std::vector<float> gradients(Background::kParameters, 0.0f);
  background.Backward(kDirection, kD, gradients.data());
  uint32_t nonzero = 0;
  for (uint32_t i = 0; i < Background::kParameters; ++i) {
    float& p = background.parameters()[i];
    const float before = p;
    constexpr float kStep = 5e-4f;  // short of most kinks of the ReLUs
    p = before + kStep;
    const double above = Weighed(background);
    p = before - kStep;
    const double below = Weighed(background);
    p = before;
    EXPECT_NEAR(gradients[i], (above - below) / (2 * kStep), 1e-3 + 0.02 * std::fabs(gradients[i]))
        << i;
    nonzero += std::fabs(gradients[i]) > 1e-4f ? 1 : 0;
  }
  EXPECT_GT(nonzero, Background::kParameters / 8);
}

TEST(Background, TensorsComeBack) {
  const Background saved = Random();
  std::array<float, Background::kParameters> scratch;
  SafetensorsWriter writer;
  ASSERT_TRUE(saved.Save(&scratch, &writer).ok());
  std::vector<uint8_t> bytes;
  ASSERT_TRUE(writer.Serialize(&bytes).ok());
  SafetensorsFile file;
  ASSERT_TRUE(SafetensorsFile::Parse(bytes.data(), bytes.size(), &file).ok());
  ASSERT_TRUE(Background::In(file));
  Background loaded(9);
  ASSERT_TRUE(loaded.Load(file).ok());
  EXPECT_TRUE(std::equal(saved.parameters(), saved.parameters() + Background::kParameters,
                         loaded.parameters()));
}

}  // namespace
}  // namespace daf::nerf
