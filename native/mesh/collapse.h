// Edge collapses on a surface that may still be growing: what simplify.h does, whole or in parts.
#pragma once

#include <vector>

#include "native/base/control.h"
#include "native/mesh/incidence.h"
#include "native/mesh/quadric.h"

namespace daf::mesh {

// Takes edges away from `mesh` where that costs the least quadric error. A vertex carries the
// planes and the area normals of all triangles that were ever around it, a triangle the direction
// in which it faced when it came; all of it outlasts Reduce, so that a surface may be appended to
// and reduced in turns.
class EdgeCollapser {
 public:
  // Bytes for each triangle of a mesh, the mesh included.
  static constexpr size_t kTriangleBytes = 118;

  EdgeCollapser(const TaskControl& control, Mesh* mesh) : control_(control), mesh_(*mesh) {}
  // For a mesh that never has more. Errors: kMemory.
  Status Open(size_t most_vertices, size_t most_triangles);
  // Takes in the vertices and triangles that were appended to the mesh. Errors: kCancelled.
  Status TakeIn();
  enum class Until { kStuck, kSlow };
  // Collapses until at most `budget` triangles are left, or no edge may go, or (kSlow: of a part)
  // a pass takes little away: the rest goes more easily once its surroundings are there. Vertices
  // of `fixed` (kNone is passed over) stay where they are: the surface goes on there. Vertices and
  // triangles keep their order; *fixed then holds the new indices. Errors: kMemory, kCancelled.
  Status Reduce(size_t budget, Until until, std::vector<uint32_t>* fixed);

 private:
  struct Edge {
    float cost;         // ≥ 0
    uint32_t from, to;  // from < to
  };
  // A unit vector in steps of 1 / 127.
  struct Facing {
    int8_t x, y, z;
  };

  const Point& At(uint32_t vertex) const { return mesh_.positions[vertex]; }
  bool GoesOn(size_t before, size_t gone, Until until);
  Point BestPosition(uint32_t u, uint32_t v, float* cost) const;
  Status SortEdges();
  Status Collapse(size_t surplus);
  void Lock(const std::vector<uint32_t>& fixed);
  void Neighbours(uint32_t vertex, std::vector<uint32_t>* out) const;
  bool Collapsible(uint32_t u, uint32_t v);
  Point OutwardAt(const Triangle& triangle, uint32_t vertex, uint32_t other) const;
  bool Turns(uint32_t vertex, uint32_t other, const Point& position) const;
  void Merge(uint32_t u, uint32_t v, const Point& position);
  Status DropCollapsed();
  Status DropVertices(std::vector<uint32_t>* fixed);

  const TaskControl& control_;
  Mesh& mesh_;
  Arena arena_, pass_;
  Incidence around_;
  Quadric* quadrics_ = nullptr;
  Facing* facing_ = nullptr;
  Point* outward_ = nullptr;  // of vertices: the area normals of all that were ever around, summed
  bool* locked_ = nullptr;    // of vertices; between passes only the fixed ones
  Edge* edges_ = nullptr;
  uint32_t* order_ = nullptr;     // of edges_, the cheapest first
  std::vector<uint32_t> starts_;  // of the buckets in order_
  size_t known_vertices_ = 0, known_triangles_ = 0, edge_count_ = 0;
  bool all_edges_ = false;
  int rules_ = 0;
  std::vector<uint32_t> ring_u_, ring_v_, common_;
};

}  // namespace daf::mesh
