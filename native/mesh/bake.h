// A texture from a field: the colour of the surface under every texel.
#pragma once

#include <functional>

#include "native/base/control.h"
#include "native/mesh/atlas.h"
#include "native/mesh/iso_grid.h"

namespace daf::mesh {

// Fills colors[count][3] in [0, 1] at points[count][3] seen along directions[count][3] (unit).
using ColorSampler = std::function<Status(const float* points, const float* directions,
                                          size_t count, float* colors)>;

struct BakeSource {
  Sampler values;
  ColorSampler colors;
  float iso;
  float reach;  // how far from a texel's point, along its normal, the level is looked for
};

// rgb[size][size][3]. Each texel's point is the mesh's, moved along the interpolated normal onto
// the level; its colour is the mean over views from outside (straight on and from a ring 40° off,
// by the cosine), so that highlights even out. Texels that no chart covers take the mean of those
// beside them, ring by ring, so that filtering at any size finds no other colour. Queries: ten a
// texel. Errors: kBadData, kMemory, kCancelled, those of the samplers.
Status BakeTexture(const Mesh& mesh, const std::vector<Point>& normals, const Atlas& atlas,
                   uint32_t size, const BakeSource& source, const TaskControl& control,
                   uint8_t* rgb);

}  // namespace daf::mesh
