// Marching tetrahedra (Doi and Koide 1991) on the Freudenthal subdivision of a regular grid: six
// tetrahedra a cell, the same diagonal everywhere, so that the surface is closed and manifold
// whatever the values are.
#pragma once

#include <cstddef>
#include <functional>

#include "native/base/control.h"
#include "native/base/status.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

struct IsoGrid {
  float low[3];  // corner of the box, in the units of the field
  float high[3];
  int resolution;  // cells along each axis, 1…1024
  float iso;       // inside is value > iso
};

// Fills values[0..count) for points[0..count)[3].
using Sampler = std::function<Status(const float* points, size_t count, float* values)>;

// The surface value == iso. Grid points on the faces of the box count as outside, so the mesh
// closes there. Memory: two slices of (resolution + 1)² samples beside the mesh. Errors:
// kBadArgument for an empty box or a resolution out of range, kBadData for a value that is not
// finite, kCancelled, and whatever the sampler returns.
Status ExtractIsoSurface(const IsoGrid& grid, const Sampler& sampler, const TaskControl& control,
                         Mesh* out);

}  // namespace daf::mesh
