#include "native/mesh/incidence.h"

#include <algorithm>

namespace daf::mesh {

Status Incidence::Build(const Mesh& mesh, const TaskControl& control, Arena* arena) {
  const size_t vertices = mesh.positions.size();
  DAF_RETURN_IF_ERROR(arena->Allocate(vertices + 2, &offsets_));
  DAF_RETURN_IF_ERROR(arena->Allocate(3 * mesh.triangles.size(), &triangles_));
  std::fill_n(offsets_, vertices + 2, 0u);
  // Counted two places up, so that filling moves each start to where it belongs.
  for (size_t i = 0; i < mesh.triangles.size(); ++i) {
    if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control.Check());
    for (const uint32_t v : mesh.triangles[i]) ++offsets_[v + 2];
  }
  for (size_t v = 2; v < vertices + 2; ++v) offsets_[v] += offsets_[v - 1];
  for (uint32_t i = 0; i < mesh.triangles.size(); ++i) {
    if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control.Check());
    for (const uint32_t v : mesh.triangles[i]) triangles_[offsets_[v + 1]++] = i;
  }
  return Status::Ok();
}

}  // namespace daf::mesh
