// Renders the scene of a synthetic photo: skin with a soft terminator, wet eyes, combed hair,
// cloth.
#pragma once

#include <cstdint>
#include <vector>

#include "native/head/head_model.h"
#include "native/head/raster/texture.h"
#include "native/head/synth/background.h"
#include "native/head/synth/light.h"
#include "native/head/synth/person.h"

namespace daf::head {

struct PhotoScene {
  const HeadModel* model = nullptr;
  const Looks* looks = nullptr;
  Camera camera;
  const std::vector<float>* positions = nullptr;  // of the shaped head
  const MipTexture* albedo = nullptr;
  const Background* background = nullptr;
  LightRig rig;
  Colour cloth;
  float exposure = 1;
  float balance[3] = {1, 1, 1};
  float noise = 0;  // standard deviation of the sensor's noise, 0…255
  uint32_t grain = 0;
};

// depth: [height][width] of the head without garment and hair, +infinity elsewhere.
Status ShadePhoto(const PhotoScene& scene, const TaskControl& control, uint8_t* rgb, uint8_t* mask,
                  float* depth);

}  // namespace daf::head
