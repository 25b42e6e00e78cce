// Training a field whose coarse network says where to look.
#include "native/nerf/training/coarse_look.h"

#include <gtest/gtest.h>

#include <cmath>

#include "native/nerf/testing_render.h"
#include "native/nerf/training/scene_trainer.h"

namespace daf::nerf {
namespace {

using testing::Draw;
using testing::Orbit;
using testing::Picture;

std::unique_ptr<Model> SmallModel() {
  ClassicConfig config = testing::ClassicOf(32, 3, 5, 1);
  config.coarse = true;
  std::unique_ptr<Field> field;
  EXPECT_TRUE(NewClassic(config, 1, &field).ok());
  std::unique_ptr<Model> model;
  EXPECT_TRUE(Model::Make(std::move(field), Box(), 16, &model).ok());
  return model;
}

SceneTrainOptions Small() {
  SceneTrainOptions options;
  options.samples_per_step = 2048;
  options.total_steps = 120;
  options.learning_rate = 0.1f;  // of which a classic field takes a twentieth
  options.importance = {24, 24};
  return options;
}

double Psnr(Model* model, const Picture& truth) {
  RenderOptions options;
  options.transparent = false;
  options.importance = {24, 24};
  const testing::Image image = testing::RenderOf(model, truth.camera, options);
  double sum = 0;
  for (size_t i = 0; i < truth.rgb.size(); ++i)
    sum += std::pow(double{image.color[i]} - truth.rgb[i], 2);
  return -10 * std::log10(sum / static_cast<double>(truth.rgb.size()));
}

std::vector<float> Trained(uint32_t first, uint32_t second, double* psnr) {
  std::unique_ptr<ImageStore> store;
  EXPECT_TRUE(ImageStore::Open(::testing::TempDir(), &store).ok());
  const auto model = SmallModel();
  std::unique_ptr<SceneTrainer> trainer;
  EXPECT_TRUE(SceneTrainer::Make(model.get(), Small(), &trainer).ok());
  for (int i = 0; i < 12; ++i) {
    const Picture picture = Draw(Orbit(static_cast<float>(i) * 2.399f, 0.3f, 4, 32));
    std::vector<uint8_t> rgba;
    for (size_t p = 0; p < picture.alpha.size(); ++p) {
      for (size_t c = 0; c < 3; ++c)
        rgba.push_back(static_cast<uint8_t>(std::lround(picture.rgb[p * 3 + c] * 255)));
      rgba.push_back(255);
    }
    TrainingImage image{picture.camera, {}};
    EXPECT_TRUE(store->Add(32, 32, rgba.data(), nullptr, &image.pixels).ok());
    EXPECT_TRUE(trainer->AddImage(image).ok());
  }
  EXPECT_TRUE(trainer->Prepare(TaskControl()).ok());
  for (const uint32_t steps : {first, second}) {
    SceneTrainReport report;
    const Status status = trainer->Run(0, steps, 0, 0, TaskControl(), &report);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  model->Touch();
  if (psnr != nullptr) *psnr = Psnr(model.get(), Draw(Orbit(1.1f, 0.35f, 4, 32)));
  const Field& field = model->field();
  return {field.parameters(), field.parameters() + field.parameter_count()};
}

TEST(CoarseLook, BothNetworksLearnTheScene) {
  const double before = Psnr(SmallModel().get(), Draw(Orbit(1.1f, 0.35f, 4, 32)));
  double after = 0;
  const auto model = SmallModel();
  const std::vector<float> weights = Trained(60, 60, &after);
  EXPECT_GT(after, before + 4) << before << " → " << after;
  // The coarse network's parameters are the second half.
  for (const size_t begin : {size_t{0}, weights.size() / 2}) {
    double moved = 0;
    for (size_t i = begin; i < begin + weights.size() / 2; ++i)
      moved += std::fabs(weights[i] - model->field().parameters()[i]);
    EXPECT_GT(moved, 1) << begin;
  }
}

TEST(CoarseLook, IsTheSameHoweverTheStepsAreDivided) {
  EXPECT_EQ(Trained(8, 2, nullptr), Trained(3, 7, nullptr));
}

TEST(CoarseLook, RefusesMoreSamplesThanAPassTakes) {
  const auto model = SmallModel();
  SceneTrainOptions options = Small();
  options.importance = {400, 400};
  CoarseLook look(*model, &model->occupancy(), options);
  Arena arena;
  EXPECT_EQ(look.Reserve(&arena).code(), Code::kBadArgument);
}

}  // namespace
}  // namespace daf::nerf
