// Which pixels of a photo show the head: the fitted silhouette, moved to where the photo's colours
// change.
#pragma once

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/camera.h"
#include "native/head/head_model.h"
#include "native/head/photo.h"

namespace daf::head {

struct MatteOptions {
  // Refine by colour in a band around the silhouette. Needs a photo.
  bool refine = true;
};

// positions[V][3] cm as the photo shows the head; photo may be null (the softened silhouette then)
// and otherwise has the camera's size. matte[height][width]: share of head, hair and neck, 0–255.
// Errors: kBadArgument when the sizes differ or the head covers no pixel; kMemory; kCancelled.
Status HeadMatte(const HeadModel& model, const float* positions, const Camera& camera,
                 const PhotoPixels* photo, const MatteOptions& options, Arena& arena,
                 const TaskControl& control, uint8_t* matte);

}  // namespace daf::head
