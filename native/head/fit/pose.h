// Perspective-n-point: where the camera stood, from 68 landmarks of a known head.
#pragma once

#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/camera.h"

namespace daf::head {

struct PoseOptions {
  // Expected focal length in pixels; 0 means 1.5 × the longer side (a 54 mm lens on a 36 mm frame).
  float focal = 0;
  // How far the truth may lie from it: standard deviation of the focal length's logarithm. 0 takes
  // it as known.
  float focal_spread = 0.35f;
  // Principal point, pixels; NaN means the image's middle. A crop gives where the whole photo's
  // middle lies.
  float center[2] = {__builtin_nanf(""), __builtin_nanf("")};
  // Expected landmark error, as a fraction of the outer-eye distance.
  float noise = 0.03f;
};

struct PoseResult {
  Camera camera;
  float yaw = 0, pitch = 0, roll = 0;  // radians, as in camera.h
  float residual = 0;                  // weighted RMS distance of the landmarks used / eye_distance
  float eye_distance = 0;              // pixels an outer-eye distance would take facing the camera
  float inliers = 0;                   // share of the weight that the robust fit kept, 0–1
};

// points[count][3] head space, cm; pixels[count][2]; weights[count] ≥ 0 or null for ones (0 leaves
// a point out); eye_distance_cm: the head's outer-eye distance, the unit of noise and residual.
// Errors: kBadArgument for fewer than 6 weighted points, non-finite numbers, or points or pixels
// that (nearly) coincide or lie on a line.
Status EstimatePose(const float* points, const float* pixels, const float* weights, int count,
                    float eye_distance_cm, int width, int height, const PoseOptions& options,
                    PoseResult* out);

}  // namespace daf::head
