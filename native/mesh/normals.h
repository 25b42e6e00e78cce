// Normals of a mesh's vertices.
#pragma once

#include <vector>

#include "native/mesh/mesh.h"

namespace daf::mesh {

// Area-weighted and of unit length; (0, 0, 1) where no triangle with an area touches a vertex.
std::vector<Point> VertexNormals(const Mesh& mesh);

}  // namespace daf::mesh
