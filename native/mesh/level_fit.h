// Puts a mesh's vertices onto the level that it approximates, and takes its normals from there.
#pragma once

#include "native/base/control.h"
#include "native/mesh/iso_grid.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

// Takes dents out of the surface (unfold.h), then moves every vertex along its normal onto the
// level, where that lies within `reach`; vertices of triangles that would turn by more than 45°, or
// lean more than before, go half of the way, a quarter, …, or stay. At most five queries a vertex,
// besides those of Unfold. Errors: kBadData, kCancelled, the sampler's.
Status FitToLevel(const Sampler& sampler, float iso, float reach, const TaskControl& control,
                  Mesh* mesh);

// Unit normals against the gradient, by central differences over ± step: six queries a vertex.
// Where the gradient vanishes or leans more than 60° away from the triangles around, theirs.
// Errors: as above.
Status GradientNormals(const Sampler& sampler, float step, const TaskControl& control,
                       const Mesh& mesh, std::vector<Point>* normals);

}  // namespace daf::mesh
