// Marching tetrahedra (Doi and Koide 1991) on the Freudenthal subdivision of a cell: six
// tetrahedra, the same diagonal everywhere, so that the surface is closed and manifold whatever the
// values are.
#pragma once

#include <vector>

#include "native/mesh/iso_grid.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

// Corner c of a cell is the grid point offset by the bits x, y, z of c; bit c of a corner mask is
// set when that corner is inside.
inline uint32_t InsideMask(const float (&corner)[8], float iso) {
  uint32_t mask = 0;
  for (uint32_t c = 0; c < 8; ++c) mask |= static_cast<uint32_t>(corner[c] > iso) << c;
  return mask;
}
inline bool Crosses(uint32_t inside_mask) { return inside_mask != 0 && inside_mask != 0xFF; }

// Turns cells into triangles, in ascending order of z; a vertex lies on an edge between two grid
// points and is shared by all cells around it.
class TetrahedraMesher {
 public:
  TetrahedraMesher(const IsoGrid& grid, Mesh* out);
  static size_t Bytes(const IsoGrid& grid);  // of its tables
  // To be called before the cells of the next layer.
  void NextLayer();
  void Cell(size_t x, size_t y, size_t z, const float (&corner)[8]);
  // After a layer, for a mesh that holds that layer alone: empties it of all but the vertices which
  // the next one will use. They come first then, in their order; *kept: what they were before.
  void KeepFrontier(std::vector<uint32_t>* kept);

 private:
  void Tetrahedron(const int (&t)[4], uint32_t inside_mask);
  uint32_t Crossing(int a, int b);

  const IsoGrid& grid_;
  Mesh& out_;
  std::vector<uint32_t> edges_[2];    // vertex on each edge that starts in slice z or z + 1
  std::vector<uint32_t> touched_[2];  // which of them were set
  size_t at_[3] = {0, 0, 0};          // the cell in hand
  const float* corner_ = nullptr;
};

}  // namespace daf::mesh
