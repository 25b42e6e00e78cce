// Evens out a mesh without shrinking it.
#pragma once

#include "native/base/control.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

// Taubin 1995, "A signal processing approach to fair surface design": each iteration moves every
// vertex towards the mean of its neighbours and back by a little more (λ 0.5, μ −0.53). Needs a
// closed surface. Errors: kCancelled.
Status Smooth(int iterations, const TaskControl& control, Mesh* mesh);

}  // namespace daf::mesh
