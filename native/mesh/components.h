// Connected components of a mesh.
#pragma once

#include "native/mesh/mesh.h"

namespace daf::mesh {

// Keeps the component with the most triangles (the first of equals) and the vertices it uses, in
// their order.
void KeepLargestComponent(Mesh* mesh);

}  // namespace daf::mesh
