// A background that is learnt with the field: a thing in front of a sky.
#include <gtest/gtest.h>

#include <cmath>

#include "native/nerf/renderer.h"
#include "native/nerf/testing_scene.h"
#include "native/nerf/training/testing_photos.h"

namespace daf::nerf {
namespace {

using testing::Photo;
using testing::Photos;
using testing::RunAll;
using testing::Small;
using testing::SmallModel;
using testing::TrainerOf;

void Sky(const float d[3], float color[3]) {
  color[0] = 0.5f + 0.4f * d[1];
  color[1] = 0.4f + 0.3f * d[0] * d[2];
  color[2] = 0.7f - 0.3f * d[1];
}

// Opaque photos whose transparent pixels show the sky.
std::vector<Photo> BeforeSky() {
  std::vector<Photo> photos = Photos(true);
  for (Photo& photo : photos) {
    for (uint32_t i = 0; i < photo.camera.width * photo.camera.height; ++i) {
      uint8_t* rgba = photo.rgba.data() + size_t{i} * 4;
      const Ray ray = PixelRay(photo.camera, static_cast<float>(i % photo.camera.width) + 0.5f,
                               static_cast<float>(i / photo.camera.width) + 0.5f);
      float sky[3];
      Sky(ray.direction, sky);
      const float alpha = static_cast<float>(rgba[3]) / 255;
      for (int c = 0; c < 3; ++c)
        rgba[c] = static_cast<uint8_t>(std::lround(rgba[c] * alpha + 255 * sky[c] * (1 - alpha)));
      rgba[3] = 255;
    }
  }
  return photos;
}

SceneTrainOptions Learning(uint32_t threads = 1) {
  SceneTrainOptions options = Small(threads);
  options.background_kind = TrainingBackground::kLearned;
  return options;
}

// Mean squared error of the last photo, rendered.
double Error(Model* model, const Photo& photo, bool learned) {
  const uint32_t pixels = photo.camera.width * photo.camera.height;
  std::vector<uint8_t> rgba(size_t{pixels} * 4);
  RenderTargets targets;
  targets.rgba = rgba.data();
  RenderOptions options;
  options.transparent = false;
  options.learned_background = learned;
  Renderer renderer;
  RenderStats stats;
  const Status status =
      renderer.Render(model, photo.camera, {0, 0, photo.camera.width, photo.camera.height}, options,
                      targets, TaskControl(), &stats);
  EXPECT_TRUE(status.ok()) << status.message();
  double sum = 0;
  for (size_t i = 0; i < rgba.size(); ++i) {
    const double off = (double{rgba[i]} - photo.rgba[i]) / 255;
    sum += off * off;
  }
  return sum / (3.0 * pixels);
}

double HeldOut(TrainingBackground kind) {
  std::vector<Photo> photos = BeforeSky();
  const Photo held = photos.back();
  photos.pop_back();
  const auto model = SmallModel();
  SceneTrainOptions options = Learning();
  options.background_kind = kind;
  options.total_steps = 400;
  const auto trainer = TrainerOf(model.get(), options, photos);
  SceneTrainReport report;
  EXPECT_TRUE(RunAll(trainer.get(), 400, &report).ok());
  return -10 * std::log10(Error(model.get(), held, kind == TrainingBackground::kLearned));
}

TEST(LearnedBackground, ShowsTheSkyInAViewThatWasNotSeen) {
  const double learned = HeldOut(TrainingBackground::kLearned);
  EXPECT_GT(learned, 22);
  EXPECT_GT(learned, HeldOut(TrainingBackground::kFixed) + 3);
}

TEST(LearnedBackground, ResumedIsAsIfUninterrupted) {
  testing::ExpectResumedIsUninterrupted([] { return SmallModel(); }, Learning(2), BeforeSky(), 70,
                                        15);
}

TEST(LearnedBackground, IsKeptWithTheField) {
  const std::vector<Photo> photos = BeforeSky();
  const auto model = SmallModel();
  const auto trainer = TrainerOf(model.get(), Learning(), photos);
  SceneTrainReport report;
  ASSERT_TRUE(RunAll(trainer.get(), 40, &report).ok());
  const std::vector<uint8_t> saved = testing::Saved(model.get());
  SafetensorsFile file;
  ASSERT_TRUE(SafetensorsFile::Parse(saved.data(), saved.size(), &file).ok());
  std::unique_ptr<Model> loaded;
  ASSERT_TRUE(Model::Load(file, &loaded).ok());
  EXPECT_EQ(Error(loaded.get(), photos[0], true), Error(model.get(), photos[0], true));
  EXPECT_NE(Error(loaded.get(), photos[0], true), Error(loaded.get(), photos[0], false));
}

TEST(LearnedBackground, IsRefusedWhereThereIsNone) {
  const auto model = SmallModel();
  const Photo photo = Photos(true)[0];
  std::vector<uint8_t> rgba(size_t{photo.camera.width} * photo.camera.height * 4);
  RenderTargets targets;
  targets.rgba = rgba.data();
  RenderOptions options;
  options.learned_background = true;
  Renderer renderer;
  RenderStats stats;
  EXPECT_EQ(
      renderer
          .Render(model.get(), photo.camera, {0, 0, 8, 8}, options, targets, TaskControl(), &stats)
          .code(),
      Code::kBadArgument);
}

}  // namespace
}  // namespace daf::nerf
