// Connected pieces of a surface that comes in layers and is never there as a whole.
#pragma once

#include <vector>

#include "native/base/control.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

// Numbers pieces in the order in which they begin and joins those that turn out to be one. A second
// run over the same layers finds the same numbers and knows how all of it hangs together.
class SurfacePieces {
 public:
  // frontier: how many of the layer's vertices, the first ones, are those of KeepFrontier.
  void AddLayer(const Mesh& layer, size_t frontier);
  // The vertices of the layer that the next one begins with, see TetrahedraMesher.
  void KeepFrontier(const std::vector<uint32_t>& kept);
  // Which pieces KeepComponents (components.h) would keep at this share; then over again.
  void Choose(double share);

  size_t bytes() const {
    return (parent_.capacity() + piece_.capacity() + set_.capacity() + set_piece_.capacity()) *
               sizeof(uint32_t) +
           (triangles_.capacity() + vertices_.capacity()) * sizeof(uint64_t) + kept_.capacity() / 8;
  }
  size_t count() const { return count_; }  // after Choose
  uint64_t kept_triangles() const { return kept_triangles_; }
  uint64_t kept_vertices() const { return kept_vertices_; }
  // In the second run: of a vertex of the layer added last.
  bool Kept(uint32_t vertex) const { return kept_[piece_[vertex]]; }

 private:
  uint32_t Find(uint32_t piece);
  uint32_t NewPiece();
  void JoinWithin(const Mesh& layer);
  void NameSets(const Mesh& layer, size_t frontier);

  std::vector<uint32_t> parent_;  // of pieces; the lowest number of a whole is its root
  std::vector<uint64_t> triangles_, vertices_;  // of each number
  std::vector<bool> kept_;
  std::vector<uint32_t> piece_;            // of each vertex of the layer
  std::vector<uint32_t> set_, set_piece_;  // within the layer
  uint32_t next_ = 0;                      // number of the next piece that begins
  bool chosen_ = false;
  size_t count_ = 0;
  uint64_t kept_triangles_ = 0, kept_vertices_ = 0;
};

}  // namespace daf::mesh
