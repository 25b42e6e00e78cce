// One identity from all photos of a person; per photo a camera and an expression.
#pragma once

#include <vector>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/camera.h"
#include "native/head/fit/pose.h"
#include "native/head/head_model.h"

namespace daf::head {

// How landmarks 0–16 were placed. kContour: where the jaw's outline is seen, which slides over the
// cheek as the head turns (what photo annotators draw). kFixed: fixed points of the jaw, hidden or
// not. kAuto: what fits better.
enum class Jaw { kAuto, kContour, kFixed };

struct FitView {
  const float* landmarks = nullptr;  // [68][2] pixels
  const float* weights = nullptr;  // [68] ≥ 0 confidence, or null for ones; 0 leaves a landmark out
  int width = 0, height = 0;
  PoseOptions pose;  // focal length and principal point
};

struct FitOptions {
  int identity_modes = -1;    // the first so many modes are fitted; −1: all
  int expression_modes = -1;  // −1: all, 0: neutral faces
  float noise = 0.02f;  // expected landmark error per axis, fraction of the outer-eye distance
  float expression_spread = 0.25f;  // expected size of an expression weight
  Jaw jaw = Jaw::kAuto;
  int iterations = 40;       // at most, of Levenberg–Marquardt
  bool displacement = true;  // follow up with the smooth displacement that the modes cannot express
};

struct FitViewResult {
  Camera camera;
  float yaw = 0, pitch = 0, roll = 0;
  std::vector<float> expression;  // [E] weights in [0,1]
  float mode_residual = 0;        // RMS landmark distance / eye_distance with the modes alone
  float residual = 0;             // the same with the displacement
  float eye_distance = 0;         // pixels an outer-eye distance would take facing the camera
  float trust = 1;  // 1: as consistent with the identity as the best photo; near 0: someone else?
};

struct HeadFit {
  std::vector<float> identity;           // [M] coefficients, zeros beyond identity_modes
  std::vector<float> identity_variance;  // [M] their posterior variance (prior 1)
  std::vector<float> displacement;       // [V][3] cm, to add to Shape(); zeros if not asked for
  std::vector<FitViewResult> views;
  Jaw jaw = Jaw::kFixed;       // the reading of landmarks 0–16 that was used
  float residual = 0;          // RMS over the views
  float displacement_rms = 0;  // cm, over the landmarks
};

// Errors: kBadArgument as EstimatePose with the number of the photo, no views, or a model without
// 68 distinct landmarks; kMemory; kCancelled.
Status FitHead(const HeadModel& model, const FitView* views, int view_count,
               const FitOptions& options, Arena& arena, const TaskControl& control, HeadFit* out);

// The head's outer-eye distance (landmarks 36 and 45 of the mean), cm.
float EyeDistance(const HeadModel& model);

// Pose alone, with the model's mean landmarks and the jaw left out: what a map task needs of one
// photo. weights may be null.
Status EstimateHeadPose(const HeadModel& model, const float* landmarks, const float* weights,
                        int width, int height, const PoseOptions& options, PoseResult* out);

}  // namespace daf::head
