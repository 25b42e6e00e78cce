// Pictures to train face finders on: nobody exists, everything is known, and more varies than seems
// sensible.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "native/base/control.h"
#include "native/head/head_model.h"
#include "native/head/model/builtin.h"
#include "native/head/synth/landmarks.h"

namespace daf::head {

enum class FacesForm {
  kCrops,   // one face in the middle; the box around its points is about 0.45 of the side
  kScenes,  // none to four faces of any size, with heads seen from behind and other distractors
  kPlain,   // as crops, but nothing in front, mild light, and no loss of resolution: to measure on
};

struct FacesOptions {
  uint64_t seed = 1;
  uint32_t first = 0, count = 1;  // pictures first … first + count − 1 of this seed
  FacesForm form = FacesForm::kCrops;
  int side = 144;  // pixels, 64…1024
};

constexpr int kMostFaces = 4;

struct FaceTruth {
  std::array<float, 2 * kLandmarks> landmarks{};  // pixels; jaw points that hide lie on the contour
  std::array<bool, kLandmarks> seen{};            // no part of the head itself hides it
  float box[4] = {0, 0, 0, 0};         // left, top, right, bottom: ear to ear, hairline to chin
  float yaw = 0, pitch = 0, roll = 0;  // radians
  std::array<float, 2 * kJawPoints> jaw{};  // the jaw's own points, hidden or not, pixels
};

// rgb: [count][side][side][3] sRGB; truth: a list a picture. Any head model whose parts carry the
// embedded head's names; `marks` go with the embedded one and are null for others. A picture
// depends on its own number alone. Errors: kBadArgument, kMemory, kCancelled.
Status SynthesizeFaces(const HeadModel& model, const HeadMarks* marks, const FacesOptions& options,
                       const TaskControl& control, uint8_t* rgb,
                       std::vector<std::vector<FaceTruth>>* truth);

}  // namespace daf::head
