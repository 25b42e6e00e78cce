// Training from photos: what fields learn of scenes that are known.
#include <gtest/gtest.h>

#include <cmath>

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

// Cameras so far away that one ray in some thousand meets the box: a step does not go on until it
// has all of its samples.
TEST(SceneTraining, AStepDrawsABoundedNumberOfRays) {
  constexpr uint64_t kMost = 1 << 20,
                     kMore = 1 << 16;  // a group that is marched together is filled
  std::vector<Photo> photos;
  for (uint32_t i = 0; i < 4; ++i)
    photos.push_back(testing::AsPhoto(Draw(testing::Around(i, 90, 64)), true));
  const auto model = SmallModel();
  SceneTrainOptions options = Small();
  options.samples_per_step = 1 << 18;
  const auto trainer = TrainerOf(model.get(), options, photos);
  for (int step = 0; step < 2; ++step) {
    SceneTrainReport report;
    const Status status = RunAll(trainer.get(), 1, &report);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_GT(report.rays, kMost / 2);
    EXPECT_LT(report.rays, kMost + kMore);
    EXPECT_GT(report.samples, 0u);
    EXPECT_LT(report.samples, options.samples_per_step);
  }
}

// One ray in a thousand meets the box: to fill a group that is marched together, more are drawn
// than may miss one after the other.
TEST(SceneTraining, RaysThatHardlyMeetTheBoxAreNoEmptyField) {
  std::vector<Photo> photos;
  for (uint32_t i = 0; i < 4; ++i)
    photos.push_back(testing::AsPhoto(Draw(testing::Around(i, 125, 256)), true));
  const auto model = SmallModel();
  SceneTrainOptions options = Small();
  options.samples_per_edge = 32;     // so few a ray that rays are marched together,
  options.samples_per_step = 16384;  // once a first pass of whole rays has told so
  const auto trainer = TrainerOf(model.get(), options, photos);
  for (int step = 0; step < 2; ++step) {
    SceneTrainReport report;
    const Status status = RunAll(trainer.get(), 1, &report);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_GT(report.samples, options.samples_per_step / 2);
  }
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

}  // namespace
}  // namespace daf::nerf
