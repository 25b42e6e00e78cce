#include "native/mesh/components.h"

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

Status KeepComponents(double share, const TaskControl& control, Mesh* mesh, size_t* count) {
  *count = 0;
  if (mesh->triangles.empty()) return Status::Ok();
  UnionFind sets(mesh->positions.size());
  size_t seen = 0;
  for (const auto& t : mesh->triangles) {
    if (seen++ % kPoll == 0) DAF_RETURN_IF_ERROR(control.Check());
    sets.Join(t[0], t[1]);
    sets.Join(t[0], t[2]);
  }
  std::vector<uint32_t> triangles_of(mesh->positions.size(), 0);
  for (const auto& t : mesh->triangles) ++triangles_of[sets.Find(t[0])];
  uint32_t best = sets.Find(mesh->triangles[0][0]);
  for (const auto& t : mesh->triangles) {
    const uint32_t root = sets.Find(t[0]);
    if (triangles_of[root] > triangles_of[best]) best = root;
  }
  for (const uint32_t n : triangles_of) *count += n > 0;
  DAF_RETURN_IF_ERROR(control.Check());
  const auto kept = [&](uint32_t vertex) {
    const uint32_t root = sets.Find(vertex);
    return root == best || (share < 1 && triangles_of[root] > 0 &&
                            triangles_of[root] >= share * triangles_of[best]);
  };
  std::vector<uint32_t> renamed(mesh->positions.size(), kNone);
  uint32_t vertices = 0;
  for (uint32_t v = 0; v < renamed.size(); ++v) {
    if (!kept(v)) continue;
    mesh->positions[vertices] = mesh->positions[v];
    renamed[v] = vertices++;
  }
  mesh->positions.resize(vertices);
  DAF_RETURN_IF_ERROR(control.Check());
  size_t triangles = 0;
  for (const auto& t : mesh->triangles) {
    if (renamed[t[0]] != kNone)
      mesh->triangles[triangles++] = {renamed[t[0]], renamed[t[1]], renamed[t[2]]};
  }
  mesh->triangles.resize(triangles);
  return Status::Ok();
}

}  // namespace daf::mesh
