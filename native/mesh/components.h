// Connected components of a mesh.
#pragma once

#include "native/base/control.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

// Keeps the component with the most triangles (the first of equals) and every other one with at
// least `share` (0…1) times as many; of 1 and more: that one alone. Vertices that are used keep
// their order. *count: how many components there were. Errors: kCancelled.
Status KeepComponents(double share, const TaskControl& control, Mesh* mesh, size_t* count);

}  // namespace daf::mesh
