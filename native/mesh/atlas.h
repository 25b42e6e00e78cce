// Texture coordinates for a mesh: charts, packed into a square.
#pragma once

#include <vector>

#include "native/base/control.h"
#include "native/mesh/mesh.h"
#include "native/mesh/planar.h"

namespace daf::mesh {

struct AtlasOptions {
  uint32_t size = 1024;  // texels along a side, 64…8192
  uint32_t gutter = 2;   // texels that a chart keeps free on every side, 1…16
};

// The mesh's triangles, in order, over vertices that are split where charts meet.
struct Atlas {
  std::vector<uint32_t> source;  // atlas vertex → mesh vertex
  std::vector<Point2> uvs;       // in [0, 1], (0, 0) the top left of the texture
  std::vector<Triangle> triangles;
  uint32_t charts = 0;
  float texel = 0;    // of the mesh's length, what a texel covers
  float stretch = 1;  // most that a length on the surface is shortened in the texture against that
};

// Charts are planar projections (charts.h), so lengths are at most 1 / kChartCosine times
// (in small pockets 1 / kPocketCosine) as long on the surface as in the texture; all have the same
// scale, the largest at which they fit. Deterministic. Errors: kBadArgument for options out of
// range, kBadData where there are more charts than the texture can hold, kMemory, kCancelled.
Status BuildAtlas(const Mesh& mesh, const AtlasOptions& options, const TaskControl& control,
                  Atlas* out);

}  // namespace daf::mesh
