// Total variation of tables: closed forms on a dense level, and finite differences on hashed ones.
#include "native/nerf/table_variation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace daf::nerf {
namespace {

using kernels::HashLevel;

constexpr uint32_t kPoints = 1700;  // of which 54 cells are looked at: a tile and a remainder

class TableVariationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(kernels::Chosen(&kernels_).ok());
    Rng rng(4);
    for (std::vector<float>& lane : lanes_) {
      for (uint32_t i = 0; i < kPoints; ++i) lane.push_back(rng.Uniform());
    }
    lanes_[0][0] = 1;  // the cube's far face belongs to the last cell
  }
  double Variation(float weight, std::vector<float>* gradients) const {
    gradients->assign(table_.size(), 0);
    return TableVariation(*kernels_, levels_, table_.data(),
                          {lanes_[0].data(), lanes_[1].data(), lanes_[2].data()}, kPoints, weight,
                          gradients->data());
  }

  const kernels::Table* kernels_ = nullptr;
  std::vector<HashLevel> levels_;
  std::vector<float> table_, lanes_[3];
};

TEST_F(TableVariationTest, IsTheSquaredSlopeOfALinearTable) {
  constexpr uint32_t kCells = 6, kSide = kCells + 1;
  levels_ = {{kCells, kSide * kSide * kSide, 1, 2, 0}};
  for (uint32_t i = 0; i < kSide * kSide * kSide; ++i) {
    const auto x = static_cast<float>(i % kSide), y = static_cast<float>(i / kSide % kSide),
               z = static_cast<float>(i / kSide / kSide);
    table_.push_back(0.5f * x - 0.25f * y + 2 * z);
    table_.push_back(7);  // the same everywhere
  }
  std::vector<float> gradients;
  EXPECT_NEAR(Variation(3, &gradients), 3 * (0.25 + 0.0625 + 4), 1e-3);
  double sum = 0;
  for (size_t i = 0; i < gradients.size(); ++i) {
    sum += gradients[i];
    if (i % 2 == 1) EXPECT_NEAR(gradients[i], 0, 1e-5);
  }
  EXPECT_NEAR(sum, 0, 1e-3);  // a constant added to all changes nothing
}

TEST_F(TableVariationTest, GradientMatchesDifferences) {
  levels_ = {{3, 64, 1, 4, 0}, {40, 128 + 40, 0, 4, 256}};
  Rng rng(5);
  for (int i = 0; i < 256 + 168 * 4; ++i) table_.push_back(rng.Uniform(-1, 1));
  std::vector<float> gradients, unused;
  Variation(0.7f, &gradients);
  for (size_t i = 0; i < table_.size(); i += 7) {
    constexpr float kStep = 1e-2f;  // exact for a quadratic form, but for rounding
    const float kept = table_[i];
    table_[i] = kept + kStep;
    const double plus = Variation(0.7f, &unused);
    table_[i] = kept - kStep;
    const double minus = Variation(0.7f, &unused);
    table_[i] = kept;
    EXPECT_NEAR((plus - minus) / (2 * kStep), gradients[i], 1e-3) << i;
  }
}

}  // namespace
}  // namespace daf::nerf
