// A texture from a field: the colour of the surface under every texel.
#pragma once

#include <functional>

#include "native/base/control.h"
#include "native/mesh/atlas.h"
#include "native/mesh/iso_grid.h"

namespace daf::mesh {

// Fills colors[views][count][3] in [0, 1] at points[count][3] seen along directions
// [views][count][3] (unit).
using ColorSampler = std::function<Status(const float* points, size_t count,
                                          const float* directions, size_t views, float* colors)>;

struct BakeSource {
  Sampler values;
  ColorSampler colors;
  float iso;
  float reach;  // how far from a texel's point, along its normal, the level is looked for
  // Whether the colour of the surface at a point with this normal is known; empty: everywhere.
  std::function<bool(const Point& point, const Point& normal)> shown;
};

// rgb[size][size][3]. Each texel's point is the mesh's, moved along the interpolated normal onto
// the level; its colour is the mean over views from outside (straight on and from a ring 40° off,
// by the cosine), so that highlights even out. What is not shown takes the colours that surround it
// on the surface. Texels that no chart covers take the mean of those beside them, ring by ring, so
// that filtering at any size finds no other colour. Queries: at most four a texel, for all views.
// Errors: kBadData, kMemory, kCancelled, those of the samplers.
Status BakeTexture(const Mesh& mesh, const std::vector<Point>& normals, const Atlas& atlas,
                   uint32_t size, const BakeSource& source, const TaskControl& control,
                   uint8_t* rgb);

}  // namespace daf::mesh
