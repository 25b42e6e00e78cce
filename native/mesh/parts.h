// A surface that is simplified while it comes, so that it never lies in memory as a whole.
#pragma once

#include <vector>

#include "native/mesh/collapse.h"

namespace daf::mesh {

// Bytes that a surface and its simplification may take: a share of the process's limit, whatever is
// in use, so that the same limit gives the same mesh. SIZE_MAX where there is no limit.
size_t SurfaceRoom();

class SurfaceParts {
 public:
  // faces: triangles of the finished mesh at most. The mesh is appended to by the caller.
  SurfaceParts(size_t faces, const TaskControl& control, Mesh* mesh)
      : faces_(faces), control_(control), mesh_(*mesh), collapser_(control, mesh) {}
  // room: bytes. total: triangles that will come. Errors: kMemory, here and below saying why a
  // surface does not fit; how large it is, and what to do, is the caller's to say.
  Status Open(size_t room, size_t total);
  // To be called before so many vertices and triangles are appended: simplifies what is there if
  // they do not fit. open: vertices (or kNone) whose triangles have not all come; then renumbered.
  // Errors: kMemory where that does not help; kCancelled.
  Status MakeRoom(size_t vertices, size_t triangles, std::vector<uint32_t>* open);
  // Whether they may be appended as it is.
  bool Fits(size_t vertices, size_t triangles) const;
  // After the last triangle. Errors: kCancelled.
  Status Close();

 private:
  const size_t faces_;
  const TaskControl& control_;
  Mesh& mesh_;
  EdgeCollapser collapser_;
  size_t most_vertices_ = 0, most_triangles_ = 0;
};

}  // namespace daf::mesh
