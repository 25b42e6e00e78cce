#include "native/mesh/unfold.h"

#include <algorithm>

#include "native/mesh/vector.h"

namespace daf::mesh {
namespace {

constexpr int kRounds = 24;       // most dents are gone after three
constexpr float kShare = 0.5f;    // of the way to the neighbours' middle, in a round
constexpr float kFollows = 0.7f;  // cosine between a triangle's normal and where values fall
constexpr size_t kBatch = 1024;   // triangles asked about at a time

Point NormalOf(const Mesh& mesh, const Triangle& t) {
  return AreaNormal(mesh.positions[t[0]], mesh.positions[t[1]], mesh.positions[t[2]]);
}

class Unfolder {
 public:
  Unfolder(const Sampler& sampler, float step, const TaskControl& control, Mesh* mesh)
      : sampler_(sampler), step_(step), control_(control), mesh_(*mesh) {}

  Status Run() {
    for (int round = 0; round < kRounds; ++round) {
      DAF_RETURN_IF_ERROR(FindLeaning());
      bool any = false;
      moves_.assign(mesh_.positions.size(), false);
      for (size_t first = 0; first < leaning_.size(); first += kBatch)
        DAF_RETURN_IF_ERROR(Confirm(first, std::min(first + kBatch, leaning_.size()), &any));
      if (!any) break;
      DAF_RETURN_IF_ERROR(Relax());
    }
    return Status::Ok();
  }

 private:
  Status FindLeaning() {
    DAF_RETURN_IF_ERROR(Surroundings(mesh_, control_, &surroundings_));
    leaning_.clear();
    for (uint32_t i = 0; i < mesh_.triangles.size(); ++i) {
      if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      const Point normal = NormalOf(mesh_, mesh_.triangles[i]);
      if (!(Dot(normal, surroundings_[i]) > kLeastUpright * Length(normal))) leaning_.push_back(i);
    }
    return Status::Ok();
  }

  // Of those that lean, the corners of the ones that do not follow the function are to move.
  Status Confirm(size_t first, size_t last, bool* any) {
    DAF_RETURN_IF_ERROR(control_.Check());
    around_.clear();
    for (size_t i = first; i < last; ++i) {
      Point middle = {0, 0, 0};
      for (const uint32_t v : mesh_.triangles[leaning_[i]])
        middle = Along(middle, 1.0f / 3, mesh_.positions[v]);
      for (size_t side = 0; side < 6; ++side) {
        around_.push_back(middle);
        around_.back()[side / 2] += side % 2 == 0 ? step_ : -step_;
      }
    }
    values_.resize(around_.size());
    DAF_RETURN_IF_ERROR(sampler_(around_[0].data(), around_.size(), values_.data()));
    DAF_RETURN_IF_ERROR(CheckFinite(values_.data(), values_.size()));
    for (size_t i = first; i < last; ++i) {
      const float* v = &values_[6 * (i - first)];
      const Point falls = Unit({v[1] - v[0], v[3] - v[2], v[5] - v[4]}, {0, 0, 0});
      if (Dot(falls, falls) == 0) continue;
      const Triangle& t = mesh_.triangles[leaning_[i]];
      const Point normal = NormalOf(mesh_, t);
      if (Dot(normal, falls) > kFollows * Length(normal)) continue;
      *any = true;
      for (const uint32_t corner : t) moves_[corner] = true;
    }
    return Status::Ok();
  }

  // On a closed surface each neighbour of a vertex follows it in one triangle.
  Status Relax() {
    sums_.assign(mesh_.positions.size(), Point{0, 0, 0});
    counts_.assign(mesh_.positions.size(), 0);
    for (size_t i = 0; i < mesh_.triangles.size(); ++i) {
      if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      const Triangle& t = mesh_.triangles[i];
      for (size_t k = 0; k < 3; ++k) {
        if (!moves_[t[k]]) continue;
        sums_[t[k]] = Along(sums_[t[k]], 1, mesh_.positions[t[(k + 1) % 3]]);
        ++counts_[t[k]];
      }
    }
    for (size_t v = 0; v < sums_.size(); ++v) {
      if (counts_[v] == 0) continue;
      const Point middle = Along({0, 0, 0}, 1 / static_cast<float>(counts_[v]), sums_[v]);
      mesh_.positions[v] = Along(mesh_.positions[v], kShare, Minus(middle, mesh_.positions[v]));
    }
    return Status::Ok();
  }

  const Sampler& sampler_;
  const float step_;
  const TaskControl& control_;
  Mesh& mesh_;
  std::vector<uint32_t> leaning_, counts_;
  std::vector<bool> moves_;  // vertices
  std::vector<Point> surroundings_, around_, sums_;
  std::vector<float> values_;
};

}  // namespace

Status Surroundings(const Mesh& mesh, const TaskControl& control, std::vector<Point>* out) {
  std::vector<Point> near(mesh.positions.size(), Point{0, 0, 0}), wide(near);
  const std::vector<Triangle>& all = mesh.triangles;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control.Check());
    const Point normal = NormalOf(mesh, all[i]);
    for (const uint32_t v : all[i]) near[v] = Along(near[v], 1, normal);
  }
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control.Check());
    const Triangle& t = all[i];
    const Point sum = Along(Along(near[t[0]], 1, near[t[1]]), 1, near[t[2]]);
    for (const uint32_t v : t) wide[v] = Along(wide[v], 1, sum);
  }
  out->resize(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control.Check());
    const Triangle& t = all[i];
    (*out)[i] = Unit(Along(Along(wide[t[0]], 1, wide[t[1]]), 1, wide[t[2]]), {0, 0, 0});
  }
  return Status::Ok();
}

Status Unfold(const Sampler& sampler, float step, const TaskControl& control, Mesh* mesh) {
  return Unfolder(sampler, step, control, mesh).Run();
}

}  // namespace daf::mesh
