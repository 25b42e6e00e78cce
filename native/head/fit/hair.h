// How far the hair stands off the head: the modelled shell brought to the outlines that the photos'
// mattes show.
#pragma once

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/camera.h"
#include "native/head/head_model.h"

namespace daf::head {

struct HairView {
  Camera camera;
  const uint8_t* matte = nullptr;  // [height][width] of the camera: 255 is head and hair
  float weight = 1;                // how much this photo counts beside the others, > 0
  float bare = 1;  // 0: there is hair, so its shell hardly sinks; 1: the scalp is bare, so it may
};

// Every vertex of the parts named "hair…" moves along its own outward direction: those on a photo's
// outline to where the matte ends, the others smoothly between them, on both sides alike where only
// one was seen, and where nothing was seen they stay. The shell's rim stays on the scalp and no
// vertex sinks into the skin. positions[V][3] cm, displacement[V][3] cm (zero but for hair).
// Deterministic. Errors: kBadArgument (positions or cameras that are not finite, weights not in
// (0, 10⁶], `bare` not in [0, 1]), kMemory, kCancelled.
Status FitHair(const HeadModel& model, const float* positions, const HairView* views,
               int view_count, Arena& arena, const TaskControl& control, float* displacement);

}  // namespace daf::head
