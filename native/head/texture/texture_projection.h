// The head's albedo from all photos of a person.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/camera.h"
#include "native/head/head_model.h"
#include "native/head/photo.h"

namespace daf::head {

struct TextureView {
  const float* positions =
      nullptr;    // [V][3] cm, as this photo shows the head (expression and displacement)
  Camera camera;  // of the photo's size
  PhotoPixels photo;
  const uint8_t* matte = nullptr;  // [height][width]; pixels below 128 are never used
  float weight = 1;                // how much this photo counts beside the others, > 0
};

struct TextureOptions {
  bool remove_light = true;
  bool mirror = true;  // fill what no photo saw from the other side
};

struct TextureReport {
  float observed_fraction = 0;  // of the skin's surface (model.mean), seen by a photo
  float mirrored_fraction = 0;  // filled from the other side
  // Per view and channel: ambient, x, y, z in head space, linear; photo = texture × (ambient +
  // xyz·normal).
  std::vector<std::array<float, 12>> lights;
};

// base[size][size][4]: sRGB albedo in the same atlas, for what nothing else fills and as the
// measure of light. texture[size][size][4]: sRGB, alpha as in base. observed[size][size]: 255 where
// photos decide, falling to 0 where they fade. Errors: kBadArgument (size not 64…4096, no views,
// sizes that differ, weight ≤ 0), kMemory, kCancelled.
Status ProjectTexture(const HeadModel& model, const TextureView* views, int view_count,
                      const uint8_t* base, int size, const TextureOptions& options, Arena& arena,
                      const TaskControl& control, uint8_t* texture, uint8_t* observed,
                      TextureReport* report);

}  // namespace daf::head
