#include "native/mesh/band_surface.h"

#include <algorithm>
#include <string>

#include "native/mesh/layers.h"
#include "native/mesh/parts.h"
#include "native/mesh/pieces.h"

namespace daf::mesh {
namespace {

// What to do where the surface, or what finds it, is too large; the budget knows only of buffers.
constexpr char kSmaller[] = "a lower resolution, a smaller box, or more memory";
constexpr char kFewer[] = "more memory, a lower resolution, a smaller box, or fewer faces";

Status TooLarge(const IsoGrid& grid, const std::string& what, const Status& status,
                const char* hint = kSmaller) {
  if (status.code() != Code::kMemory) return status;
  return Status(Code::kMemory,
                what + " at resolution " + std::to_string(grid.resolution) +
                    " does not fit: " + status.message(),
                hint);
}

class BandExtractor {
 public:
  BandExtractor(const IsoGrid& grid, const BandOptions& options, const TaskControl& control,
                Mesh* out, BandReport* report)
      : grid_(grid), options_(options), control_(control), out_(*out), report_(*report) {}

  Status Run(const Sampler& sampler) {
    SparseValues values(grid_, sampler, control_);
    SurfaceCells cells(grid_, &values, control_);
    Status status = values.Open();
    if (status.ok()) status = cells.Find(options_.guard);
    if (status.ok()) status = tables_.Resize(SurfaceLayers::Bytes(grid_));
    DAF_RETURN_IF_ERROR(TooLarge(grid_, "what the field holds around its surface", status));
    report_.queries = values.queries();
    const SurfaceLayers layers(grid_, cells, control_);
    DAF_RETURN_IF_ERROR(Count(layers));
    const std::string what =
        "a surface of " + std::to_string(pieces_.kept_triangles()) + " triangles";
    const size_t room = SurfaceRoom(), triangles = pieces_.kept_triangles();
    if (options_.faces == 0 || triangles <= room / EdgeCollapser::kTriangleBytes)
      return TooLarge(grid_, what, Whole(layers));
    const size_t taken = values.bytes() + tables_.bytes() + layers_.bytes();
    return TooLarge(grid_, what, InParts(layers, room - std::min(room, taken)), kFewer);
  }

 private:
  Status Count(const SurfaceLayers& layers) {
    DAF_RETURN_IF_ERROR(layers.Each(
        [&](const Mesh& layer, size_t frontier, size_t cells) {
          pieces_.AddLayer(layer, frontier);
          report_.cells += cells;
          return CountMemory(layer);
        },
        [&](const std::vector<uint32_t>& kept) { pieces_.KeepFrontier(kept); }));
    pieces_.Choose(options_.keep_share);
    report_.pieces = pieces_.count();
    report_.triangles = pieces_.kept_triangles();
    return Status::Ok();
  }

  Status Whole(const SurfaceLayers& layers) {
    DAF_RETURN_IF_ERROR(out_.Reserve(pieces_.kept_vertices(), pieces_.kept_triangles()));
    return Make(layers, nullptr);
  }

  Status InParts(const SurfaceLayers& layers, size_t room) {
    SurfaceParts parts(options_.faces, control_, &out_);
    DAF_RETURN_IF_ERROR(parts.Open(room, pieces_.kept_triangles()));
    DAF_RETURN_IF_ERROR(Make(layers, &parts));
    return parts.Close();
  }

  Status Make(const SurfaceLayers& layers, SurfaceParts* parts) {
    return layers.Each(
        [&](const Mesh& layer, size_t frontier, size_t) {
          pieces_.AddLayer(layer, frontier);
          DAF_RETURN_IF_ERROR(CountMemory(layer));
          if (parts != nullptr) {
            DAF_RETURN_IF_ERROR(parts->MakeRoom(layer.positions.size() - frontier,
                                                layer.triangles.size(), &places_));
          }
          Append(layer);
          return Status::Ok();
        },
        [&](const std::vector<uint32_t>& kept) {
          pieces_.KeepFrontier(kept);
          for (size_t i = 0; i < kept.size(); ++i) places_[i] = places_[kept[i]];  // kept ascends
          places_.resize(kept.size());
        });
  }

  // A layer of noise, and the pieces that it falls into, may be as large as a surface elsewhere.
  Status CountMemory(const Mesh& layer) {
    return layers_.Resize(layer.positions.capacity() * sizeof(Point) +
                          layer.triangles.capacity() * sizeof(Triangle) +
                          places_.capacity() * sizeof(uint32_t) + pieces_.bytes());
  }

  void Append(const Mesh& layer) {
    for (size_t v = places_.size(); v < layer.positions.size(); ++v) {
      const bool kept = pieces_.Kept(static_cast<uint32_t>(v));
      places_.push_back(kept ? static_cast<uint32_t>(out_.positions.size()) : kNone);
      if (kept) out_.positions.push_back(layer.positions[v]);
    }
    for (const Triangle& t : layer.triangles) {
      if (places_[t[0]] != kNone)
        out_.triangles.push_back({places_[t[0]], places_[t[1]], places_[t[2]]});
    }
  }

  const IsoGrid& grid_;
  const BandOptions& options_;
  const TaskControl& control_;
  Mesh& out_;
  BandReport& report_;
  BudgetHold tables_, layers_;
  SurfacePieces pieces_;
  std::vector<uint32_t> places_;  // in the mesh of the layer's vertices; kNone: not kept
};

}  // namespace

Status ExtractBandSurface(const IsoGrid& grid, const Sampler& sampler, const BandOptions& options,
                          const TaskControl& control, Mesh* out, BandReport* report) {
  out->positions.clear();
  out->triangles.clear();
  *report = BandReport();
  DAF_RETURN_IF_ERROR(grid.Check());
  if (!(options.guard >= 0)) return Status(Code::kBadArgument, "guard must not be negative");
  return BandExtractor(grid, options, control, out, report).Run(sampler);
}

}  // namespace daf::mesh
