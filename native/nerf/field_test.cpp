// Every field: its gradient against differences, its calls against each other, its checkpoint.
#include "native/nerf/field.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "native/nerf/model.h"
#include "native/nerf/testing_field.h"

namespace daf::nerf {
namespace {

using testing::ClassicOf;

struct Case {
  const char* name;
  std::function<Status(std::unique_ptr<Field>*)> make;
};

class Fields : public ::testing::TestWithParam<Case> {
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

TEST_P(Fields, CheckpointRoundTripAndEveryDamage) {
  std::unique_ptr<Model> model, again;
  Box box;
  box.min[0] = -0.1f;
  const size_t count = field_->parameter_count();
  ASSERT_TRUE(Model::Make(std::move(field_), box, 16, &model).ok());
  Arena scratch;
  SafetensorsWriter writer;
  std::vector<uint8_t> bytes;
  ASSERT_TRUE(model->Save(&scratch, &writer).ok());
  ASSERT_TRUE(writer.Serialize(&bytes).ok());
  SafetensorsFile file;
  ASSERT_TRUE(SafetensorsFile::Parse(bytes.data(), bytes.size(), &file).ok());
  const Status loaded = Model::Load(file, &again);
  ASSERT_TRUE(loaded.ok()) << loaded.message();
  ASSERT_EQ(again->field().parameter_count(), count);
  SafetensorsWriter second;
  std::vector<uint8_t> copy;
  ASSERT_TRUE(again->Save(&scratch, &second).ok());
  ASSERT_TRUE(second.Serialize(&copy).ok());
  EXPECT_EQ(copy, bytes);
  EXPECT_EQ(again->box().min[0], box.min[0]);
  EXPECT_EQ(std::memcmp(again->occupancy().bytes(), model->occupancy().bytes(),
                        model->occupancy().byte_count()),
            0);

  // Each metadata key damaged in turn is refused, never believed.
  for (const auto& [key, value] : file.metadata()) {
    for (const char* lie : {"", "-1", "99999999", "nan", "12 "}) {
      SafetensorsWriter liar;
      for (const auto& [other, kept] : file.metadata())
        liar.Metadata(other, other == key ? lie : kept);
      for (const Tensor& tensor : file.tensors())
        ASSERT_TRUE(liar.Add(tensor.name, tensor.dtype, tensor.shape, tensor.data).ok());
      std::vector<uint8_t> damaged;
      ASSERT_TRUE(liar.Serialize(&damaged).ok());
      SafetensorsFile parsed;
      ASSERT_TRUE(SafetensorsFile::Parse(damaged.data(), damaged.size(), &parsed).ok());
      std::unique_ptr<Model> none;
      EXPECT_EQ(Model::Load(parsed, &none).code(), Code::kBadData) << key << " = " << lie;
    }
  }
}

// A small classic field, changed.
std::function<Status(std::unique_ptr<Field>*)> Classic(
    const std::function<void(ClassicConfig*)>& change) {
  ClassicConfig config = ClassicOf(32, 4, 3, 2);
  change(&config);
  return [config](std::unique_ptr<Field>* out) { return NewClassic(config, 1, out); };
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Fields,
    ::testing::Values(Case{"hashgrid",
                           [](std::unique_ptr<Field>* out) {
                             return NewHashGrid({5, 2, 8, 3, 20, 16, 24}, 1, out);
                           }},
                      Case{"hashgrid8",
                           [](std::unique_ptr<Field>* out) {
                             return NewHashGrid({3, 8, 9, 4, 16, 32, 16}, 2, out);
                           }},
                      Case{"hashgrid_appearance",
                           [](std::unique_ptr<Field>* out) {
                             return NewHashGrid({4, 2, 8, 3, 20, 16, 24, 4, 7}, 3, out);
                           }},
                      Case{"classic", Classic([](ClassicConfig*) {})},
                      Case{"classic_odd",
                           [](std::unique_ptr<Field>* out) {
                             return NewClassic(ClassicOf(16, 3, 2, 1), 1, out);
                           }},
                      Case{"classic_imported_kind", Classic([](ClassicConfig* c) {
                             c->skips = {};
                             c->linear = {0};
                             c->feature_relu = c->relu_density = true;
                             for (int a = 0; a < 3; ++a) {
                               c->input_scale[a] = 3 + static_cast<float>(a);
                               c->input_shift[a] = -1.5f;
                             }
                           })},
                      Case{"classic_two_skips", Classic([](ClassicConfig* c) {
                             c->skips = {1, 3};
                             c->linear = {2, 3};
                             c->view_width = 40;
                           })},
                      Case{"classic_no_raw", Classic([](ClassicConfig* c) {
                             c->raw_position = c->raw_direction = false;
                             c->feature_relu = true;
                           })},
                      Case{"classic_raw_only", Classic([](ClassicConfig* c) {
                             c->position_frequencies = c->direction_frequencies = 0;
                             c->relu_density = true;
                           })},
                      Case{"classic_coarse", Classic([](ClassicConfig* c) { c->coarse = true; })},
                      Case{"classic_one_layer", Classic([](ClassicConfig* c) {
                             c->depth = 1;
                             c->skips = {};
                           })}),
    [](const ::testing::TestParamInfo<Case>& one) { return std::string(one.param.name); });

TEST(FieldConfig, RefusesTheImpossible) {
  std::unique_ptr<Field> field;
  EXPECT_EQ(NewHashGrid({0, 2, 15, 8, 256, 64, 64}, 1, &field).code(), Code::kBadArgument);
  EXPECT_EQ(NewHashGrid({12, 3, 15, 8, 256, 64, 64}, 1, &field).code(), Code::kBadArgument);
  EXPECT_EQ(NewHashGrid({12, 8, 15, 8, 256, 64, 64}, 1, &field).code(), Code::kBadArgument);
  EXPECT_EQ(NewHashGrid({12, 2, 15, 8, 4, 64, 64}, 1, &field).code(), Code::kBadArgument);
  EXPECT_EQ(NewHashGrid({12, 2, 15, 8, 256, 60, 64}, 1, &field).code(), Code::kBadArgument);
  for (const auto& [appearance, images] : {std::pair{3u, 9u}, {36u, 9u}, {4u, 0u}, {0u, 9u}}) {
    const HashGridConfig config = {12, 2, 15, 8, 256, 64, 64, appearance, images};
    EXPECT_EQ(NewHashGrid(config, 1, &field).code(), Code::kBadArgument);
  }
  const auto refused = [&](const std::function<void(ClassicConfig*)>& change) {
    return Classic(change)(&field).code() == Code::kBadArgument;
  };
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->width = 100; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->width = 2048; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->depth = 0; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->view_width = 12; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->position_frequencies = 17; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->skips = {0}; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->skips = {4}; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->skips = {2, 2}; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->linear = {9}; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->input_scale[1] = 0; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) { c->input_shift[2] = NAN; }));
  EXPECT_TRUE(refused([](ClassicConfig* c) {
    c->raw_direction = false;
    c->direction_frequencies = 0;
  }));
}

}  // namespace
}  // namespace daf::nerf
