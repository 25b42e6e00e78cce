// Photos of a scene whose views are known, and trainings of them that are small enough for a test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "native/nerf/testing_scene.h"
#include "native/nerf/training/scene_trainer.h"

namespace daf::nerf::testing {

constexpr uint32_t kPhotos = 20;

struct Photo {
  Camera camera;
  std::vector<uint8_t> rgba;
};

inline std::vector<Photo> Photos(bool transparent) {
  std::vector<Photo> photos;
  for (uint32_t i = 0; i < kPhotos; ++i) {
    const Picture picture = Draw(
        Orbit(static_cast<float>(i) * 2.399f, -0.5f + 1.2f * static_cast<float>(i % 5) / 4, 4, 64));
    Photo photo{picture.camera, {}};
    for (size_t p = 0; p < picture.alpha.size(); ++p) {
      for (size_t c = 0; c < 3; ++c)
        photo.rgba.push_back(static_cast<uint8_t>(std::lround(picture.rgb[p * 3 + c] * 255)));
      photo.rgba.push_back(transparent ? static_cast<uint8_t>(picture.alpha[p] * 255) : 255);
    }
    photos.push_back(std::move(photo));
  }
  return photos;
}

// What tables of 2^15 entries learn is deferred in trainings as Small(); of 2^13 it is not.
inline std::unique_ptr<Model> SmallModel(bool unbounded = false, uint32_t appearance = 0,
                                         uint32_t log2_entries = 13) {
  std::unique_ptr<Field> field;
  EXPECT_TRUE(
      NewHashGrid({8, 2, log2_entries, 8, 96, 32, 32, appearance, appearance > 0 ? kPhotos : 0}, 1,
                  &field)
          .ok());
  Box box;
  box.unbounded = unbounded;
  std::unique_ptr<Model> model;
  EXPECT_TRUE(Model::Make(std::move(field), box, 32, &model).ok());
  return model;
}

inline SceneTrainOptions Small(uint32_t threads = 1) {
  SceneTrainOptions options;
  options.threads = threads;
  options.samples_per_step = 4096;
  options.samples_per_edge = 96;
  options.total_steps = 200;
  return options;
}

// Pictures that live as long as the process.
inline StoredImage Stored(const Photo& photo) {
  static std::unique_ptr<ImageStore> store;
  if (store == nullptr) {
    EXPECT_TRUE(ImageStore::Open(::testing::TempDir(), &store).ok());
  }
  StoredImage image;
  EXPECT_TRUE(
      store->Add(photo.camera.width, photo.camera.height, photo.rgba.data(), nullptr, &image).ok());
  return image;
}

inline std::unique_ptr<SceneTrainer> TrainerOf(Model* model, const SceneTrainOptions& options,
                                               const std::vector<Photo>& photos) {
  std::unique_ptr<SceneTrainer> trainer;
  EXPECT_TRUE(SceneTrainer::Make(model, options, &trainer).ok());
  for (const Photo& photo : photos)
    EXPECT_TRUE(trainer->AddImage({photo.camera, Stored(photo)}).ok());
  const Status prepared = trainer->Prepare(TaskControl());
  EXPECT_TRUE(prepared.ok()) << prepared.message();
  return trainer;
}

inline Status RunAll(SceneTrainer* trainer, uint32_t steps, SceneTrainReport* report,
                     const TaskControl& control = TaskControl()) {
  std::vector<std::thread> threads;
  for (uint32_t i = 1; i < trainer->threads(); ++i) {
    threads.emplace_back([=] {
      SceneTrainReport own;
      (void)trainer->Run(i, steps, 0, 0, control, &own);
    });
  }
  const Status status = trainer->Run(0, steps, 0, 0, control, report);
  for (std::thread& thread : threads) thread.join();
  return status;
}

// A file of this process's own: tests run at the same time, and so may whole test runs.
inline std::string OwnFile(const std::string& name) {
  return ::testing::TempDir() + "/" + std::to_string(::getpid()) + "_" + name;
}

inline std::vector<float> Weights(Model* model) {
  const Field& field = model->field();
  return {field.parameters(), field.parameters() + field.parameter_count()};
}

}  // namespace daf::nerf::testing
