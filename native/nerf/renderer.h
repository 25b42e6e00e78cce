// Ray marching of a model into a picture: density first, colour only where it can be seen.
#pragma once

#include <cmath>

#include "native/base/control.h"
#include "native/nerf/importance.h"
#include "native/nerf/model.h"

namespace daf::nerf {

struct RenderOptions {
  float background[3] = {0, 0, 0};
  bool learned_background = false;  // instead of it, for models that have one
  bool transparent = true;          // rgba keeps straight alpha instead of the background
  uint32_t samples = 0;  // of the marching lattice along the box's longest edge, 8–4096; 0: what
                         // suits the model
  uint32_t samples_per_ray = 0;  // that many equal strata of each ray instead of the lattice
  // Two looks along each ray: the coarse network at so many strata, the field there and at so many
  // more samples where it found something. No coarse ones: one look. Only fields that have it.
  ImportanceCounts importance{0, 0};
  bool stratified = false;         // strata are sampled at a random point, not in the middle
  uint32_t seed = 1;               // of those points
  float near = 0, far = INFINITY;  // depths along the viewing direction, within the box
  float min_transmittance = 1e-3f;
  PassKind pass = PassKind::kInference;  // one for inference
  bool exhaustive = false;               // no skipping, no early end, every colour: for comparison
};

// A rectangle of the camera's pixels.
struct Window {
  uint32_t x = 0, y = 0, width = 0, height = 0;
};

// All [height][width]… of the window; null where not wanted.
struct RenderTargets {
  uint8_t* rgba = nullptr;   // [4]
  float* color = nullptr;    // [3], over the background
  float* depth = nullptr;    // mean along the viewing direction; infinity where opacity < 0.5
  float* opacity = nullptr;  // the weights' sum, 0–1
  // [3], field space, unit: −∇density summed by weight, normalised; zero where opacity < 0.5. Costs
  // four more densities for every sample that is seen.
  float* normal = nullptr;
};

struct RenderStats {
  uint64_t rays = 0;         // that may meet something
  uint64_t samples = 0;      // densities evaluated
  uint64_t colors = 0;       // colours evaluated
  double seconds = 0;        // of this thread's computing
  double field_seconds = 0;  // of them, spent in the field
  double march_seconds = 0;  // spent in finding the samples; the rest is compositing and writing
};

// One thread's way of rendering; several may render windows of one model at once. A pixel's values
// do not depend on the window it was rendered in.
class Renderer {
 public:
  // Polls `control` between passes of the field and reports rows. Errors: kBadArgument, kCancelled,
  // kMemory.
  Status Render(Model* model, const Camera& camera, const Window& window,
                const RenderOptions& options, const RenderTargets& targets,
                const TaskControl& control, RenderStats* stats);
  // Gives the scratch memory back.
  void Release() { arena_.Release(); }

 private:
  Arena arena_;
};

}  // namespace daf::nerf
