// Cuts a surface into charts that lie flat.
#pragma once

#include <vector>

#include "native/base/control.h"
#include "native/mesh/mesh.h"
#include "native/mesh/planar.h"

namespace daf::mesh {

// A piece of the surface and the plane onto which it is projected.
struct Chart {
  Point right, up, axis;            // orthonormal; the axis points out of the surface
  std::vector<uint32_t> triangles;  // of the mesh

  Point2 Project(const Point& p) const;
};

// Least cosine between a triangle's normal and its chart's axis: of nearly all, and of pockets that
// would be charts of a few triangles. Its inverse is the most that lengths shrink in the chart.
constexpr float kChartCosine = 0.5f, kPocketCosine = 0.25f;

// Every triangle in one chart, each chart connected and its projection free of overlaps and
// turned-over triangles. Grown from the flattest places outwards: first tentatively to find the
// axis, then for good. Deterministic. Errors: kMemory, kCancelled.
Status GrowCharts(const Mesh& mesh, const TaskControl& control, std::vector<Chart>* out);

}  // namespace daf::mesh
