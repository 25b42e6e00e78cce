// Disturbed poses of photos of a known scene are found again, right ones stay, and what was learnt
// about them is part of the training's state.
#include <gtest/gtest.h>

#include <cstring>

#include "native/nerf/testing_field.h"
#include "native/nerf/training/testing_poses.h"

namespace daf::nerf {
namespace {

using testing::Disturbed;
using testing::HeldOutPsnr;
using testing::Nearby;
using testing::Photo;
using testing::PoseErrors;
using testing::RunAll;
using testing::Small;
using testing::SmallModel;
using testing::TrainerOf;
using testing::Weights;

SceneTrainOptions Refining(uint32_t steps, bool refine = true) {
  SceneTrainOptions options = Small(2);
  options.refine_poses = refine;
  options.total_steps = steps;
  options.background_kind = TrainingBackground::kRandom;
  return options;
}

std::vector<Camera> CamerasOf(const SceneTrainer& trainer) {
  std::vector<Camera> cameras;
  for (const TrainingImage& image : trainer.images()) cameras.push_back(image.camera);
  return cameras;
}

// Every number of every pose.
std::vector<float> Poses(const SceneTrainer& trainer) {
  std::vector<float> values;
  for (const Camera& camera : CamerasOf(trainer)) {
    values.insert(values.end(), camera.rotation, camera.rotation + 9);
    values.insert(values.end(), camera.translation, camera.translation + 3);
  }
  return values;
}

struct Outcome {
  PoseErrors errors;
  double psnr;
};

Outcome Train(const std::vector<Photo>& photos, bool refine, uint32_t steps) {
  const auto model = SmallModel();
  const auto trainer = TrainerOf(model.get(), Refining(steps, refine), photos);
  SceneTrainReport report;
  EXPECT_TRUE(RunAll(trainer.get(), steps, &report).ok());
  return {PoseErrors::Of(CamerasOf(*trainer), Nearby()), HeldOutPsnr(model.get())};
}

TEST(PoseTraining, DisturbedPosesAreFoundAgain) {
  constexpr uint32_t kSteps = 700;
  const std::vector<Photo> photos = Disturbed(Nearby(), 1.5f, 0.03f);
  // Held where they are, the poses spoil the field early: half of the steps already draw as well as
  // all.
  const Outcome fixed = Train(photos, false, kSteps / 2), refined = Train(photos, true, kSteps);
  EXPECT_NEAR(fixed.errors.turn, 1.5, 0.1);
  EXPECT_LT(refined.errors.turn, fixed.errors.turn / 5);
  EXPECT_LT(refined.errors.largest_turn, fixed.errors.turn / 1.5);
  EXPECT_LT(refined.errors.centre, fixed.errors.centre / 3);
  EXPECT_GT(refined.psnr, fixed.psnr + 3) << fixed.psnr;
}

TEST(PoseTraining, RightPosesStay) {
  constexpr uint32_t kSteps = 300;
  const Outcome fixed = Train(Nearby(), false, kSteps), refined = Train(Nearby(), true, kSteps);
  EXPECT_LT(refined.errors.turn, 0.25);  // a third of a pixel
  EXPECT_LT(refined.errors.centre, 0.012);
  EXPECT_GT(refined.psnr, fixed.psnr - 0.7) << fixed.psnr;
}

TEST(PoseTraining, DependsOnTheNumberOfThreadsAlone) {
  std::vector<float> poses, weights;
  for (int round = 0; round < 2; ++round) {
    const auto model = SmallModel();
    const auto trainer = TrainerOf(model.get(), Refining(60), Disturbed(Nearby(), 1, 0.02f));
    const std::vector<float> given = Poses(*trainer);
    SceneTrainReport report;
    for (const uint32_t steps : {7u, 53u}) ASSERT_TRUE(RunAll(trainer.get(), steps, &report).ok());
    if (round == 0) {
      poses = Poses(*trainer);
      weights = Weights(model.get());
      EXPECT_NE(poses, given);
    } else {
      EXPECT_EQ(Poses(*trainer), poses);
      EXPECT_EQ(Weights(model.get()), weights);
    }
  }
}

// Before the poses begin to move, when they do, and after.
TEST(PoseTraining, ResumedIsAsIfUninterrupted) {
  for (const uint32_t steps : {10u, 20u, 40u}) {
    testing::ExpectResumedIsUninterrupted([] { return SmallModel(); }, Refining(60),
                                          Disturbed(Nearby(), 1, 0.02f), steps, 20);
  }
}

TEST(PoseTraining, AStateIsOfTrainingsThatRefineOrOfThoseThatDoNot) {
  for (const bool refine : {false, true}) {
    const auto model = SmallModel();
    const SafetensorsFile state =
        testing::StateOf(TrainerOf(model.get(), Refining(60, refine), Nearby()).get(), "");
    std::string note;
    const auto other = TrainerOf(model.get(), Refining(60, !refine), Nearby());
    EXPECT_EQ(other->RestoreState(state, &note).code(), Code::kBadData) << refine;
  }
}

TEST(PoseTraining, AStepThatIsCancelledTeachesNothing) {
  std::vector<float> poses[2];
  for (int i = 0; i < 2; ++i) {
    const auto model = SmallModel();
    const auto trainer = TrainerOf(model.get(), Refining(60), Nearby());
    SceneTrainReport report;
    ASSERT_TRUE(RunAll(trainer.get(), 25, &report).ok());
    if (i == 1) testing::CancelOneOfTwo(trainer.get());
    ASSERT_TRUE(RunAll(trainer.get(), 5, &report).ok());
    poses[i] = Poses(*trainer);
  }
  EXPECT_EQ(poses[0], poses[1]);
}

// A network without a table, small enough for a test; where it has a coarse one, that one only says
// where samples lie.
std::unique_ptr<Model> ClassicModel(bool coarse) {
  ClassicConfig config = testing::ClassicOf(32, 4, 4, 1);
  config.coarse = coarse;
  std::unique_ptr<Field> field;
  EXPECT_TRUE(NewClassic(config, 1, &field).ok());
  std::unique_ptr<Model> model;
  EXPECT_TRUE(Model::Make(std::move(field), Box(), 32, &model).ok());
  return model;
}

SceneTrainOptions RefiningClassic(uint32_t steps) {
  SceneTrainOptions options = Refining(steps);
  options.learning_rate = 0.1f;
  options.samples_per_edge = 64;
  options.importance = {32, 32};
  return options;
}

// The turns, of which half are left: what a small network draws is too blurred for the moves.
TEST(PoseTraining, AClassicFieldFindsThemBackInPart) {
  constexpr uint32_t kSteps = 600;
  const auto model = ClassicModel(false);
  const auto trainer =
      TrainerOf(model.get(), RefiningClassic(kSteps), Disturbed(Nearby(), 1.5f, 0.03f));
  SceneTrainReport report;
  ASSERT_TRUE(RunAll(trainer.get(), kSteps, &report).ok());
  const PoseErrors errors = PoseErrors::Of(CamerasOf(*trainer), Nearby());
  EXPECT_LT(errors.turn, 1);
  EXPECT_LT(errors.centre, 0.03);
}

TEST(PoseTraining, AClassicFieldResumedIsAsIfUninterrupted) {
  for (const bool coarse : {false, true}) {
    testing::ExpectResumedIsUninterrupted([=] { return ClassicModel(coarse); }, RefiningClassic(30),
                                          Disturbed(Nearby(), 1, 0.02f), 22, 6);
  }
}

}  // namespace
}  // namespace daf::nerf
