// Training from photos: losses against finite differences, closed forms, determinism, resuming.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <thread>

#include "native/nerf/renderer.h"
#include "native/nerf/testing_scene.h"
#include "native/nerf/training/testing_photos.h"

namespace daf::nerf {
namespace {

using testing::Draw;
using testing::Orbit;
using testing::Photo;
using testing::Photos;
using testing::Picture;
using testing::RunAll;
using testing::Small;
using testing::SmallModel;
using testing::Stored;
using testing::TrainerOf;
using testing::Weights;

// Of a view that training did not see, over black.
double HeldOutPsnr(Model* model) {
  const Picture truth = Draw(Orbit(1.1f, 0.35f, 4, 64));
  std::vector<float> color(64 * 64 * 3);
  RenderTargets targets;
  targets.color = color.data();
  Renderer renderer;
  RenderOptions options;
  options.transparent = false;
  RenderStats stats;
  EXPECT_TRUE(
      renderer.Render(model, truth.camera, {0, 0, 64, 64}, options, targets, TaskControl(), &stats)
          .ok());
  double squares = 0;
  for (size_t i = 0; i < color.size(); ++i)
    squares += (color[i] - truth.rgb[i]) * (color[i] - truth.rgb[i]);
  return -10 * std::log10(squares / static_cast<double>(color.size()));
}

TEST(SceneTraining, PhotosBecomeTheScene) {
  const std::vector<Photo> photos = Photos(true);
  for (const bool random : {false, true}) {
    const auto model = SmallModel();
    SceneTrainOptions options = Small();
    if (random) options.background_kind = TrainingBackground::kRandom;
    const auto trainer = TrainerOf(model.get(), options, photos);
    SceneTrainReport report;
    ASSERT_TRUE(RunAll(trainer.get(), 200, &report).ok());
    EXPECT_GT(HeldOutPsnr(model.get()), 23);
    EXPECT_LT(report.occupied, 0.4);
    EXPECT_LT(report.samples, report.candidates + 1);
  }
}

TEST(SceneTraining, AClassicFieldLearnsToo) {
  ClassicConfig config;
  config.width = 32;
  config.depth = 3;
  config.position_frequencies = 5;
  config.skips = {};
  config.view_width = 16;
  std::unique_ptr<Field> field;
  ASSERT_TRUE(NewClassic(config, 1, &field).ok());
  std::unique_ptr<Model> model;
  ASSERT_TRUE(Model::Make(std::move(field), Box(), 32, &model).ok());
  SceneTrainOptions options = Small();
  options.learning_rate = 5e-3f;
  const auto trainer = TrainerOf(model.get(), options, Photos(true));
  const double before = HeldOutPsnr(model.get());
  SceneTrainReport report;
  ASSERT_TRUE(RunAll(trainer.get(), 200, &report).ok());
  EXPECT_GT(HeldOutPsnr(model.get()), std::max(18.0, before + 4)) << before;
}

TEST(SceneTraining, RegularisedAndUnboundedLearnsToo) {
  const std::vector<Photo> photos = Photos(false);
  const auto model = SmallModel(true);
  SceneTrainOptions options = Small();
  options.distortion_weight = 0.01f;
  options.opacity_weight = 0.001f;
  options.average_decay = 0.95f;
  const auto trainer = TrainerOf(model.get(), options, photos);
  SceneTrainReport report;
  ASSERT_TRUE(RunAll(trainer.get(), 200, &report).ok());
  const std::vector<float> own = Weights(model.get());
  EXPECT_TRUE(trainer->UseAverage(true));
  EXPECT_NE(Weights(model.get()), own);
  EXPECT_GT(HeldOutPsnr(model.get()), 18);
  EXPECT_EQ(trainer->Run(0, 1, 0, 0, TaskControl(), &report).code(), Code::kBadArgument);
  EXPECT_TRUE(trainer->UseAverage(false));
  EXPECT_EQ(Weights(model.get()), own);
}

// With tables whose gradients each thread has for itself, and with deferred ones.
class Continued : public ::testing::TestWithParam<uint32_t> {
 protected:
  static std::unique_ptr<Model> NewModel() { return SmallModel(false, 0, GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Log2Entries, Continued, ::testing::Values(13, 15));

TEST_P(Continued, DeterministicForANumberOfThreads) {
  const std::vector<Photo> photos = Photos(true);
  for (const uint32_t threads : {1u, 2u, 3u}) {
    std::vector<float> first;
    for (const std::vector<uint32_t>& calls :
         {std::vector<uint32_t>{40}, std::vector<uint32_t>{1, 15, 24}}) {
      const auto model = NewModel();
      const auto trainer = TrainerOf(model.get(), Small(threads), photos);
      SceneTrainReport report;
      for (const uint32_t steps : calls) ASSERT_TRUE(RunAll(trainer.get(), steps, &report).ok());
      EXPECT_EQ(report.step, 40u);
      if (first.empty()) {
        first = Weights(model.get());
      } else {
        EXPECT_EQ(Weights(model.get()), first) << threads << " threads";
      }
    }
  }
}

TEST_P(Continued, ResumedIsAsIfUninterrupted) {
  const std::vector<Photo> photos = Photos(true);
  SceneTrainOptions options = Small(2);
  options.average_decay = 0.9f;
  const std::string path = testing::OwnFile("scene_training_state.safetensors");
  const auto whole = NewModel();
  SceneTrainReport report;
  const auto uninterrupted = TrainerOf(whole.get(), options, photos);
  ASSERT_TRUE(RunAll(uninterrupted.get(), 20, &report).ok());
  ASSERT_TRUE(uninterrupted->SaveState(path, "a note").ok());
  ASSERT_TRUE(RunAll(uninterrupted.get(), 30, &report).ok());

  const auto model = NewModel();
  const auto resumed = TrainerOf(model.get(), options, photos);
  SafetensorsFile file;
  ASSERT_TRUE(SafetensorsFile::Read(path, &file).ok());
  std::string note;
  ASSERT_TRUE(resumed->RestoreState(file, &note).ok());
  EXPECT_EQ(note, "a note");
  EXPECT_EQ(resumed->step(), 20u);
  ASSERT_TRUE(RunAll(resumed.get(), 30, &report).ok());
  EXPECT_EQ(report.step, 50u);
  EXPECT_EQ(Weights(model.get()), Weights(whole.get()));
  ASSERT_TRUE(resumed->UseAverage(true));
  ASSERT_TRUE(uninterrupted->UseAverage(true));
  EXPECT_EQ(Weights(model.get()), Weights(whole.get()));

  const auto other = NewModel();
  EXPECT_EQ(TrainerOf(other.get(), Small(1), photos)->RestoreState(file, &note).code(),
            Code::kBadData);
}

TEST_P(Continued, CancelledByOneStopsAllAndLeavesNoTrace) {
  const std::vector<Photo> photos = Photos(true);
  std::vector<float> weights[2];
  for (int i = 0; i < 2; ++i) {
    const auto model = NewModel();
    const auto trainer = TrainerOf(model.get(), Small(2), photos);
    SceneTrainReport report;
    ASSERT_TRUE(RunAll(trainer.get(), 3, &report).ok());
    if (i == 1) {
      int32_t raised[3] = {1, 0, 0}, quiet[3] = {0, 0, 0};
      Status other;
      SceneTrainReport own;
      std::thread thread([&] { other = trainer->Run(1, 5, 0, 0, TaskControl(quiet), &own); });
      EXPECT_EQ(trainer->Run(0, 5, 0, 0, TaskControl(raised), &report).code(), Code::kCancelled);
      thread.join();
      EXPECT_EQ(other.code(), Code::kCancelled);
    }
    ASSERT_TRUE(RunAll(trainer.get(), 3, &report).ok());
    weights[i] = Weights(model.get());
  }
  EXPECT_EQ(weights[0], weights[1]);
}

TEST(SceneTraining, RefusesWhatCannotBeLearnt) {
  const auto model = SmallModel();
  std::unique_ptr<SceneTrainer> trainer;
  SceneTrainOptions bad;
  bad.learning_rate = NAN;
  EXPECT_EQ(SceneTrainer::Make(model.get(), bad, &trainer).code(), Code::kBadArgument);
  bad = SceneTrainOptions();
  bad.threads = 0;
  EXPECT_EQ(SceneTrainer::Make(model.get(), bad, &trainer).code(), Code::kBadArgument);
  ASSERT_TRUE(SceneTrainer::Make(model.get(), Small(), &trainer).ok());
  EXPECT_EQ(trainer->Prepare(TaskControl()).code(), Code::kBadArgument);  // no images
  Photo photo = Photos(true)[0];
  SceneTrainReport report;
  EXPECT_EQ(trainer->Run(0, 1, 0, 0, TaskControl(), &report).code(), Code::kBadArgument);
  Camera nowhere = photo.camera;
  nowhere.translation[0] = NAN;
  EXPECT_EQ(trainer->AddImage({nowhere, Stored(photo)}).code(), Code::kBadArgument);
  photo.camera.translation[2] = 100;  // everything is behind the camera
  ASSERT_TRUE(trainer->AddImage({photo.camera, Stored(photo)}).ok());
  EXPECT_EQ(trainer->Prepare(TaskControl()).code(), Code::kBadData);
}

// Picture planes of one colour: fog and walls whose answer is known.
TEST(SceneTraining, AWallOfOneColourBecomesOpaqueOfThatColour) {
  std::vector<Photo> photos = Photos(true);
  for (Photo& photo : photos) {
    for (size_t i = 0; i < photo.rgba.size(); i += 4) {
      photo.rgba[i] = 200, photo.rgba[i + 1] = 100, photo.rgba[i + 2] = 50, photo.rgba[i + 3] = 255;
    }
  }
  const auto model = SmallModel(true);
  SceneTrainOptions options = Small();
  options.background_kind = TrainingBackground::kRandom;
  options.samples_per_step = 8192;
  const auto trainer = TrainerOf(model.get(), options, photos);
  SceneTrainReport report;
  ASSERT_TRUE(RunAll(trainer.get(), 150, &report).ok());
  ASSERT_TRUE(RunAll(trainer.get(), 10, &report).ok());
  EXPECT_GT(report.psnr, 30);
}

TEST(SceneTraining, EmptyPicturesLeaveTheFieldEmpty) {
  std::vector<Photo> photos = Photos(true);
  for (Photo& photo : photos) std::fill(photo.rgba.begin(), photo.rgba.end(), uint8_t{0});
  const auto model = SmallModel();
  SceneTrainOptions options = Small();
  options.background_kind = TrainingBackground::kRandom;
  const auto trainer = TrainerOf(model.get(), options, photos);
  SceneTrainReport report;
  ASSERT_TRUE(RunAll(trainer.get(), 40, &report).ok());
  // Sooner or later nothing is left that a ray could meet, which is said.
  Status status;
  for (int i = 0; i < 12 && status.ok(); ++i) status = RunAll(trainer.get(), 10, &report);
  EXPECT_TRUE(status.ok() || status.code() == Code::kBadData) << status.message();
  EXPECT_GT(report.psnr, 40);
}

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

// Kept candidates give what Forward on them gives, and the same gradients.
void ExpectKeptIsForward(Field* field) {
  Arena arena;
  std::unique_ptr<FieldPass> pass;
  ASSERT_TRUE(field->NewPass(PassKind::kTraining, &arena, &pass).ok());
  Rng rng(7);
  for (size_t i = 0; i < field->parameter_count(); ++i)
    field->parameters()[i] += rng.Uniform(-0.1f, 0.1f);
  field->Pack();
  constexpr uint32_t kAll = 384, kSome = 96;
  float* lane[12];
  for (float*& l : lane) ASSERT_TRUE(arena.Allocate(kAll, &l).ok());
  for (uint32_t i = 0; i < kAll; ++i) {
    for (int a = 0; a < 3; ++a) lane[a][i] = rng.Uniform();
  }
  uint32_t pick[kSome];
  float* some[6];
  for (float*& l : some) ASSERT_TRUE(arena.Allocate(kSome, &l).ok());
  for (uint32_t i = 0; i < kSome; ++i) {
    pick[i] = i * 4;
    for (int a = 0; a < 3; ++a) {
      some[a][i] = lane[a][pick[i]];
      some[3 + a][i] = a == 2 ? 1.0f : 0.0f;
    }
  }
  std::vector<float> gradients[2];
  std::vector<float> values[2];
  for (int kept = 0; kept < 2; ++kept) {
    gradients[kept].assign(field->parameter_count(), 0);
    if (kept == 1) {
      pass->Density({lane[0], lane[1], lane[2]}, kAll, lane[3]);
      pass->Keep(pick, 50, 0);
      pass->Keep(pick + 50, kSome - 50, 50);
      pass->ForwardKept({some[0], some[1], some[2]}, {some[3], some[4], some[5]}, kSome, lane[4],
                        {lane[5], lane[6], lane[7]});
    } else {
      pass->Forward({some[0], some[1], some[2]}, {some[3], some[4], some[5]}, kSome, lane[4],
                    {lane[5], lane[6], lane[7]});
    }
    for (int l = 4; l < 8; ++l) values[kept].insert(values[kept].end(), lane[l], lane[l] + kSome);
    pass->Backward(lane[4], {lane[5], lane[6], lane[7]}, gradients[kept].data());
  }
  EXPECT_EQ(values[0], values[1]);
  EXPECT_EQ(gradients[0], gradients[1]);
}

TEST(KeptPoints, AreForwardOnThosePoints) {
  ExpectKeptIsForward(&SmallModel()->field());
  ClassicConfig config;
  config.width = 32;
  config.depth = 3;
  config.view_width = 16;
  config.skips = {1};
  std::unique_ptr<Field> classic;
  ASSERT_TRUE(NewClassic(config, 1, &classic).ok());
  ExpectKeptIsForward(classic.get());
}

}  // namespace
}  // namespace daf::nerf
