// Every field: its gradient against differences, its calls against each other.
#include "native/nerf/field.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "native/nerf/testing_kinds.h"

namespace daf::nerf {
namespace {

using testing::FieldKind;

class Fields : public ::testing::TestWithParam<FieldKind> {
 protected:
  void SetUp() override {
    const Status made = GetParam().make(&field_);
    ASSERT_TRUE(made.ok()) << made.message();
    // Weights that are all at work: the initial table is nearly zero.
    Rng rng(9);
    for (const ParameterGroup& group : field_->groups()) {
      if (!group.sparse) continue;
      for (size_t i = group.begin; i < group.begin + group.count; ++i)
        field_->parameters()[i] = rng.Uniform(-0.5f, 0.5f);
    }
    field_->Pack();
    ASSERT_TRUE(field_->NewPass(PassKind::kTraining, &arena_, &pass_).ok());
    for (float*& lane : lanes_) {
      ASSERT_TRUE(arena_.Allocate(kPassSamples, &lane).ok());
      std::memset(lane, 0, kPassSamples * sizeof(float));
    }
    for (uint32_t i = 0; i < kN; ++i) {
      float d[3], length = 0;
      for (int a = 0; a < 3; ++a) {
        lanes_[a][i] = rng.Uniform();
        d[a] = rng.Normal();
        length += d[a] * d[a];
      }
      for (int a = 0; a < 3; ++a) lanes_[3 + a][i] = d[a] / std::sqrt(length);
      for (int a = 0; a < 4; ++a) lanes_[10 + a][i] = rng.Uniform(-1, 1);
      lanes_[10][i] *= 0.1f;
    }
  }
  PointArrays points() const { return {lanes_[0], lanes_[1], lanes_[2]}; }
  PointArrays directions() const { return {lanes_[3], lanes_[4], lanes_[5]}; }
  ColorArrays color() const { return {lanes_[7], lanes_[8], lanes_[9]}; }

  double Loss(bool with_color) {
    pass_->Forward(points(), directions(), kN, lanes_[6], with_color ? color() : ColorArrays{});
    double loss = 0;
    for (uint32_t i = 0; i < kN; ++i) {
      for (int a = 0; a < (with_color ? 4 : 1); ++a)
        loss += double{lanes_[6 + a][i]} * lanes_[10 + a][i];
    }
    return loss;
  }

  static constexpr uint32_t kN = 100;  // two whole tiles and a remainder
  std::unique_ptr<Field> field_;
  Arena arena_;
  std::unique_ptr<FieldPass> pass_;
  float* lanes_[14] = {};  // x y z, dx dy dz, density r g b, their gradients
};

TEST_P(Fields, GradientMatchesDifferences) {
  std::vector<uint32_t> image(kPassSamples, 0);
  for (uint32_t i = 0; i < kN && field_->appearance_images() > 0; ++i)
    image[i] = i * 5 % field_->appearance_images();
  pass_->Appearance(image.data());
  for (const bool with_color : {true, false}) {
    std::vector<float> gradients(field_->parameter_count(), 0.0f);
    Loss(with_color);
    pass_->Backward(lanes_[10], {lanes_[11], lanes_[12], lanes_[13]}, gradients.data());
    // Along random directions within runs of parameters, so that a fault in one layer is not lost
    // among the others.
    Rng rng(10);
    const size_t count = field_->parameter_count(), run = std::max<size_t>(64, count / 40);
    float* p = field_->parameters();
    double worst = 0;
    for (size_t begin = 0; begin < count; begin += run) {
      const size_t end = std::min(count, begin + run);
      std::vector<float> direction(end - begin), kept(p + begin, p + end);
      double expected = 0, norm = 0;
      for (size_t i = begin; i < end; ++i) {
        // Only along parameters that matter: padding has no gradient and must not be moved.
        direction[i - begin] =
            gradients[i] != 0 ? rng.Uniform(-1, 1) + (gradients[i] > 0 ? 0.5f : -0.5f) : 0.0f;
        norm += direction[i - begin] * direction[i - begin];
      }
      if (norm == 0) continue;
      const double h = 2e-3 / std::sqrt(norm);
      double values[2];
      for (int side = 0; side < 2; ++side) {
        for (size_t i = begin; i < end; ++i)
          p[i] = kept[i - begin] + static_cast<float>((side == 0 ? h : -h) * direction[i - begin]);
        field_->Pack();
        values[side] = Loss(with_color);
      }
      for (size_t i = begin; i < end; ++i) expected += double{gradients[i]} * direction[i - begin];
      std::copy(kept.begin(), kept.end(), p + begin);
      field_->Pack();
      const double measured = (values[0] - values[1]) / (2 * h);
      const double error =
          std::fabs(measured - expected) / (std::fabs(measured) + std::fabs(expected) + 1e-3);
      worst = std::max(worst, error);
      EXPECT_LT(error, 0.03) << "parameters " << begin << "–" << end << ": measured " << measured
                             << ", gradient " << expected;
    }
    EXPECT_GT(worst, 0);
  }
}

TEST_P(Fields, PositionGradientMatchesDifferences) {
  float* d[3];
  for (float*& lane : d) ASSERT_TRUE(arena_.Allocate(kPassSamples, &lane).ok());
  const PositionDeltas deltas = {d[0], d[1], d[2]};
  std::vector<float> gradients[2];
  for (const bool with_color : {true, false}) {
    for (const bool with_positions : {false, true}) {
      gradients[with_positions].assign(field_->parameter_count(), 0.0f);
      pass_->Positions(with_positions ? &deltas : nullptr);
      Loss(with_color);
      pass_->Backward(lanes_[10], {lanes_[11], lanes_[12], lanes_[13]},
                      gradients[with_positions].data());
    }
    EXPECT_EQ(gradients[1], gradients[0]);  // the parameters learn the same
    // A sample's loss is its own: some of them at a time move along each axis. Few lie so near to
    // an edge of a cell or of a ReLU that a step goes over it.
    constexpr float kStep = 1e-4f;
    constexpr uint32_t kSome = 5;
    uint32_t wrong = 0;
    double largest = 0;
    for (uint32_t first = 0; first < kN; first += kSome) {
      for (int axis = 0; axis < 3; ++axis) {
        float* const lane = lanes_[axis];
        const std::vector<float> kept(lane + first, lane + first + kSome);
        double values[2], expected = 0, moved = 0;
        for (int side = 0; side < 2; ++side) {
          for (uint32_t i = 0; i < kSome; ++i)
            lane[first + i] = kept[i] + (i % 2 == 0 ? kStep : -kStep) * (side == 0 ? 1.0f : -1.0f);
          values[side] = Loss(with_color);
        }
        std::copy(kept.begin(), kept.end(), lane + first);
        for (uint32_t i = 0; i < kSome; ++i) {
          expected += double{d[axis][first + i]} * (i % 2 == 0 ? 1 : -1);
          moved += std::fabs(double{d[axis][first + i]});
        }
        const double measured = (values[0] - values[1]) / (2 * double{kStep});
        largest = std::max(largest, moved);
        wrong += std::fabs(measured - expected) > 0.02 * moved + 0.01 ? 1 : 0;
      }
    }
    EXPECT_LE(wrong, 6u) << "of " << 3 * kN / kSome;
    EXPECT_GT(largest, 0.1);
  }
}

TEST_P(Fields, CallsAgree) {
  Loss(true);
  std::vector<float> density(lanes_[6], lanes_[6] + kN), red(lanes_[7], lanes_[7] + kN),
      blue(lanes_[9], lanes_[9] + kN);
  std::unique_ptr<FieldPass> inference;
  ASSERT_TRUE(field_->NewPass(PassKind::kInference, &arena_, &inference).ok());
  inference->Forward(points(), directions(), kN, lanes_[6], color());
  for (uint32_t i = 0; i < kN; ++i) {
    ASSERT_NEAR(lanes_[6][i], density[i], 1e-3f * density[i] + 1e-5f);
    ASSERT_NEAR(lanes_[7][i], red[i], 1e-4);
  }
  inference->Density(points(), kN, lanes_[6]);
  std::vector<uint32_t> pick(kPassSamples, 0);
  uint32_t picked = 0;
  for (uint32_t i = kN; i-- > 0;) {
    if (i % 3 != 0) continue;
    pick[picked] = i;
    for (int a = 0; a < 3; ++a) lanes_[10 + a][picked] = lanes_[3 + a][i];
    ++picked;
  }
  inference->Color(pick.data(), {lanes_[10], lanes_[11], lanes_[12]}, picked, color());
  for (uint32_t i = 0; i < picked; ++i) {
    ASSERT_NEAR(lanes_[6][pick[i]], density[pick[i]], 1e-3f * density[pick[i]] + 1e-5f);
    ASSERT_NEAR(lanes_[7][i], red[pick[i]], 1e-4);
    ASSERT_NEAR(lanes_[9][i], blue[pick[i]], 1e-4);
    ASSERT_GE(lanes_[7][i], 0);
    ASSERT_LE(lanes_[7][i], 1);
  }
}

TEST_P(Fields, PicturesHaveTheirOwnLookAndRenderingsTheMeanOne) {
  if (field_->appearance_images() == 0) GTEST_SKIP() << "no appearance codes";
  const auto red = [&](const std::vector<uint32_t>* image) {
    pass_->Appearance(image == nullptr ? nullptr : image->data());
    Loss(true);
    return std::vector<float>(lanes_[7], lanes_[7] + kN);
  };
  const std::vector<uint32_t> first(kPassSamples, 0), second(kPassSamples, 1);
  EXPECT_NE(red(&first), red(&second));
  // Where all pictures have one code, so does their mean.
  const ParameterGroup codes = field_->groups().back();
  for (size_t i = 4; i < codes.count; ++i)
    field_->parameters()[codes.begin + i] = field_->parameters()[codes.begin + i % 4];
  field_->Pack();
  const std::vector<float> one = red(&first);
  EXPECT_EQ(red(&second), one);
  const std::vector<float> mean = red(nullptr);
  for (uint32_t i = 0; i < kN; ++i) EXPECT_NEAR(mean[i], one[i], 1e-6);
}

TEST_P(Fields, LowPrecisionAgreesAndFollowsTheParameters) {
  struct Errors {
    double density, color;  // root mean squares: of all densities, and in colour
  };
  const auto errors = [&](FieldPass* pass) {
    std::vector<double> expected;
    Loss(true);
    for (int lane = 6; lane < 10; ++lane)
      expected.insert(expected.end(), lanes_[lane], lanes_[lane] + kN);
    pass->Forward(points(), directions(), kN, lanes_[6], color());
    double density = 0, all = 0, colors = 0;
    for (uint32_t i = 0; i < kN; ++i) {
      density += std::pow(lanes_[6][i] - expected[i], 2);
      all += expected[i] * expected[i];
      for (uint32_t c = 0; c < 3; ++c)
        colors += std::pow(lanes_[7 + c][i] - expected[(1 + c) * kN + i], 2);
    }
    return Errors{std::sqrt(density / all), std::sqrt(colors / (3 * kN))};
  };
  for (const PassKind kind : {PassKind::kInferenceBf16, PassKind::kInferenceInt8}) {
    std::unique_ptr<FieldPass> pass;
    const Status made = field_->NewPass(kind, &arena_, &pass);
    if (made.code() == Code::kUnsupported) continue;  // hash grids in 8 bits; other machines
    ASSERT_TRUE(made.ok()) << made.message();
    // Random networks as narrow as these average fewer roundings than real ones do.
    const double bound = kind == PassKind::kInferenceBf16 ? 0.02 : 0.08;
    const Errors first = errors(pass.get());
    EXPECT_GT(first.density + first.color, 0) << "it is fp32";
    EXPECT_LT(first.density, bound);
    EXPECT_LT(first.color, bound / 4);
    for (size_t i = 0; i < field_->parameter_count(); ++i) field_->parameters()[i] *= 1.1f;
    field_->Pack();
    const Errors stale = errors(pass.get());
    ASSERT_TRUE(pass->Prepare().ok());
    const Errors fresh = errors(pass.get());
    EXPECT_LT(fresh.color, stale.color);
    EXPECT_LT(fresh.density, 2 * bound);
    EXPECT_LT(fresh.color, bound / 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Fields, testing::Kinds(), testing::KindName);

}  // namespace
}  // namespace daf::nerf
