// Where a line through a point near a surface meets it.
#pragma once

#include <vector>

#include "native/mesh/iso_grid.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

// For every point: how far along its unit direction (which leads outwards, where values fall) the
// value is the level; 0 where it is not within `reach` either way. Queries: one at the point, out
// to half and all of the reach, then `steps` of the Illinois rule (Dowell and Jarratt 1971); the
// last step is a straight line and costs none. Errors: kBadData, the sampler's.
Status FindLevel(const Sampler& sampler, float iso, float reach, int steps,
                 const std::vector<Point>& points, const std::vector<Point>& directions,
                 std::vector<float>* offsets);

}  // namespace daf::mesh
