// Takes out of a surface the dents and folds that simplification leaves where it was rough.
#pragma once

#include <vector>

#include "native/base/control.h"
#include "native/mesh/iso_grid.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

// A triangle leans whose normal makes an angle with its surroundings that has a lower cosine: more
// than at a cube's corner (0.58).
constexpr float kLeastUpright = 0.5f;

// Where the surface faces around each triangle, whatever the triangle itself does: unit vectors of
// the area normals around its corners and around their neighbours; zero where they cancel.
// Errors: kCancelled.
Status Surroundings(const Mesh& mesh, const TaskControl& control, std::vector<Point>* out);

// Moves the corners of triangles that lean, and turn away from where the function falls over
// ± step as well, towards the middle of their neighbours, until there are none or it helps no more.
// What leans and follows the function, as a thin spike does, stays, and so does what lies where the
// function is as large on either side; and two to four triangles of every tunnel that is narrower
// than they are: no surface with a handle faces outward everywhere. Needs a closed surface. Six
// queries a round for each triangle that leans. Errors: kBadData, kCancelled, the sampler's.
Status Unfold(const Sampler& sampler, float step, const TaskControl& control, Mesh* mesh);

}  // namespace daf::mesh
