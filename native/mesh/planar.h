// Triangles laid out in the plane of a chart, none over another.
#pragma once

#include <array>
#include <vector>

#include "native/mesh/mesh.h"

namespace daf::mesh {

using Point2 = std::array<float, 2>;
using Triangle2 = std::array<Point2, 3>;  // counter-clockwise

class PlanarLayout {
 public:
  // cell: about the length of an edge; overlaps narrower than a ten-thousandth of it are none.
  explicit PlanarLayout(float cell) : cell_(cell), heads_(kBuckets, kNone) {}
  void Clear();
  // Adds a triangle unless it overlaps one that is there.
  bool Add(const Triangle2& triangle);

 private:
  struct Entry {
    uint32_t triangle, next;
    int32_t x, y;  // the cell, since different ones share a bucket
  };
  static constexpr size_t kBuckets = 4096;

  template <typename Visit>
  void EachCell(const Triangle2& triangle, Visit visit) const;
  bool Overlap(const Triangle2& a, const Triangle2& b) const;

  const float cell_;
  std::vector<uint32_t> heads_;  // first entry of each bucket
  std::vector<uint32_t> used_;   // buckets that are not empty
  std::vector<Entry> entries_;
  std::vector<Triangle2> triangles_;
};

}  // namespace daf::mesh
