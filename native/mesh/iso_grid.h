// A regular grid over a box and the function whose level surface is sought on it.
#pragma once

#include <cstddef>
#include <functional>

#include "native/base/status.h"

namespace daf::mesh {

struct IsoGrid {
  float low[3];  // corner of the box, in the units of the field
  float high[3];
  int resolution;  // cells along each axis, 1…1024
  float iso;       // inside is value > iso

  size_t side() const { return static_cast<size_t>(resolution) + 1; }  // grid points along an axis
  float Coordinate(int axis, size_t i) const {
    const float t = static_cast<float>(i) / static_cast<float>(resolution);
    return low[axis] + (high[axis] - low[axis]) * t;
  }
  float CellEdge(int axis) const {
    return (high[axis] - low[axis]) / static_cast<float>(resolution);
  }
  bool OnFace(size_t x, size_t y, size_t z) const {
    const size_t last = static_cast<size_t>(resolution);
    return x == 0 || y == 0 || z == 0 || x == last || y == last || z == last;
  }
  // The value of every point on the faces of the box, so that the surface closes there.
  float Outside() const;
  // kBadArgument for an empty box or a resolution out of range.
  Status Check() const;
};

// Fills values[0..count) for points[0..count)[3].
using Sampler = std::function<Status(const float* points, size_t count, float* values)>;

// kBadData for the first value that is not finite.
Status CheckFinite(const float* values, size_t count);

}  // namespace daf::mesh
