// Options of training that are off by default: what they are for, and that the result stays the
// same for a number of threads and across an interruption.
#include <gtest/gtest.h>

#include "native/nerf/training/testing_photos.h"

namespace daf::nerf {
namespace {

using testing::Photo;
using testing::Photos;
using testing::RunAll;
using testing::Small;
using testing::SmallModel;
using testing::TrainerOf;
using testing::Weights;

struct Choice {
  const char* name;
  uint32_t appearance;
  float variation;
};

class Options : public ::testing::TestWithParam<Choice> {
 protected:
  std::unique_ptr<Model> NewModel() const { return SmallModel(false, GetParam().appearance); }
  SceneTrainOptions For(uint32_t threads) const {
    SceneTrainOptions options = Small(threads);
    options.variation_weight = GetParam().variation;
    return options;
  }
};

TEST_P(Options, ChangeTheResultWhichIsTheSameForANumberOfThreads) {
  const std::vector<Photo> photos = Photos(true);
  const auto plain = SmallModel();
  SceneTrainReport report;
  ASSERT_TRUE(RunAll(TrainerOf(plain.get(), Small(), photos).get(), 12, &report).ok());
  for (const uint32_t threads : {1u, 2u, 3u}) {
    std::vector<float> first;
    for (const std::vector<uint32_t>& calls :
         {std::vector<uint32_t>{12}, std::vector<uint32_t>{5, 7}}) {
      const auto model = NewModel();
      const auto trainer = TrainerOf(model.get(), For(threads), photos);
      for (const uint32_t steps : calls) ASSERT_TRUE(RunAll(trainer.get(), steps, &report).ok());
      if (first.empty()) first = Weights(model.get());
      EXPECT_EQ(Weights(model.get()), first) << threads << " threads";
    }
    EXPECT_NE(first, Weights(plain.get()));
  }
}

TEST_P(Options, ResumedIsAsIfUninterrupted) {
  testing::ExpectResumedIsUninterrupted([&] { return NewModel(); }, For(2), Photos(true), 9, 9);
}

INSTANTIATE_TEST_SUITE_P(Each, Options,
                         ::testing::Values(Choice{"appearance", 4, 0},
                                           Choice{"variation", 0, 0.01f}, Choice{"both", 4, 0.01f}),
                         [](const auto& one) { return std::string(one.param.name); });

// Two photos from the same place with different exposures contradict each other: no scene explains
// both, however its colours depend on the direction, but its looks do.
TEST(Appearance, ExplainsExposuresThatDiffer) {
  std::vector<Photo> photos = Photos(true);
  for (size_t i = 0; i < photos.size(); i += 2) {
    photos[i + 1] = photos[i];
    for (size_t p = 0; p < photos[i].rgba.size(); ++p) {
      if (p % 4 != 3) photos[i + 1].rgba[p] = photos[i].rgba[p] / 2;
    }
  }
  double psnr[2];
  for (const uint32_t appearance : {0u, 4u}) {
    const auto model = SmallModel(false, appearance);
    SceneTrainOptions options = Small();
    options.total_steps = 400;
    const auto trainer = TrainerOf(model.get(), options, photos);
    SceneTrainReport report;
    ASSERT_TRUE(RunAll(trainer.get(), 390, &report).ok());
    ASSERT_TRUE(RunAll(trainer.get(), 10, &report).ok());
    psnr[appearance / 4] = report.psnr;
  }
  EXPECT_GT(psnr[1], psnr[0] + 3) << psnr[0] << " dB without codes, " << psnr[1] << " with";
}

TEST(Appearance, IsForAsManyImagesAsThereAre) {
  const auto model = SmallModel(false, 4);
  std::unique_ptr<SceneTrainer> trainer;
  ASSERT_TRUE(SceneTrainer::Make(model.get(), Small(), &trainer).ok());
  const Photo photo = Photos(true)[0];
  ASSERT_TRUE(trainer->AddImage({photo.camera, testing::Stored(photo)}).ok());
  EXPECT_EQ(trainer->Prepare(TaskControl()).code(), Code::kBadArgument);
}

TEST(Variation, SmoothsTheTablesAndIsPartOfTheLoss) {
  const std::vector<Photo> photos = Photos(true);
  double variation[2], loss[2];
  for (const int on : {0, 1}) {
    const auto model = SmallModel();
    SceneTrainOptions options = Small();
    if (on == 1) options.variation_weight = 0.1f;
    const auto trainer = TrainerOf(model.get(), options, photos);
    SceneTrainReport report;
    ASSERT_TRUE(RunAll(trainer.get(), 60, &report).ok());
    loss[on] = report.loss;
    std::vector<float> lanes[3], unused(model->field().parameter_count());
    Rng rng(8);
    for (std::vector<float>& lane : lanes) {
      for (int i = 0; i < 4096; ++i) lane.push_back(rng.Uniform());
    }
    variation[on] = model->field().Variation({lanes[0].data(), lanes[1].data(), lanes[2].data()},
                                             4096, 1, unused.data());
  }
  EXPECT_LT(variation[1], variation[0] * 0.75);
  EXPECT_GT(loss[1], loss[0]);
}

TEST(Variation, NeedsATable) {
  std::unique_ptr<Field> field;
  ASSERT_TRUE(NewClassic(ClassicConfig(), 1, &field).ok());
  std::unique_ptr<Model> model;
  ASSERT_TRUE(Model::Make(std::move(field), Box(), 16, &model).ok());
  SceneTrainOptions options = Small();
  options.variation_weight = 0.1f;
  std::unique_ptr<SceneTrainer> trainer;
  EXPECT_EQ(SceneTrainer::Make(model.get(), options, &trainer).code(), Code::kUnsupported);
  options.variation_weight = -1;
  EXPECT_EQ(SceneTrainer::Make(model.get(), options, &trainer).code(), Code::kBadArgument);
}

}  // namespace
}  // namespace daf::nerf
