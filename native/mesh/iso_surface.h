// The surface value == iso of a function on a grid, every grid point asked: the reference for
// band_surface.h, which asks few.
#pragma once

#include "native/base/control.h"
#include "native/mesh/iso_grid.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

// Grid points on the faces of the box count as outside and are not asked, so the mesh closes
// there. Memory: two slices of (resolution + 1)² samples beside the mesh. Errors: kBadArgument for
// an empty box or a resolution out of range, kBadData for a value that is not finite, kMemory,
// kCancelled, and whatever the sampler returns.
Status ExtractIsoSurface(const IsoGrid& grid, const Sampler& sampler, const TaskControl& control,
                         Mesh* out);

}  // namespace daf::mesh
