// Total variation of a hash grid's tables: neighbouring vertices should hold similar features, so
// that what few pictures see is not made of noise.
#pragma once

#include <vector>

#include "native/nerf/field.h"

namespace daf::nerf {

// Σ over levels of the mean, over cells that some of the n points lie in, of the squared
// differences of all features between the cell's first vertex and its neighbours along x, y and z.
// Returns `weight` times that, and adds its derivatives by the table's entries to `gradients`.
double TableVariation(const kernels::Table& k, const std::vector<kernels::HashLevel>& levels,
                      const float* table, const PointArrays& points, uint32_t n, float weight,
                      float* gradients);

}  // namespace daf::nerf
