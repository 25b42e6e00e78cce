// Placing samples where a coarse look found something, against closed forms.
#include "native/nerf/importance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace daf::nerf {
namespace {

std::vector<float> Sampled(const std::vector<float>& weights, float near, float far, uint32_t count,
                           Rng* rng = nullptr) {
  std::vector<float> out(count);
  SampleInverse(weights.data(), static_cast<uint32_t>(weights.size()), near, far, rng, count,
                out.data());
  return out;
}

TEST(Importance, EqualWeightsAreEqualStrata) {
  for (const float weight : {0.0f, 1e-20f, 0.3f}) {  // without any weight nothing is known
    const std::vector<float> t = Sampled(std::vector<float>(7, weight), 2, 6, 20);
    for (uint32_t i = 0; i < 20; ++i)
      EXPECT_NEAR(t[i], 2 + 4 * (static_cast<float>(i) + 0.5f) / 20, 1e-5);
  }
}

TEST(Importance, ALineOfWeightsIsTheInverseOfItsSquare) {
  // Weights that grow with the distance have the cumulative share x², so samples lie at √u.
  std::vector<float> weights(4000);
  std::iota(weights.begin(), weights.end(), 0.5f);
  const std::vector<float> t = Sampled(weights, 0, 1, 64);
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_NEAR(t[i], std::sqrt((static_cast<float>(i) + 0.5f) / 64), 1e-3);
}

TEST(Importance, NothingIsPlacedWhereNoWeightIs) {
  Rng rng(3);
  for (int round = 0; round < 50; ++round) {
    const std::vector<float> t = Sampled({0, 0, 2, 0, 1, 0}, 0, 6, 90, round > 0 ? &rng : nullptr);
    EXPECT_TRUE(std::is_sorted(t.begin(), t.end()));
    uint32_t in_third = 0;
    for (const float at : t) {
      EXPECT_TRUE((at >= 2 && at <= 3) || (at >= 4 && at <= 5)) << at;
      in_third += at <= 3 ? 1 : 0;
    }
    EXPECT_EQ(in_third, 60u);
  }
}

TEST(Importance, RandomSamplesFollowTheWeights) {
  Rng rng(5);
  const std::vector<float> weights = {1, 4, 0, 3};
  double counts[4] = {};
  constexpr int kRounds = 2000;
  for (int round = 0; round < kRounds; ++round) {
    for (const float t : Sampled(weights, 0, 4, 5, &rng))
      counts[std::min(static_cast<int>(t), 3)]++;
  }
  for (int i = 0; i < 4; ++i)
    EXPECT_NEAR(counts[i] / (5.0 * kRounds), weights[static_cast<size_t>(i)] / 8, 0.02) << i;
}

TEST(Importance, MergesAndDividesTheWholeStretch) {
  const std::vector<float> a = {1, 3, 3.5f, 9}, b = {0.5f, 3, 8};
  std::vector<float> all(7), length(7);
  MergeAscending(a.data(), 4, b.data(), 3, all.data());
  EXPECT_EQ(all, (std::vector<float>{0.5f, 1, 3, 3, 3.5f, 8, 9}));
  SampleLengths(all.data(), 7, 0, 10, length.data());
  EXPECT_FLOAT_EQ(std::accumulate(length.begin(), length.end(), 0.0f), 10);
  EXPECT_FLOAT_EQ(length[0], 0.75f);
  EXPECT_FLOAT_EQ(length[3], 0.25f);
  EXPECT_FLOAT_EQ(length[6], 1.5f);
  const float alone = 4;
  SampleLengths(&alone, 1, 2, 6, length.data());
  EXPECT_EQ(length[0], 4);
}

}  // namespace
}  // namespace daf::nerf
