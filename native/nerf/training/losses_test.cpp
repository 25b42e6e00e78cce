// What training minimises, against finite differences and by definition.
#include "native/nerf/training/losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "native/base/rng.h"

namespace daf::nerf {
namespace {

TEST(Losses, ColourAndEntropyFollowFiniteDifferences) {
  SceneTrainOptions options;
  options.opacity_weight = 0.3f;
  Rng rng(5);
  for (int round = 0; round < 50; ++round) {
    TrainingRay ray{};
    for (int c = 0; c < 3; ++c) {
      ray.color[c] = rng.Uniform();
      ray.background[c] = rng.Uniform();
    }
    ray.alpha = rng.Uniform();
    float out[6], d[4], unused[4];
    for (float& v : out) v = rng.Uniform(0.05f, 0.95f);
    LossSums sums;
    ColorLoss(options, ray, out, d, &sums);
    EXPECT_EQ(sums.rays, 1u);
    for (int k = 0; k < 4; ++k) {
      constexpr float kStep = 1e-3f;
      float moved[6];
      std::memcpy(moved, out, sizeof out);
      moved[k] += kStep;
      LossSums plus, minus;
      ColorLoss(options, ray, moved, unused, &plus);
      moved[k] -= 2 * kStep;
      ColorLoss(options, ray, moved, unused, &minus);
      EXPECT_NEAR((plus.loss - minus.loss) / (2 * kStep), d[k], 2e-2);
    }
  }
}

TEST(Losses, DistortionIsItsDoubleSumAndFollowsFiniteDifferences) {
  constexpr uint32_t kCount = 12;
  Rng rng(6);
  float w[kCount], t[kCount], s[kCount], d[kCount], unused[kCount];
  float at = 1;
  for (uint32_t i = 0; i < kCount; ++i) {
    w[i] = rng.Uniform() / kCount;
    s[i] = rng.Uniform(0.01f, 0.1f);
    t[i] = at += s[i];
  }
  double expected = 0;
  for (uint32_t i = 0; i < kCount; ++i) {
    for (uint32_t j = 0; j < kCount; ++j) expected += double{w[i]} * w[j] * std::fabs(t[i] - t[j]);
    expected += double{w[i]} * w[i] * s[i] / 3;
  }
  EXPECT_NEAR(Distortion(w, t, s, kCount, 2, d), 2 * expected, 1e-6);
  for (uint32_t i = 0; i < kCount; ++i) {
    const float kept = w[i];
    w[i] = kept + 1e-3f;
    const double plus = Distortion(w, t, s, kCount, 2, unused);
    w[i] = kept - 1e-3f;
    const double minus = Distortion(w, t, s, kCount, 2, unused);
    w[i] = kept;
    EXPECT_NEAR((plus - minus) / 2e-3, d[i], 1e-4);
  }
}

}  // namespace
}  // namespace daf::nerf
