// A training of two pictures of a tiny field, for the seeds and the target of its state.
#pragma once

#include <memory>
#include <vector>

#include "native/nerf/training/scene_trainer.h"

namespace daf::fuzz {

struct SmallTraining {
  std::unique_ptr<nerf::ImageStore> pixels;
  std::unique_ptr<nerf::Model> model;
  std::unique_ptr<nerf::SceneTrainer> trainer;

  Status Make() {
    nerf::HashGridConfig config;
    config.levels = 2;
    config.log2_entries = 8;
    config.finest = 16;
    config.density_width = config.color_width = 8;
    std::unique_ptr<nerf::Field> field;
    DAF_RETURN_IF_ERROR(nerf::NewHashGrid(config, 1, &field));
    DAF_RETURN_IF_ERROR(nerf::Model::Make(std::move(field), nerf::Box(), 8, &model));
    nerf::SceneTrainOptions options;
    options.samples_per_step = 256;
    options.samples_per_edge = 16;
    options.total_steps = 10;
    options.average_decay = 0.9f;
    options.background_kind = nerf::TrainingBackground::kLearned;
    DAF_RETURN_IF_ERROR(nerf::SceneTrainer::Make(model.get(), options, &trainer));
    DAF_RETURN_IF_ERROR(nerf::ImageStore::Open("/tmp", &pixels));
    for (int i = 0; i < 2; ++i) {
      nerf::TrainingImage image;
      image.camera.width = image.camera.height = 8;
      image.camera.focal[0] = image.camera.focal[1] = 8;
      image.camera.center[0] = image.camera.center[1] = 4;
      image.camera.translation[2] = -4 - static_cast<float>(i);
      const std::vector<uint8_t> rgba(8 * 8 * 4, 255);
      DAF_RETURN_IF_ERROR(pixels->Add(8, 8, rgba.data(), nullptr, &image.pixels));
      DAF_RETURN_IF_ERROR(trainer->AddImage(image));
    }
    return trainer->Prepare(TaskControl());
  }
};

}  // namespace daf::fuzz
