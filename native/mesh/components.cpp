#include "native/mesh/components.h"

#include <limits>
#include <numeric>

namespace daf::mesh {
namespace {

class UnionFind {
 public:
  explicit UnionFind(size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0u); }
  uint32_t Find(uint32_t x) {
    while (parent_[x] != x) x = parent_[x] = parent_[parent_[x]];
    return x;
  }
  void Join(uint32_t a, uint32_t b) { parent_[Find(a)] = Find(b); }

 private:
  std::vector<uint32_t> parent_;
};

}  // namespace

void KeepLargestComponent(Mesh* mesh) {
  if (mesh->triangles.empty()) return;
  UnionFind sets(mesh->positions.size());
  for (const auto& t : mesh->triangles) {
    sets.Join(t[0], t[1]);
    sets.Join(t[0], t[2]);
  }
  std::vector<size_t> triangles_of(mesh->positions.size(), 0);
  uint32_t best = sets.Find(mesh->triangles[0][0]);
  for (const auto& t : mesh->triangles) {
    const uint32_t root = sets.Find(t[0]);
    if (++triangles_of[root] > triangles_of[best]) best = root;
  }
  constexpr uint32_t kDropped = std::numeric_limits<uint32_t>::max();
  std::vector<uint32_t> renamed(mesh->positions.size(), kDropped);
  Mesh kept;
  for (uint32_t v = 0; v < mesh->positions.size(); ++v) {
    if (triangles_of[sets.Find(v)] == 0 || sets.Find(v) != best) continue;
    renamed[v] = static_cast<uint32_t>(kept.positions.size());
    kept.positions.push_back(mesh->positions[v]);
  }
  for (const auto& t : mesh->triangles) {
    if (renamed[t[0]] != kDropped)
      kept.triangles.push_back({renamed[t[0]], renamed[t[1]], renamed[t[2]]});
  }
  *mesh = std::move(kept);
}

}  // namespace daf::mesh
