// Which positions of a head lie beside each other, for smoothing over its surface.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/head_model.h"
#include "native/head/raster/four.h"

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

// Solves (data + screen + 1)·value = data·own + screen·rest + mean of the neighbours' values for
// all positions, by rounds of Gauss–Seidel that alternate in direction, so that values travel as
// far both ways. pull: data·own + screen·rest. Positions without neighbours keep their value.
inline Status Spread(const Neighbours& neighbours, const std::vector<FourFloats>& pull,
                     const std::vector<float>& data, float screen, int rounds,
                     const TaskControl& control, std::vector<FourFloats>* values) {
  const size_t count = data.size();
  std::vector<FourFloats> pulled(count);
  std::vector<float> share(count);  // of each neighbour's value
  for (size_t v = 0; v < count; ++v) {
    const uint32_t beside = neighbours.first[v + 1] - neighbours.first[v];
    const float total = data[v] + screen + 1;
    pulled[v] = pull[v] / total;
    if (beside > 0) share[v] = 1 / (total * static_cast<float>(beside));
  }
  FourFloats* const value = values->data();
  const uint32_t* const list = neighbours.list.data();
  for (int round = 0; round < rounds; ++round) {
    DAF_RETURN_IF_ERROR(control.Check());
    for (size_t step = 0; step < count; ++step) {
      const size_t v = round % 2 == 0 ? step : count - 1 - step;
      const uint32_t first = neighbours.first[v], last = neighbours.first[v + 1];
      if (first == last) continue;
      FourFloats sum = {0, 0, 0, 0};
      for (uint32_t n = first; n < last; ++n) sum += value[list[n]];
      value[v] = pulled[v] + share[v] * sum;
    }
  }
  return Status::Ok();
}

}  // namespace daf::head
