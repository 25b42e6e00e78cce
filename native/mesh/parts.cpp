#include "native/mesh/parts.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace daf::mesh {
namespace {

// Of what there is room for, a part is simplified to: often enough for little work at a time, and
// seldom, since each time costs as much as what is there.
constexpr size_t kKept = 4;

}  // namespace

size_t SurfaceRoom() {
  const size_t limit = Budget::Process().limit();
  return limit == 0 ? SIZE_MAX : limit / 4 * 3;
}

Status SurfaceParts::Open(size_t room, size_t total) {
  most_triangles_ = std::min(room / EdgeCollapser::kTriangleBytes, total);
  most_vertices_ = most_triangles_ * 3 / 5 + 64;  // one for two triangles, and more in small pieces
  if (most_triangles_ < total && faces_ > most_triangles_ / 4 * 3) {
    return Status(Code::kMemory, "at most " + std::to_string(most_triangles_) +
                                     " at a time, of which " + std::to_string(faces_) +
                                     " are to stay");
  }
  DAF_RETURN_IF_ERROR(mesh_.Reserve(most_vertices_, most_triangles_));
  return collapser_.Open(most_vertices_, most_triangles_);
}

bool SurfaceParts::Fits(size_t vertices, size_t triangles) const {
  return mesh_.positions.size() + vertices <= most_vertices_ &&
         mesh_.triangles.size() + triangles <= most_triangles_;
}

Status SurfaceParts::MakeRoom(size_t vertices, size_t triangles, std::vector<uint32_t>* open) {
  if (Fits(vertices, triangles)) return Status::Ok();
  DAF_RETURN_IF_ERROR(collapser_.TakeIn());
  // A layer that runs along a wall may need more than simplifying usually leaves room for.
  const size_t beside = most_triangles_ - std::min(most_triangles_, triangles);
  DAF_RETURN_IF_ERROR(collapser_.Reduce(std::max(faces_, std::min(most_triangles_ / kKept, beside)),
                                        EdgeCollapser::Until::kSlow, open));
  if (Fits(vertices, triangles)) return Status::Ok();
  return Status(Code::kMemory, "the part in hand cannot be made smaller than " +
                                   std::to_string(mesh_.triangles.size()) + " triangles");
}

Status SurfaceParts::Close() {
  DAF_RETURN_IF_ERROR(collapser_.TakeIn());
  std::vector<uint32_t> none;
  return collapser_.Reduce(faces_, EdgeCollapser::Until::kStuck, &none);
}

}  // namespace daf::mesh
