// Draws one person into a canvas: light by vertex, colour by sample.
#pragma once

#include <array>
#include <vector>

#include "native/head/camera.h"
#include "native/head/synth/faces/canvas.h"
#include "native/head/synth/faces/figure.h"
#include "native/head/synth/landmarks.h"
#include "native/head/synth/light.h"

namespace daf::head {

// One person as they sit for one photo.
struct Sitter {
  const Figure* figure = nullptr;
  const Skin* skin = nullptr;
  std::vector<float> positions;  // [V + G][3]; see ShapeSitter
  Camera camera;                 // of the canvas' samples
  Colour cloth, skin_tint = {1, 1, 1}, hair_tint = {1, 1, 1};
  float gloss = 1;
  uint8_t number = 1;  // for Canvas::owner
  uint32_t grain = 0;
};

// Draws shape and expression, far more widely than people vary, and what they wear.
void ShapeSitter(Rng& rng, const Figure& figure, const Skin& skin, Sitter* out);

// A rig with light from anywhere and of any colour, stronger and weaker than portraits have it.
LightRig DrawWideRig(Rng& rng);

// In front of what the canvas holds. seen: which landmarks no part of the person hides.
// landmarks: samples; jaw points that hide lie on the visible contour. jaw: its own points.
Status DrawSitter(const Sitter& sitter, const LightRig& rig, const TaskControl& control,
                  Canvas* canvas, std::array<float, 2 * kLandmarks>* landmarks,
                  std::array<bool, kLandmarks>* seen, std::array<float, 2 * kJawPoints>* jaw);

}  // namespace daf::head
