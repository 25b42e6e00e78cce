// Connected components of a mesh.
#pragma once

#include "native/mesh/mesh.h"

namespace daf::mesh {

// Keeps the component with the most triangles (the first of equals) and every other one with at
// least `share` (0…1) times as many; of 1 and more: that one alone. Vertices that are used keep
// their order. Returns how many components there were.
size_t KeepComponents(double share, Mesh* mesh);

}  // namespace daf::mesh
