#include "native/mesh/simplify.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "native/mesh/incidence.h"
#include "native/mesh/quadric.h"

namespace daf::mesh {
namespace {

constexpr double kPointWeight = 1e-4;  // of a quadric's pull to where the surface was
constexpr float kLeastTurn = 0.25f;    // cosine between a triangle's normals before and after
constexpr size_t kCheapShare = 4;  // 1 / of the edges, or a little more, are looked at in a pass
constexpr size_t kPoll = 4096;

constexpr size_t kBuckets = 1 << 15;

struct Edge {
  float cost;         // ≥ 0
  uint32_t from, to;  // from < to
};

// The bits of a number ≥ 0 order as it does; the upper ones tell it to less than a hundredth.
size_t BucketOf(float cost) {
  uint32_t bits;
  std::memcpy(&bits, &cost, sizeof bits);
  return bits >> 16;
}

class Simplifier {
 public:
  Simplifier(const TaskControl& control, Mesh* mesh) : control_(control), mesh_(*mesh) {}

  Status Run(size_t budget) {
    DAF_RETURN_IF_ERROR(Prepare());
    while (mesh_.triangles.size() > budget) {
      pass_.Reset();
      DAF_RETURN_IF_ERROR(around_.Build(mesh_, &pass_));
      DAF_RETURN_IF_ERROR(SortEdges());
      const size_t before = mesh_.triangles.size();
      DAF_RETURN_IF_ERROR(Collapse(before - budget));
      DropCollapsed();
      if (mesh_.triangles.size() == before && !all_edges_) {
        all_edges_ = true;  // the cheap ones are all impossible
      } else if (mesh_.triangles.size() == before) {
        break;
      } else {
        all_edges_ = false;
      }
      const double done = std::log(static_cast<double>(first_count_) / before) /
                          std::log(static_cast<double>(first_count_) / std::max<size_t>(budget, 4));
      control_.Progress(static_cast<int32_t>(1000 * std::min(done, 1.0)), 1000);
    }
    DropVertices();
    return Status::Ok();
  }

 private:
  const Point& At(uint32_t vertex) const { return mesh_.positions[vertex]; }

  Status Prepare() {
    const size_t vertices = mesh_.positions.size();
    first_count_ = mesh_.triangles.size();
    DAF_RETURN_IF_ERROR(arena_.Allocate(vertices, &quadrics_));
    DAF_RETURN_IF_ERROR(arena_.Allocate(vertices, &locked_));
    DAF_RETURN_IF_ERROR(arena_.Allocate(mesh_.triangles.size() * 3 / 2 + 1, &edges_));
    DAF_RETURN_IF_ERROR(arena_.Allocate(mesh_.triangles.size() * 3 / 2 + 1, &order_));
    std::fill_n(quadrics_, vertices, Quadric());
    size_t n = 0;
    for (const Triangle& t : mesh_.triangles) {
      if (n++ % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      const Point normal = AreaNormal(At(t[0]), At(t[1]), At(t[2]));
      const double area = 0.5 * Length(normal);
      const Point unit = Unit(normal, {0, 0, 1});
      for (const uint32_t v : t) {
        quadrics_[v].AddPlane(unit, At(t[0]), area);
        quadrics_[v].AddPoint(At(v), kPointWeight * area);
      }
    }
    return Status::Ok();
  }

  Point BestPosition(uint32_t u, uint32_t v, float* cost) const {
    Quadric sum = quadrics_[u];
    sum.Add(quadrics_[v]);
    const Point middle = Along(At(u), 0.5f, Minus(At(v), At(u)));
    Point best = middle;
    // An optimum far from the edge is one of nearly parallel planes.
    if (!sum.Optimum(&best) || Length(Minus(best, middle)) > 2 * Length(Minus(At(u), At(v))))
      best = middle;
    *cost = static_cast<float>(std::max(sum.Error(best), 0.0));
    return best;
  }

  // The cheapest edges of the mesh, in order of their buckets: to be polled, and linear. An edge of
  // a closed surface has two triangles and runs upwards in one of them.
  Status SortEdges() {
    size_t count = 0;
    starts_.assign(kBuckets + 1, 0);
    for (size_t i = 0; i < mesh_.triangles.size(); ++i) {
      if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      const Triangle& t = mesh_.triangles[i];
      for (size_t k = 0; k < 3; ++k) {
        Edge edge = {0, t[k], t[(k + 1) % 3]};
        if (edge.from > edge.to) continue;
        BestPosition(edge.from, edge.to, &edge.cost);
        ++starts_[BucketOf(edge.cost) + 1];
        edges_[count++] = edge;
      }
    }
    const size_t wanted = all_edges_ ? count : count / kCheapShare;
    size_t end = 0;  // of the buckets that are looked at
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      if (starts_[bucket] < wanted) end = bucket + 1;
      starts_[bucket + 1] += starts_[bucket];
    }
    edge_count_ = starts_[end];
    for (uint32_t i = 0; i < count; ++i) {
      if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      const size_t bucket = BucketOf(edges_[i].cost);
      if (bucket < end) order_[starts_[bucket]++] = i;
    }
    return Status::Ok();
  }

  Status Collapse(size_t surplus) {
    std::fill_n(locked_, mesh_.positions.size(), false);
    size_t removed = 0;
    for (size_t i = 0; i < edge_count_ && removed < surplus; ++i) {
      if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      const Edge& edge = edges_[order_[i]];
      if (locked_[edge.from] || locked_[edge.to] || !Collapsible(edge.from, edge.to)) continue;
      float cost;
      const Point position = BestPosition(edge.from, edge.to, &cost);
      if (Turns(edge.from, edge.to, position) || Turns(edge.to, edge.from, position)) continue;
      Merge(edge.from, edge.to, position);
      removed += 2;
    }
    return Status::Ok();
  }

  void Neighbours(uint32_t vertex, std::vector<uint32_t>* out) const {
    out->clear();
    for (const uint32_t t : around_.Triangles(vertex)) {
      const Triangle& corners = mesh_.triangles[t];
      for (size_t k = 0; k < 3; ++k) {
        if (corners[k] == vertex) out->push_back(corners[(k + 1) % 3]);
      }
    }
    std::sort(out->begin(), out->end());
  }

  // The two vertices opposite the edge, and no other, are neighbours of both ends; and neither of
  // them would be left with two triangles.
  bool Collapsible(uint32_t u, uint32_t v) {
    Neighbours(u, &ring_u_);
    Neighbours(v, &ring_v_);
    common_.clear();
    std::set_intersection(ring_u_.begin(), ring_u_.end(), ring_v_.begin(), ring_v_.end(),
                          std::back_inserter(common_));
    return common_.size() == 2 && around_.Triangles(common_[0]).size() > 3 &&
           around_.Triangles(common_[1]).size() > 3;
  }

  // Whether a triangle at `vertex`, but not at `other`, turns over or collapses when it moves.
  bool Turns(uint32_t vertex, uint32_t other, const Point& position) const {
    for (const uint32_t i : around_.Triangles(vertex)) {
      const Triangle& t = mesh_.triangles[i];
      if (t[0] == other || t[1] == other || t[2] == other) continue;
      const auto place = [&](uint32_t v) { return v == vertex ? position : At(v); };
      const Point before = AreaNormal(At(t[0]), At(t[1]), At(t[2])),
                  after = AreaNormal(place(t[0]), place(t[1]), place(t[2]));
      if (!(Dot(before, after) > kLeastTurn * Length(before) * Length(after))) return true;
    }
    return false;
  }

  // u takes v's place too. All around is locked: what is known of it is true only until now.
  void Merge(uint32_t u, uint32_t v, const Point& position) {
    for (const uint32_t neighbour : ring_u_) locked_[neighbour] = true;
    for (const uint32_t neighbour : ring_v_) locked_[neighbour] = true;
    for (const uint32_t i : around_.Triangles(v)) {
      for (uint32_t& corner : mesh_.triangles[i]) {
        if (corner == v) corner = u;
      }
    }
    mesh_.positions[u] = position;
    quadrics_[u].Add(quadrics_[v]);
  }

  void DropCollapsed() {
    size_t kept = 0;
    for (const Triangle& t : mesh_.triangles) {
      if (t[0] != t[1] && t[1] != t[2] && t[2] != t[0]) mesh_.triangles[kept++] = t;
    }
    mesh_.triangles.resize(kept);
  }

  void DropVertices() {
    std::vector<bool> used(mesh_.positions.size(), false);
    for (const Triangle& t : mesh_.triangles) used[t[0]] = used[t[1]] = used[t[2]] = true;
    std::vector<uint32_t> renamed(mesh_.positions.size(), kNone);
    uint32_t kept = 0;
    for (size_t v = 0; v < used.size(); ++v) {
      if (!used[v]) continue;
      mesh_.positions[kept] = mesh_.positions[v];
      renamed[v] = kept++;
    }
    mesh_.positions.resize(kept);
    for (Triangle& t : mesh_.triangles) t = {renamed[t[0]], renamed[t[1]], renamed[t[2]]};
  }

  const TaskControl& control_;
  Mesh& mesh_;
  Arena arena_, pass_;
  Incidence around_;
  Quadric* quadrics_ = nullptr;
  bool* locked_ = nullptr;
  Edge* edges_ = nullptr;
  uint32_t* order_ = nullptr;     // of edges_, the cheapest first
  std::vector<uint32_t> starts_;  // of the buckets in order_
  size_t edge_count_ = 0, first_count_ = 0;
  bool all_edges_ = false;
  std::vector<uint32_t> ring_u_, ring_v_, common_;
};

}  // namespace

Status Simplify(size_t budget, const TaskControl& control, Mesh* mesh) {
  if (mesh->triangles.size() <= budget) return Status::Ok();
  const size_t triangles = mesh->triangles.size();
  const Status status = Simplifier(control, mesh).Run(budget);
  if (status.code() != Code::kMemory) return status;
  return Status(Code::kMemory,
                "simplifying a surface of " + std::to_string(triangles) +
                    " triangles does not fit: " + status.message(),
                "a lower resolution, or more memory");
}

}  // namespace daf::mesh
