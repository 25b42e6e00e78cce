// Where a drawn head's landmarks lie in the picture.
#pragma once

#include <array>
#include <vector>

#include "native/head/camera.h"
#include "native/head/head_model.h"

namespace daf::head {

constexpr size_t kJawPoints = 17;

// out: [68][2] pixels of the camera. Jaw points keep their vertex while it faces the camera; turned
// away, they lie where their line meets the contour. depth: [height][width] of the head alone,
// +infinity elsewhere. seen: null, or which vertices the head itself does not hide. jaw: null, or
// [17][2] where the jaw's own vertices project to, hidden or not.
void PlaceLandmarks(const HeadModel& model, const std::vector<float>& positions,
                    const Camera& camera, const float* depth,
                    std::array<float, 2 * kLandmarks>* out, std::array<bool, kLandmarks>* seen,
                    std::array<float, 2 * kJawPoints>* jaw = nullptr);

}  // namespace daf::head
