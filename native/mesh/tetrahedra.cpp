#include "native/mesh/tetrahedra.h"

#include <cmath>
#include <utility>

namespace daf::mesh {
namespace {

// An edge runs from a grid point by one of the offsets 1…7 (bits x, y, z).
constexpr size_t kEdgeKinds = 8;

// Corners of the six tetrahedra of a cell, each positively oriented.
constexpr int kTetrahedra[6][4] = {{0, 1, 3, 7}, {0, 2, 6, 7}, {0, 4, 5, 7},
                                   {0, 3, 2, 7}, {0, 6, 4, 7}, {0, 5, 1, 7}};

// Even permutations of a tetrahedron's corners: one that puts corner v first, one that puts the
// pair (v, w) first.
constexpr int kFirst[4][4] = {{0, 1, 2, 3}, {1, 0, 3, 2}, {2, 0, 1, 3}, {3, 2, 1, 0}};
constexpr int kPairs[6][4] = {{0, 1, 2, 3}, {0, 2, 3, 1}, {0, 3, 1, 2},
                              {1, 2, 0, 3}, {1, 3, 2, 0}, {2, 3, 0, 1}};

// Keeps crossings off the grid points, where triangles would collapse.
constexpr float kMargin = 1e-3f;

uint32_t TetrahedronMask(const int (&t)[4], uint32_t inside_mask) {
  uint32_t mask = 0;
  for (int v = 0; v < 4; ++v) mask |= ((inside_mask >> t[v]) & 1u) << v;
  return mask;
}

}  // namespace

TetrahedraMesher::TetrahedraMesher(const IsoGrid& grid, Mesh* out) : grid_(grid), out_(*out) {
  for (auto& slice : edges_) slice.assign(grid.side() * grid.side() * kEdgeKinds, kNone);
}

size_t TetrahedraMesher::Bytes(const IsoGrid& grid) {
  return 2 * grid.side() * grid.side() * kEdgeKinds * sizeof(uint32_t);
}

void TetrahedraMesher::NextLayer() {
  std::swap(edges_[0], edges_[1]);
  std::swap(touched_[0], touched_[1]);
  for (const uint32_t edge : touched_[1]) edges_[1][edge] = kNone;
  touched_[1].clear();
}

void TetrahedraMesher::KeepFrontier(std::vector<uint32_t>* kept) {
  kept->clear();
  for (const uint32_t edge : touched_[1]) {
    uint32_t& id = edges_[1][edge];
    // Vertices are numbered, and edges touched, in one order: none is overwritten that is to stay.
    const auto place = static_cast<uint32_t>(kept->size());
    out_.positions[place] = out_.positions[id];
    kept->push_back(id);
    id = place;
  }
  out_.positions.resize(kept->size());
  out_.triangles.clear();
}

void TetrahedraMesher::Cell(size_t x, size_t y, size_t z, const float (&corner)[8]) {
  const uint32_t mask = InsideMask(corner, grid_.iso);
  if (!Crosses(mask)) return;
  at_[0] = x;
  at_[1] = y;
  at_[2] = z;
  corner_ = corner;
  for (const auto& t : kTetrahedra) Tetrahedron(t, mask);
}

void TetrahedraMesher::Tetrahedron(const int (&t)[4], uint32_t inside_mask) {
  const uint32_t mask = TetrahedronMask(t, inside_mask);
  if (mask == 0 || mask == 15) return;
  for (int v = 0; v < 4; ++v) {
    const bool alone_inside = mask == 1u << v;
    if (!alone_inside && mask != (15u ^ (1u << v))) continue;
    const auto& p = kFirst[v];
    const uint32_t a = Crossing(t[p[0]], t[p[1]]), b = Crossing(t[p[0]], t[p[2]]),
                   c = Crossing(t[p[0]], t[p[3]]);
    out_.triangles.push_back(alone_inside ? Triangle{a, b, c} : Triangle{a, c, b});
    return;
  }
  for (const auto& p : kPairs) {
    if (mask != ((1u << p[0]) | (1u << p[1]))) continue;
    const uint32_t a = Crossing(t[p[0]], t[p[2]]), b = Crossing(t[p[0]], t[p[3]]),
                   c = Crossing(t[p[1]], t[p[3]]), d = Crossing(t[p[1]], t[p[2]]);
    out_.triangles.push_back({a, b, c});
    out_.triangles.push_back({a, c, d});
    return;
  }
}

// The vertex where the surface cuts the edge between two corners, made at first use.
uint32_t TetrahedraMesher::Crossing(int a, int b) {
  const int low = a & b, high = a | b;  // along an edge one corner's bits contain the other's
  const size_t ex = at_[0] + (low & 1), ey = at_[1] + ((low >> 1) & 1);
  const int slice = low >> 2;
  const size_t edge = (ey * grid_.side() + ex) * kEdgeKinds + static_cast<size_t>(high ^ low);
  uint32_t& id = edges_[slice][edge];
  if (id != kNone) return id;
  float t = (grid_.iso - corner_[low]) / (corner_[high] - corner_[low]);
  t = std::fmin(std::fmax(t, kMargin), 1.0f - kMargin);
  Point point;
  for (int axis = 0; axis < 3; ++axis) {
    const float from = grid_.Coordinate(axis, at_[axis] + ((low >> axis) & 1));
    const float to = grid_.Coordinate(axis, at_[axis] + ((high >> axis) & 1));
    point[axis] = from + (to - from) * t;
  }
  id = static_cast<uint32_t>(out_.positions.size());
  touched_[slice].push_back(static_cast<uint32_t>(edge));
  out_.positions.push_back(point);
  return id;
}

}  // namespace daf::mesh
