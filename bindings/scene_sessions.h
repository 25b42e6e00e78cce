// Training sessions of this process: made by one thread's environment, run by several.
#pragma once

#include <atomic>
#include <memory>

#include "native/nerf/image_store.h"
#include "native/nerf/training/scene_trainer.h"

namespace daf::node {

struct SceneSession {
  std::shared_ptr<nerf::Model> model;
  std::unique_ptr<nerf::ImageStore> pixels;
  std::unique_ptr<nerf::SceneTrainer> trainer;
};

// Keeps the session until it is ended; ids are never reused. Thread-safe, as the others.
uint32_t BeginSession(std::shared_ptr<SceneSession> session);
// Null for an id that was not begun, or was ended. A thread that still runs the session keeps it.
std::shared_ptr<SceneSession> FindSession(uint32_t id);
void EndSession(uint32_t id);

}  // namespace daf::node
