// The smooth displacement that brings the head's landmarks onto those seen, where the modes could
// not.
#pragma once

#include <vector>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/head_model.h"

namespace daf::head {

// One landmark of one photo: the vertex should move so that by_point · d = error.
struct Pull {
  uint32_t vertex = 0;
  double by_point[6] = {0};  // pixels per cm, [2][3]
  double error[2] = {0};     // pixels
  double metric[3] = {
      0};  // inverse covariance of the error: xx, xy, yy (pixels⁻²); robust weight included
};

// The most likely displacement under a smooth, left-right symmetric random field (a Gaussian
// process with a broad and a narrow kernel), so what no photo saw follows its mirror image or
// stays. Eyeballs, teeth and tongue are moved, not bent. Shrunk until no triangle of `shape` [V][3]
// turns over. displacement[V][3], cm. Errors: kMemory, kCancelled.
Status Displace(const HeadModel& model, const float* shape, const std::vector<Pull>& pulls,
                Arena& arena, const TaskControl& control, float* displacement);

}  // namespace daf::head
