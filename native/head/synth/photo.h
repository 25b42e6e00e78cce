// Photographs of people who do not exist, with everything about them known.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "native/base/control.h"
#include "native/head/camera.h"
#include "native/head/head_model.h"
#include "native/head/model/builtin.h"

namespace daf::head {

// NaN means: drawn from the seed.
struct PhotoOptions {
  uint64_t seed = 1;
  uint32_t person = 0;            // who
  uint32_t photo = 0;             // which of their photos: light, camera, background, expression
  int width = 512, height = 512;  // 64…2048
  float yaw = std::nanf(""), pitch = std::nanf(""), roll = std::nanf("");  // radians
  float focal_mm = std::nanf("");    // of a 36 mm wide sensor; 24…135 when drawn
  float expression = std::nanf("");  // 0 none … 1 lively
  bool marks = false;                // the mole and the letter of Looks::marks
  int texture = 1024;                // texels a side of the albedo painted for it
};

struct Photo {
  Camera camera;
  float yaw = 0, pitch = 0, roll = 0, focal_mm = 50;
  std::vector<float> identity, expression;
  std::array<float, 2 * kLandmarks>
      landmarks{};  // pixels; jaw points that hide lie on the visible contour
};

// rgb: [height][width][3] sRGB; mask: [height][width] opacity of head, hair and neck, 0…255. The
// same options give the same bytes. Errors: kBadArgument, kMemory, kCancelled.
Status SynthesizePhoto(const HeadModel& model, const HeadMarks& marks, const PhotoOptions& options,
                       const TaskControl& control, Photo* photo, uint8_t* rgb, uint8_t* mask);

}  // namespace daf::head
