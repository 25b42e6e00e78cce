// Ray marching of a model into a picture: density first, colour only where it can be seen.
#pragma once

#include "native/base/control.h"
#include "native/nerf/model.h"

namespace daf::nerf {

struct RenderOptions {
  float background[3] = {0, 0, 0};
  bool transparent = true;  // rgba keeps straight alpha instead of the background
  uint32_t samples = 256;   // along the box's longest edge
  float min_transmittance = 1e-3f;
  bool exhaustive = false;  // no skipping, no early end, every colour: for comparison
};

// All [height][width]…; null where not wanted.
struct RenderTargets {
  uint8_t* rgba = nullptr;  // [4]
  float* color = nullptr;   // [3], over the background
  float* depth = nullptr;   // along the viewing direction; infinity where opacity < 0.5
  float* opacity = nullptr;
};

class Renderer {
 public:
  // Evaluates in blocks of pixels; polls `control` and reports rows. *samples: field samples
  // evaluated. Errors: kBadArgument, kCancelled, kMemory. Gives the scratch memory back.
  void Release() { arena_.Release(); }
  Status Render(Model* model, const Camera& camera, const RenderOptions& options,
                const RenderTargets& targets, const TaskControl& control, uint64_t* samples);

 private:
  Arena arena_;
};

}  // namespace daf::nerf
