// Puts outlines side by side into a square.
#pragma once

#include <vector>

#include "native/base/control.h"
#include "native/base/status.h"
#include "native/mesh/planar.h"

namespace daf::mesh {

// What one chart covers: for each column of texels the lowest row it needs and the first above it.
struct Outline {
  std::vector<int32_t> low, high;  // high ≤ low: nothing in this column
  int32_t height = 0;              // largest of `high`
};

// The outline of triangles (in texels, within x ≥ 0, y ≥ 0) with `gutter` more texels on every
// side. Column 0 is x = −gutter; row 0 is y = −gutter.
Outline OutlineOf(const std::vector<Triangle2>& triangles, int32_t gutter);

struct Place {
  int32_t x, y;  // of column 0 and row 0
};

// Places outlines one after the other, the tallest first, each as low as it fits on those before
// (the horizon of Lévy et al. 2002, "Least squares conformal maps", section 4); false where they do
// not fit into size × size texels. Deterministic. Errors: kCancelled.
Status PackOutlines(const std::vector<Outline>& outlines, int32_t size, const TaskControl& control,
                    bool* fits, std::vector<Place>* places);

}  // namespace daf::mesh
