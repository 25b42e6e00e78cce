#include "native/mesh/collapse.h"

#include <algorithm>
#include <cstring>

namespace daf::mesh {
namespace {

constexpr double kPointWeight = 1e-4;  // of a quadric's pull to where the surface was
constexpr float kLeastTurn = 0.25f;    // cosine between a triangle's normals before and after
// The same to how it faced at first: many small turns would add up to one that folds it over.
constexpr float kLeastFacing = 0.3f;
constexpr size_t kCheapShare = 4;  // 1 / of the edges, or a little more, are looked at in a pass
constexpr int kRules = 2;          // against folding over, the first to go last
constexpr size_t kSlowShare = 50;  // 1 / of the triangles that a pass takes away

constexpr size_t kBuckets = 1 << 15;

// The bits of a number ≥ 0 order as it does; the upper ones tell it to less than a hundredth.
size_t BucketOf(float cost) {
  uint32_t bits;
  std::memcpy(&bits, &cost, sizeof bits);
  return bits >> 16;
}

int8_t Rounded(float cosine) { return static_cast<int8_t>(std::lround(127 * cosine)); }

}  // namespace

Status EdgeCollapser::Open(size_t most_vertices, size_t most_triangles) {
  DAF_RETURN_IF_ERROR(arena_.Allocate(most_vertices, &quadrics_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(most_vertices, &outward_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(most_vertices, &locked_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(most_triangles, &facing_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(most_triangles * 3 / 2 + 1, &edges_));
  return arena_.Allocate(most_triangles * 3 / 2 + 1, &order_);
}

Status EdgeCollapser::TakeIn() {
  const size_t vertices = mesh_.positions.size();
  std::fill(quadrics_ + known_vertices_, quadrics_ + vertices, Quadric());
  std::fill(outward_ + known_vertices_, outward_ + vertices, Point{0, 0, 0});
  std::fill(locked_ + known_vertices_, locked_ + vertices, false);
  known_vertices_ = vertices;
  for (; known_triangles_ < mesh_.triangles.size(); ++known_triangles_) {
    if (known_triangles_ % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
    const Triangle& t = mesh_.triangles[known_triangles_];
    const Point normal = AreaNormal(At(t[0]), At(t[1]), At(t[2]));
    const double area = 0.5 * Length(normal);
    const Point unit = Unit(normal, {0, 0, 1});
    facing_[known_triangles_] = {Rounded(unit[0]), Rounded(unit[1]), Rounded(unit[2])};
    for (const uint32_t v : t) {
      quadrics_[v].AddPlane(unit, At(t[0]), area);
      quadrics_[v].AddPoint(At(v), kPointWeight * area);
      outward_[v] = Along(outward_[v], 1, normal);
    }
  }
  return Status::Ok();
}

Status EdgeCollapser::Reduce(size_t budget, Until until, std::vector<uint32_t>* fixed) {
  const size_t first = mesh_.triangles.size();
  all_edges_ = false;
  rules_ = kRules;
  while (mesh_.triangles.size() > budget) {
    pass_.Reset();
    DAF_RETURN_IF_ERROR(around_.Build(mesh_, control_, &pass_));
    Lock(*fixed);
    DAF_RETURN_IF_ERROR(SortEdges());
    const size_t before = mesh_.triangles.size();
    DAF_RETURN_IF_ERROR(Collapse(before - budget));
    DAF_RETURN_IF_ERROR(DropCollapsed());
    if (!GoesOn(before, before - mesh_.triangles.size(), until)) break;
    if (until == Until::kSlow) continue;  // of a part nobody wants to know how far it is
    const double done = std::log(static_cast<double>(first) / before) /
                        std::log(static_cast<double>(first) / std::max<size_t>(budget, 4));
    control_.Progress(static_cast<int32_t>(1000 * std::min(done, 1.0)), 1000);
  }
  pass_.Release();
  return DropVertices(fixed);
}

// Whether another pass is worth its while: of more edges or, where what folds nothing over is not
// enough for the budget, by fewer rules.
bool EdgeCollapser::GoesOn(size_t before, size_t gone, Until until) {
  const bool slow = gone == 0 || gone < before / kSlowShare;
  if (!slow || !all_edges_) {
    all_edges_ = slow;
    return true;
  }
  if (until == Until::kSlow) return false;
  if (rules_ == 0) return gone > 0;
  --rules_;
  all_edges_ = false;
  return true;
}

Point EdgeCollapser::BestPosition(uint32_t u, uint32_t v, float* cost) const {
  Quadric sum = quadrics_[u];
  sum.Add(quadrics_[v]);
  const Point middle = Along(At(u), 0.5f, Minus(At(v), At(u)));
  Point best = middle;
  // An optimum far from the edge is one of nearly parallel planes.
  if (!sum.Optimum(&best) || Length(Minus(best, middle)) > 2 * Length(Minus(At(u), At(v))))
    best = middle;
  const double error = sum.Error(best);
  *cost = error > 0 ? static_cast<float>(error)
                    : 0.0f;  // neither -0 nor what is no number: they have no bucket
  return best;
}

void EdgeCollapser::Lock(const std::vector<uint32_t>& fixed) {
  std::fill_n(locked_, mesh_.positions.size(), false);
  for (const uint32_t v : fixed) {
    if (v != kNone) locked_[v] = true;
  }
}

// The cheapest edges of the mesh, in order of their buckets: to be polled, and linear. An edge
// whose triangles are all known has two, and runs upwards in one of them.
Status EdgeCollapser::SortEdges() {
  size_t count = 0;
  starts_.assign(kBuckets + 1, 0);
  for (size_t i = 0; i < mesh_.triangles.size(); ++i) {
    if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
    const Triangle& t = mesh_.triangles[i];
    for (size_t k = 0; k < 3; ++k) {
      Edge edge = {0, t[k], t[(k + 1) % 3]};
      if (edge.from > edge.to || locked_[edge.from] || locked_[edge.to]) continue;
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

Status EdgeCollapser::Collapse(size_t surplus) {
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

void EdgeCollapser::Neighbours(uint32_t vertex, std::vector<uint32_t>* out) const {
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
// them would be left with two triangles. All triangles of both ends are known, since no end is
// fixed; of a fixed vertex opposite some may be missing, which forbids more than it must.
bool EdgeCollapser::Collapsible(uint32_t u, uint32_t v) {
  Neighbours(u, &ring_u_);
  Neighbours(v, &ring_v_);
  common_.clear();
  std::set_intersection(ring_u_.begin(), ring_u_.end(), ring_v_.begin(), ring_v_.end(),
                        std::back_inserter(common_));
  return common_.size() == 2 && around_.Triangles(common_[0]).size() > 3 &&
         around_.Triangles(common_[1]).size() > 3;
}

// What its corners know of where the surface faced around them, with `vertex` in the place of
// `other` too: a triangle that has come far from where it was is no longer told by its own.
Point EdgeCollapser::OutwardAt(const Triangle& triangle, uint32_t vertex, uint32_t other) const {
  Point sum = {0, 0, 0};
  for (const uint32_t v : triangle) {
    const Point known = v == vertex ? Along(outward_[v], 1, outward_[other]) : outward_[v];
    sum = Along(sum, 1, Unit(known, {0, 0, 0}));
  }
  return sum;
}

// Whether a triangle at `vertex`, but not at `other`, turns over or collapses when it moves.
bool EdgeCollapser::Turns(uint32_t vertex, uint32_t other, const Point& position) const {
  for (const uint32_t i : around_.Triangles(vertex)) {
    const Triangle& t = mesh_.triangles[i];
    if (t[0] == other || t[1] == other || t[2] == other) continue;
    const auto place = [&](uint32_t v) { return v == vertex ? position : At(v); };
    const Point before = AreaNormal(At(t[0]), At(t[1]), At(t[2])),
                after = AreaNormal(place(t[0]), place(t[1]), place(t[2]));
    const float length = Length(after);
    if (!(Dot(before, after) > kLeastTurn * Length(before) * length)) return true;
    const Facing& f = facing_[i];
    const Point first = {f.x / 127.0f, f.y / 127.0f, f.z / 127.0f};
    if (rules_ > 0 && !(Dot(first, after) > kLeastFacing * length)) return true;
    if (rules_ > 1 && !(Dot(OutwardAt(t, vertex, other), after) > 0)) return true;
  }
  return false;
}

// u takes v's place too. All around is locked: what is known of it is true only until now.
void EdgeCollapser::Merge(uint32_t u, uint32_t v, const Point& position) {
  for (const uint32_t neighbour : ring_u_) locked_[neighbour] = true;
  for (const uint32_t neighbour : ring_v_) locked_[neighbour] = true;
  for (const uint32_t i : around_.Triangles(v)) {
    for (uint32_t& corner : mesh_.triangles[i]) {
      if (corner == v) corner = u;
    }
  }
  mesh_.positions[u] = position;
  quadrics_[u].Add(quadrics_[v]);
  outward_[u] = Along(outward_[u], 1, outward_[v]);
}

Status EdgeCollapser::DropCollapsed() {
  size_t kept = 0;
  for (size_t i = 0; i < mesh_.triangles.size(); ++i) {
    if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
    const Triangle t = mesh_.triangles[i];
    if (t[0] == t[1] || t[1] == t[2] || t[2] == t[0]) continue;
    facing_[kept] = facing_[i];
    mesh_.triangles[kept++] = t;
  }
  mesh_.triangles.resize(kept);
  known_triangles_ = kept;
  return Status::Ok();
}

Status EdgeCollapser::DropVertices(std::vector<uint32_t>* fixed) {
  const size_t vertices = mesh_.positions.size();
  Arena arena;
  uint32_t* renamed;
  DAF_RETURN_IF_ERROR(arena.Allocate(vertices, &renamed));
  std::fill_n(renamed, vertices, kNone);
  for (size_t i = 0; i < mesh_.triangles.size(); ++i) {
    if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
    for (const uint32_t v : mesh_.triangles[i]) renamed[v] = 0;
  }
  for (const uint32_t v : *fixed) {
    if (v != kNone) renamed[v] = 0;
  }
  uint32_t kept = 0;
  for (size_t v = 0; v < vertices; ++v) {
    if (v % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
    if (renamed[v] == kNone) continue;
    mesh_.positions[kept] = mesh_.positions[v];
    quadrics_[kept] = quadrics_[v];
    outward_[kept] = outward_[v];
    renamed[v] = kept++;
  }
  mesh_.positions.resize(kept);
  known_vertices_ = kept;
  for (size_t i = 0; i < mesh_.triangles.size(); ++i) {
    if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
    for (uint32_t& v : mesh_.triangles[i]) v = renamed[v];
  }
  for (uint32_t& v : *fixed) {
    if (v != kNone) v = renamed[v];
  }
  return Status::Ok();
}

}  // namespace daf::mesh
