// Which texels a triangle of the texture covers.
#pragma once

#include <algorithm>
#include <cmath>

#include "native/mesh/planar.h"

namespace daf::mesh {

// Calls visit(x, y, weights) for every texel whose centre lies in the triangle (corners in texels,
// either orientation) or within `slack` of the barycentric weights outside it; 0: strictly inside
// or on an edge.
template <typename Visit>
void EachTexel(const Triangle2& t, int size, float slack, Visit visit) {
  const float area =
      (t[1][0] - t[0][0]) * (t[2][1] - t[0][1]) - (t[1][1] - t[0][1]) * (t[2][0] - t[0][0]);
  if (area == 0) return;
  const auto [left, right] = std::minmax({t[0][0], t[1][0], t[2][0]});
  const auto [top, bottom] = std::minmax({t[0][1], t[1][1], t[2][1]});
  const auto from = [](float v) { return std::max(static_cast<int>(std::floor(v - 0.5f)), 0); };
  const auto to = [size](float v) {
    return std::min(static_cast<int>(std::ceil(v + 0.5f)), size - 1);
  };
  for (int y = from(top); y <= to(bottom); ++y) {
    for (int x = from(left); x <= to(right); ++x) {
      const float px = static_cast<float>(x) + 0.5f, py = static_cast<float>(y) + 0.5f;
      float w[3];
      bool in = true;
      for (size_t k = 0; k < 3; ++k) {
        const Point2 &a = t[(k + 1) % 3], &b = t[(k + 2) % 3];
        w[k] = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) / area;
        in = in && w[k] >= -slack;
      }
      if (in) visit(x, y, w);
    }
  }
}

}  // namespace daf::mesh
