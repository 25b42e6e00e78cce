// An indexed triangle mesh, as the functions of this folder pass it on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace daf::mesh {

struct Mesh {
  std::vector<std::array<float, 3>> positions;
  // Counter-clockwise seen from outside.
  std::vector<std::array<uint32_t, 3>> triangles;
};

}  // namespace daf::mesh
