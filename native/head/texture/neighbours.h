// Which positions of a head lie beside each other, for smoothing over its surface.
#pragma once

#include <cstdint>
#include <vector>

#include "native/head/head_model.h"

namespace daf::head {

struct Neighbours {
  std::vector<uint32_t> first, list;  // list[first[v] … first[v+1]) are v's neighbours
};

// Every edge of a closed surface shows once per direction, so one neighbour per triangle corner is
// all of them.
inline Neighbours FindNeighbours(const HeadModel& model) {
  Neighbours out;
  out.first.assign(model.position_count + 1, 0);
  const auto position = [&](size_t i) { return model.source[model.triangles[i]]; };
  for (size_t i = 0; i < model.triangles.size(); ++i) ++out.first[position(i) + 1];
  for (uint32_t v = 0; v < model.position_count; ++v) out.first[v + 1] += out.first[v];
  out.list.resize(model.triangles.size());
  std::vector<uint32_t> at(out.first.begin(), out.first.end() - 1);
  for (size_t i = 0; i < model.triangles.size(); ++i) {
    out.list[at[position(i)]++] = position(i / 3 * 3 + (i + 1) % 3);
  }
  return out;
}

}  // namespace daf::head
