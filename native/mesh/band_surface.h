// The surface of iso_surface.h with the same vertices and triangles in the same order, from queries
// near the surface alone; whole or, where that does not fit, simplified as it comes.
#pragma once

#include "native/base/control.h"
#include "native/mesh/iso_grid.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

struct BandOptions {
  // Blocks of 4³, then 2³ cells are looked into where their corners lie on both sides of the level,
  // or where an extreme between them may: the function carried on from outside with its slope,
  // times this. Every piece of the surface that separates two corners is found whole whatever the
  // guard is: it is for pieces that lie apart and are smaller than 4 cells. 0 trusts the corners.
  float guard = 1;
  // As of KeepComponents, and with its result.
  double keep_share = 0;
  // Where the surface does not fit SurfaceRoom (parts.h) together with its simplification: to how
  // many triangles it may be simplified at once. 0: it must come whole.
  size_t faces = 0;
};

struct BandReport {
  uint64_t queries = 0;    // points asked of the sampler
  uint64_t cells = 0;      // that the surface passes through
  size_t pieces = 0;       // that were found
  uint64_t triangles = 0;  // of those that are kept, before any is taken away
};

// Memory: 4 bytes a point asked for (in blocks of 4³ near the surface), resolution³ / 4 bytes, two
// slices of vertex numbers, a layer of cells, and the mesh, whose size is known before it is made.
// Errors: as ExtractIsoSurface; kMemory says how large the surface is.
Status ExtractBandSurface(const IsoGrid& grid, const Sampler& sampler, const BandOptions& options,
                          const TaskControl& control, Mesh* out, BandReport* report);

}  // namespace daf::mesh
