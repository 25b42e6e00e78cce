// Photos of a scene whose views are known, and trainings of them that are small enough for a test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <functional>
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

inline Photo AsPhoto(const Picture& picture, bool transparent) {
  Photo photo{picture.camera, {}};
  for (size_t p = 0; p < picture.alpha.size(); ++p) {
    for (size_t c = 0; c < 3; ++c)
      photo.rgba.push_back(static_cast<uint8_t>(std::lround(picture.rgb[p * 3 + c] * 255)));
    photo.rgba.push_back(transparent ? static_cast<uint8_t>(picture.alpha[p] * 255) : 255);
  }
  return photo;
}

// The i-th of cameras that look at the box from all around.
inline Camera Around(uint32_t i, float distance, uint32_t size) {
  return Orbit(static_cast<float>(i) * 2.399f, -0.5f + 1.2f * static_cast<float>(i % 5) / 4,
               distance, size);
}

inline std::vector<Photo> Photos(bool transparent) {
  std::vector<Photo> photos;
  for (uint32_t i = 0; i < kPhotos; ++i)
    photos.push_back(AsPhoto(Draw(Around(i, 4, 64)), transparent));
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

// Everything of a model that a file keeps.
inline std::vector<uint8_t> Saved(Model* model) {
  Arena scratch;
  SafetensorsWriter writer;
  std::vector<uint8_t> bytes;
  EXPECT_TRUE(model->Save(&scratch, &writer).ok());
  EXPECT_TRUE(writer.Serialize(&bytes).ok());
  return bytes;
}

// The file of what a training continues from.
inline SafetensorsFile StateOf(SceneTrainer* trainer, const std::string& note) {
  const std::string path = OwnFile("training_state.safetensors");
  SafetensorsFile file;
  EXPECT_TRUE(trainer->SaveState(path, note).ok());
  EXPECT_TRUE(SafetensorsFile::Read(path, &file).ok());
  EXPECT_EQ(::unlink(path.c_str()), 0);
  return file;
}

inline void ExpectSameState(const SafetensorsFile& one, const SafetensorsFile& other) {
  EXPECT_EQ(one.metadata(), other.metadata());
  ASSERT_EQ(one.tensors().size(), other.tensors().size());
  for (size_t i = 0; i < one.tensors().size(); ++i) {
    const Tensor &a = one.tensors()[i], &b = other.tensors()[i];
    ASSERT_EQ(a.name, b.name);
    ASSERT_EQ(a.bytes, b.bytes);
    EXPECT_EQ(std::memcmp(a.data, b.data, a.bytes), 0) << a.name;
  }
}

// Trains one of two equal models without a break for `before` + `after` steps, and the other, as if
// by a new process, for the last `after` of them from the state that the first was in. A moving
// average is kept whatever the options say. In the end all that training goes on from is the same,
// and so is what a file would keep of either model, with its own weights and with their average.
inline void ExpectResumedIsUninterrupted(const std::function<std::unique_ptr<Model>()>& new_model,
                                         SceneTrainOptions options,
                                         const std::vector<Photo>& photos, uint32_t before,
                                         uint32_t after) {
  options.average_decay = 0.9f;
  const std::unique_ptr<Model> whole = new_model(), part = new_model();
  SceneTrainReport report;
  const auto uninterrupted = TrainerOf(whole.get(), options, photos);
  ASSERT_TRUE(RunAll(uninterrupted.get(), before, &report).ok());
  const SafetensorsFile state = StateOf(uninterrupted.get(), "a note");
  ASSERT_TRUE(RunAll(uninterrupted.get(), after, &report).ok());

  const auto resumed = TrainerOf(part.get(), options, photos);
  std::string note;
  const Status restored = resumed->RestoreState(state, &note);
  ASSERT_TRUE(restored.ok()) << restored.message();
  EXPECT_EQ(note, "a note");
  EXPECT_EQ(resumed->step(), before);
  ASSERT_TRUE(RunAll(resumed.get(), after, &report).ok());
  EXPECT_EQ(report.step, before + after);
  ExpectSameState(StateOf(resumed.get(), ""), StateOf(uninterrupted.get(), ""));
  EXPECT_EQ(Saved(part.get()), Saved(whole.get()));
  ASSERT_TRUE(resumed->UseAverage(true) && uninterrupted->UseAverage(true));
  EXPECT_EQ(Saved(part.get()), Saved(whole.get()));
}

// A step of two threads of which one is cancelled ends for both of them.
inline void CancelOneOfTwo(SceneTrainer* trainer) {
  int32_t raised[3] = {1, 0, 0}, quiet[3] = {0, 0, 0};
  Status other;
  SceneTrainReport first, second;
  std::thread thread([&] { other = trainer->Run(1, 5, 0, 0, TaskControl(quiet), &second); });
  EXPECT_EQ(trainer->Run(0, 5, 0, 0, TaskControl(raised), &first).code(), Code::kCancelled);
  thread.join();
  EXPECT_EQ(other.code(), Code::kCancelled);
}

}  // namespace daf::nerf::testing
