// Fewer triangles for the same closed surface.
#pragma once

#include "native/base/control.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

// Collapses the edges that cost the least quadric error until at most `budget` triangles are left
// or no edge may go. Every collapse keeps the surface closed and 2-manifold (the link condition of
// Dey et al. 1999), and turns no triangle far from where it faced before; nor by a right angle in
// all, as long as the budget can be reached without that. Works in passes: each sorts the cheapest
// edges and collapses those that do not touch one another, so that it needs no heap and can be
// stopped at any time. Deterministic. Needs a closed 2-manifold; vertices keep their order. Memory:
// EdgeCollapser::kTriangleBytes a triangle, the mesh included; where that is more than SurfaceRoom
// (parts.h), part after part of the mesh. Errors: kMemory, saying how large the surface is;
// kCancelled.
Status Simplify(size_t budget, const TaskControl& control, Mesh* mesh);

}  // namespace daf::mesh
