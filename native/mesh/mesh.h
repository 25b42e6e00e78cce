// An indexed triangle mesh, as the functions of this folder pass it on.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "native/mesh/budget_hold.h"

namespace daf::mesh {

using Point = std::array<float, 3>;
using Triangle = std::array<uint32_t, 3>;

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();  // no such vertex, triangle, chart

struct Mesh {
  std::vector<Point> positions;
  // Counter-clockwise seen from outside.
  std::vector<Triangle> triangles;

  // Makes room, counted against the process's budget while the mesh lives. Errors: kMemory.
  Status Reserve(size_t vertices, size_t triangle_count) {
    DAF_RETURN_IF_ERROR(hold_.Resize(Bytes(vertices, triangle_count)));
    positions.reserve(vertices);
    triangles.reserve(triangle_count);
    return Status::Ok();
  }
  // Gives back the room that is no longer used.
  void Shrink() {
    positions.shrink_to_fit();
    triangles.shrink_to_fit();
    (void)hold_.Resize(std::min(hold_.bytes(), Bytes(positions.size(), triangles.size())));
  }
  static size_t Bytes(size_t vertices, size_t triangle_count) {
    return vertices * sizeof(Point) + triangle_count * sizeof(Triangle);
  }

 private:
  BudgetHold hold_;
};

}  // namespace daf::mesh
