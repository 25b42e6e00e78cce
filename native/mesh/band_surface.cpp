#include "native/mesh/band_surface.h"

#include <string>

#include "native/mesh/surface_cells.h"
#include "native/mesh/tetrahedra.h"

namespace daf::mesh {
namespace {

Status Reserve(const IsoGrid& grid, const SurfaceCount& count, Mesh* out, BudgetHold* tables) {
  Status status = tables->Resize(TetrahedraMesher::Bytes(grid));
  if (status.ok()) status = out->Reserve(count.vertices, count.triangles);
  if (status.code() != Code::kMemory) return status;
  return Status(Code::kMemory,
                "a surface of " + std::to_string(count.triangles) + " triangles at resolution " +
                    std::to_string(grid.resolution) + " does not fit: " + status.message(),
                "a lower resolution, or more memory");
}

}  // namespace

Status ExtractBandSurface(const IsoGrid& grid, const Sampler& sampler, const BandOptions& options,
                          const TaskControl& control, Mesh* out, BandReport* report) {
  out->positions.clear();
  out->triangles.clear();
  DAF_RETURN_IF_ERROR(grid.Check());
  if (!(options.guard >= 0)) return Status(Code::kBadArgument, "guard must not be negative");
  SparseValues values(grid, sampler, control);
  DAF_RETURN_IF_ERROR(values.Open());
  SurfaceCells cells(grid, &values, control);
  DAF_RETURN_IF_ERROR(cells.Find(options.guard));
  SurfaceCount count;
  const size_t layers = static_cast<size_t>(grid.resolution);
  *report = {values.queries(), 0};
  for (size_t z = 0; z < layers; ++z) {
    DAF_RETURN_IF_ERROR(control.Check());
    cells.EachInLayer(z, [&](size_t, size_t, size_t, const float(&corner)[8]) {
      count.Add(InsideMask(corner, grid.iso));
      ++report->cells;
    });
  }
  BudgetHold tables;
  DAF_RETURN_IF_ERROR(Reserve(grid, count, out, &tables));
  TetrahedraMesher mesher(grid, out);
  for (size_t z = 0; z < layers; ++z) {
    DAF_RETURN_IF_ERROR(control.Check());
    mesher.NextLayer();
    cells.EachInLayer(z, [&](size_t x, size_t y, size_t at, const float(&corner)[8]) {
      mesher.Cell(x, y, at, corner);
    });
    control.Progress(static_cast<int32_t>(z + 1), static_cast<int32_t>(layers));
  }
  return Status::Ok();
}

}  // namespace daf::mesh
