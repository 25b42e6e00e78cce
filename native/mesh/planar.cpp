#include "native/mesh/planar.h"

#include <algorithm>
#include <cmath>

namespace daf::mesh {
namespace {

size_t Bucket(int32_t x, int32_t y) {
  const uint32_t mixed =
      static_cast<uint32_t>(x) * 0x9E3779B1u ^ static_cast<uint32_t>(y) * 0x85EBCA6Bu;
  return (mixed >> 16 ^ mixed) & 4095;
}

// Whether an edge of `a` has all of `b` on its outer side, up to `slack`.
bool Separates(const Triangle2& a, const Triangle2& b, float slack) {
  for (size_t k = 0; k < 3; ++k) {
    const Point2 &from = a[k], &to = a[(k + 1) % 3];
    const float dx = to[0] - from[0], dy = to[1] - from[1];
    const float limit = slack * std::hypot(dx, dy);
    bool all = true;
    for (const Point2& p : b) all = all && dx * (p[1] - from[1]) - dy * (p[0] - from[0]) <= limit;
    if (all) return true;
  }
  return false;
}

}  // namespace

void PlanarLayout::Clear() {
  for (const uint32_t bucket : used_) heads_[bucket] = kNone;
  used_.clear();
  entries_.clear();
  triangles_.clear();
}

template <typename Visit>
void PlanarLayout::EachCell(const Triangle2& t, Visit visit) const {
  const auto cell = [&](float v) { return static_cast<int32_t>(std::floor(v / cell_)); };
  const auto [left, right] = std::minmax({t[0][0], t[1][0], t[2][0]});
  const auto [bottom, top] = std::minmax({t[0][1], t[1][1], t[2][1]});
  for (int32_t y = cell(bottom); y <= cell(top); ++y) {
    for (int32_t x = cell(left); x <= cell(right); ++x) visit(x, y);
  }
}

bool PlanarLayout::Overlap(const Triangle2& a, const Triangle2& b) const {
  const float slack = 1e-4f * cell_;
  return !Separates(a, b, slack) && !Separates(b, a, slack);
}

bool PlanarLayout::Add(const Triangle2& triangle) {
  bool free = true;
  EachCell(triangle, [&](int32_t x, int32_t y) {
    for (uint32_t e = heads_[Bucket(x, y)]; free && e != kNone; e = entries_[e].next) {
      if (entries_[e].x == x && entries_[e].y == y)
        free = !Overlap(triangles_[entries_[e].triangle], triangle);
    }
  });
  if (!free) return false;
  const auto index = static_cast<uint32_t>(triangles_.size());
  triangles_.push_back(triangle);
  EachCell(triangle, [&](int32_t x, int32_t y) {
    const size_t bucket = Bucket(x, y);
    if (heads_[bucket] == kNone) used_.push_back(static_cast<uint32_t>(bucket));
    entries_.push_back({index, heads_[bucket], x, y});
    heads_[bucket] = static_cast<uint32_t>(entries_.size() - 1);
  });
  return true;
}

}  // namespace daf::mesh
