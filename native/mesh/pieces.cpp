#include "native/mesh/pieces.h"

#include <algorithm>
#include <numeric>

namespace daf::mesh {
namespace {

uint32_t Root(std::vector<uint32_t>* parents, uint32_t x) {
  std::vector<uint32_t>& parent = *parents;
  while (parent[x] != x) x = parent[x] = parent[parent[x]];
  return x;
}

// The lower root stays one.
void Join(std::vector<uint32_t>* parents, uint32_t a, uint32_t b) {
  a = Root(parents, a);
  b = Root(parents, b);
  (*parents)[std::max(a, b)] = std::min(a, b);
}

}  // namespace

void SurfacePieces::AddLayer(const Mesh& layer, size_t frontier) {
  JoinWithin(layer);
  NameSets(layer, frontier);
  if (chosen_) return;
  for (const Triangle& t : layer.triangles) ++triangles_[piece_[t[0]]];
  for (size_t v = frontier; v < piece_.size(); ++v) ++vertices_[piece_[v]];
}

void SurfacePieces::JoinWithin(const Mesh& layer) {
  set_.resize(layer.positions.size());
  std::iota(set_.begin(), set_.end(), 0u);
  for (const Triangle& t : layer.triangles) {
    Join(&set_, t[0], t[1]);
    Join(&set_, t[0], t[2]);
  }
}

void SurfacePieces::NameSets(const Mesh& layer, size_t frontier) {
  set_piece_.assign(layer.positions.size(), kNone);
  for (uint32_t v = 0; v < frontier; ++v) {
    uint32_t& named = set_piece_[Root(&set_, v)];
    if (named == kNone) {
      named = piece_[v];
    } else {
      Join(&parent_, named, piece_[v]);
    }
  }
  piece_.resize(layer.positions.size());
  for (uint32_t v = 0; v < piece_.size(); ++v) {
    uint32_t& named = set_piece_[Root(&set_, v)];
    if (named == kNone) named = NewPiece();
    piece_[v] = named;
  }
}

uint32_t SurfacePieces::NewPiece() {
  if (!chosen_) {
    parent_.push_back(next_);
    triangles_.push_back(0);
    vertices_.push_back(0);
  }
  return next_++;
}

void SurfacePieces::KeepFrontier(const std::vector<uint32_t>& kept) {
  for (size_t i = 0; i < kept.size(); ++i) piece_[i] = piece_[kept[i]];  // kept ascends
  piece_.resize(kept.size());
}

void SurfacePieces::Choose(double share) {
  const size_t pieces = parent_.size();
  for (uint32_t i = 0; i < pieces; ++i) {
    const uint32_t root = Root(&parent_, i);
    if (root == i) {
      ++count_;
      continue;
    }
    triangles_[root] += triangles_[i];
    vertices_[root] += vertices_[i];
  }
  uint32_t best = 0;
  for (uint32_t i = 0; i < pieces; ++i) {
    if (parent_[i] == i && triangles_[i] > triangles_[best]) best = i;
  }
  kept_.assign(pieces, false);
  for (uint32_t i = 0; i < pieces; ++i) {
    const uint32_t root = Root(&parent_, i);
    kept_[i] = root == best || (share < 1 && static_cast<double>(triangles_[root]) >=
                                                 share * static_cast<double>(triangles_[best]));
    if (root != i || !kept_[i]) continue;
    kept_triangles_ += triangles_[i];
    kept_vertices_ += vertices_[i];
  }
  piece_.clear();
  next_ = 0;
  chosen_ = true;
}

}  // namespace daf::mesh
