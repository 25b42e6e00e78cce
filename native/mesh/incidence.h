// Which triangles touch each vertex.
#pragma once

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

class Incidence {
 public:
  struct Range {
    const uint32_t* first;
    const uint32_t* last;
    const uint32_t* begin() const { return first; }
    const uint32_t* end() const { return last; }
    size_t size() const { return static_cast<size_t>(last - first); }
  };

  // Memory from `arena`, which must outlive this. Errors: kMemory, kCancelled.
  Status Build(const Mesh& mesh, const TaskControl& control, Arena* arena);
  // Triangles at a vertex, ascending.
  Range Triangles(uint32_t vertex) const {
    return {triangles_ + offsets_[vertex], triangles_ + offsets_[vertex + 1]};
  }

 private:
  uint32_t* offsets_ = nullptr;
  uint32_t* triangles_ = nullptr;
};

}  // namespace daf::mesh
