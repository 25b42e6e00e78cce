// The surface's triangles layer of cells by layer of cells, each a mesh of its own.
#pragma once

#include <vector>

#include "native/mesh/surface_cells.h"
#include "native/mesh/tetrahedra.h"

namespace daf::mesh {

class SurfaceLayers {
 public:
  static size_t Bytes(const IsoGrid& grid) { return TetrahedraMesher::Bytes(grid); }

  SurfaceLayers(const IsoGrid& grid, const SurfaceCells& cells, const TaskControl& control)
      : grid_(grid), cells_(cells), control_(control) {}
  // Calls visit(layer, frontier, cells) for every layer: a mesh whose first `frontier` vertices are
  // those of the layer before that keep(indices in that layer, ascending) was told of. visit
  // returns a Status, keep nothing. Errors: kCancelled and visit's.
  template <typename Visit, typename Keep>
  Status Each(Visit visit, Keep keep) const;

 private:
  const IsoGrid& grid_;
  const SurfaceCells& cells_;
  const TaskControl& control_;
};

template <typename Visit, typename Keep>
Status SurfaceLayers::Each(Visit visit, Keep keep) const {
  Mesh layer;
  TetrahedraMesher mesher(grid_, &layer);
  std::vector<uint32_t> kept;
  const auto layers = static_cast<size_t>(grid_.resolution);
  for (size_t z = 0; z < layers; ++z) {
    DAF_RETURN_IF_ERROR(control_.Check());
    mesher.NextLayer();
    size_t cells = 0;
    cells_.EachInLayer(z, [&](size_t x, size_t y, size_t at, const float(&corner)[8]) {
      mesher.Cell(x, y, at, corner);
      ++cells;
    });
    DAF_RETURN_IF_ERROR(visit(layer, kept.size(), cells));
    mesher.KeepFrontier(&kept);
    keep(kept);
    control_.Progress(static_cast<int32_t>(z + 1), static_cast<int32_t>(layers));
  }
  return Status::Ok();
}

}  // namespace daf::mesh
