// Balls in a cubic lattice, by lower envelopes of parabolas, axis by axis.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/control.h"

namespace daf::nerf {

// values[cells³] (x fastest) → the least over all cells q of values[q] + |p − q|² for every cell p,
// lengths in cells; source (or null): which q that is. Cells of infinite value have no parabola.
// Felzenszwalb and Huttenlocher 2012, "Distance transforms of sampled functions": linear in the
// cells. Errors: kCancelled.
Status LeastParabola(uint32_t cells, const TaskControl& control, float* values, uint32_t* source);

}  // namespace daf::nerf
