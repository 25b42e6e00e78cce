// What lies at each texel of a head's UV atlas: a triangle and a place on it.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/head_model.h"
#include "native/head/raster/rasteriser.h"

namespace daf::head {

struct Atlas {
  int size = 0;
  uint32_t* triangle = nullptr;  // [size][size], kNoTriangle between the charts
  float* second =
      nullptr;  // weights of the triangle's second and third corner at the texel's centre
  float* third = nullptr;

  size_t texels() const { return static_cast<size_t>(size) * size; }
  // Weights of the three corners.
  void Weights(size_t texel, float out[3]) const {
    out[1] = second[texel];
    out[2] = third[texel];
    out[0] = 1 - out[1] - out[2];
  }
};

// Rasterises the UV triangles; where charts overlap the first triangle keeps the texel. Errors:
// kMemory, kCancelled.
Status BuildAtlas(const HeadModel& model, int size, Arena& arena, const TaskControl& control,
                  Atlas* out);

// For every triangle the one on the other side and the order of its corners: corner k of t lies
// across from corner order[k] of other. kNoTriangle where the topology has no mirror image.
struct MirrorTriangle {
  uint32_t other = kNoTriangle;
  uint8_t order[3] = {0, 1, 2};
};
std::vector<MirrorTriangle> FindMirrorTriangles(const HeadModel& model);

// Index of the part a triangle belongs to; parts.size() for none.
std::vector<uint16_t> PartOfTriangle(const HeadModel& model);

// Grows the charts by `rings` texels, so that filtering at their borders never meets a foreign
// colour. texture[size][size][4]; texels whose triangle is kNoTriangle are written.
Status DilateCharts(const Atlas& atlas, int rings, Arena& arena, const TaskControl& control,
                    uint8_t* texture);

}  // namespace daf::head
