#include "native/mesh/iso_surface.h"

#include <cmath>
#include <limits>
#include <utility>

namespace daf::mesh {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
constexpr int kEdgeKinds =
    8;  // an edge runs from a grid point by one of the offsets 1…7 (bits x, y, z)

// Corners of the six tetrahedra of a cell as offsets (bits x, y, z), each positively oriented.
constexpr int kTetrahedra[6][4] = {{0, 1, 3, 7}, {0, 2, 6, 7}, {0, 4, 5, 7},
                                   {0, 3, 2, 7}, {0, 6, 4, 7}, {0, 5, 1, 7}};

// Even permutations of a tetrahedron's corners: one that puts corner v first, one that puts the
// pair (v, w) first.
constexpr int kFirst[4][4] = {{0, 1, 2, 3}, {1, 0, 3, 2}, {2, 0, 1, 3}, {3, 2, 1, 0}};
constexpr int kPairs[6][4] = {{0, 1, 2, 3}, {0, 2, 3, 1}, {0, 3, 1, 2},
                              {1, 2, 0, 3}, {1, 3, 2, 0}, {2, 3, 0, 1}};

// Keeps crossings off the grid points, where triangles would collapse.
constexpr float kMargin = 1e-3f;

class Extractor {
 public:
  Extractor(const IsoGrid& grid, Mesh* out)
      : grid_(grid), side_(static_cast<size_t>(grid.resolution) + 1), out_(*out) {
    for (int slice = 0; slice < 2; ++slice) {
      values_[slice].resize(side_ * side_);
      edges_[slice].resize(side_ * side_ * kEdgeKinds);
    }
    points_.resize(side_ * side_ * 3);
  }

  Status Run(const Sampler& sampler, const TaskControl& control) {
    for (size_t z = 0; z < side_; ++z) {
      DAF_RETURN_IF_ERROR(control.Check());
      std::swap(values_[0], values_[1]);
      std::swap(edges_[0], edges_[1]);
      edges_[1].assign(edges_[1].size(), kNone);
      DAF_RETURN_IF_ERROR(SampleSlice(sampler, z));
      if (z == 0) continue;
      for (size_t y = 0; y + 1 < side_; ++y) {
        for (size_t x = 0; x + 1 < side_; ++x) Cell(x, y, z - 1);
      }
      control.Progress(static_cast<int32_t>(z), static_cast<int32_t>(side_ - 1));
    }
    return Status::Ok();
  }

 private:
  float Coordinate(int axis, size_t i) const {
    const float t = static_cast<float>(i) / static_cast<float>(side_ - 1);
    return grid_.low[axis] + (grid_.high[axis] - grid_.low[axis]) * t;
  }

  Status SampleSlice(const Sampler& sampler, size_t z) {
    for (size_t y = 0; y < side_; ++y) {
      for (size_t x = 0; x < side_; ++x) {
        float* point = &points_[(y * side_ + x) * 3];
        point[0] = Coordinate(0, x);
        point[1] = Coordinate(1, y);
        point[2] = Coordinate(2, z);
      }
    }
    DAF_RETURN_IF_ERROR(sampler(points_.data(), side_ * side_, values_[1].data()));
    const float outside = grid_.iso - std::fmax(1.0f, std::fabs(grid_.iso));
    for (size_t y = 0; y < side_; ++y) {
      for (size_t x = 0; x < side_; ++x) {
        float& value = values_[1][y * side_ + x];
        if (!std::isfinite(value))
          return Status(Code::kBadData, "the field gave a value that is not finite");
        const bool face =
            x == 0 || y == 0 || z == 0 || x + 1 == side_ || y + 1 == side_ || z + 1 == side_;
        if (face) value = std::fmin(value, outside);
      }
    }
    return Status::Ok();
  }

  void Cell(size_t x, size_t y, size_t z) {
    float corner[8];
    int inside = 0;
    for (int c = 0; c < 8; ++c) {
      corner[c] = values_[c >> 2][(y + ((c >> 1) & 1)) * side_ + x + (c & 1)];
      inside += corner[c] > grid_.iso;
    }
    if (inside == 0 || inside == 8) return;
    for (const auto& tetrahedron : kTetrahedra) {
      int mask = 0;
      for (int v = 0; v < 4; ++v) mask |= (corner[tetrahedron[v]] > grid_.iso) << v;
      if (mask != 0 && mask != 15) Tetrahedron(x, y, z, tetrahedron, mask, corner);
    }
  }

  void Tetrahedron(size_t x, size_t y, size_t z, const int (&t)[4], int mask,
                   const float (&corner)[8]) {
    const auto cross = [&](int a, int b) { return Crossing(x, y, z, t[a], t[b], corner); };
    for (int v = 0; v < 4; ++v) {
      const auto& p = kFirst[v];
      const uint32_t a = mask == 1 << v || mask == (15 ^ (1 << v)) ? cross(p[0], p[1]) : kNone;
      if (a == kNone) continue;
      const uint32_t b = cross(p[0], p[2]), c = cross(p[0], p[3]);
      if (mask == 1 << v) {
        out_.triangles.push_back({a, b, c});
      } else {
        out_.triangles.push_back({a, c, b});
      }
      return;
    }
    for (const auto& p : kPairs) {
      if (mask != ((1 << p[0]) | (1 << p[1]))) continue;
      const uint32_t a = cross(p[0], p[2]), b = cross(p[0], p[3]), c = cross(p[1], p[3]),
                     d = cross(p[1], p[2]);
      out_.triangles.push_back({a, b, c});
      out_.triangles.push_back({a, c, d});
      return;
    }
  }

  // The vertex where the surface cuts the edge between two corners of a cell, made once and shared
  // by all cells around it.
  uint32_t Crossing(size_t x, size_t y, size_t z, int a, int b, const float (&corner)[8]) {
    const int low = a & b, high = a | b;  // along an edge one corner's bits contain the other's
    const size_t ex = x + (low & 1), ey = y + ((low >> 1) & 1);
    uint32_t& id = edges_[low >> 2][(ey * side_ + ex) * kEdgeKinds + (high ^ low)];
    if (id != kNone) return id;
    float t = (grid_.iso - corner[low]) / (corner[high] - corner[low]);
    t = std::fmin(std::fmax(t, kMargin), 1.0f - kMargin);
    std::array<float, 3> point;
    const size_t base[3] = {x, y, z};
    for (int axis = 0; axis < 3; ++axis) {
      const float from = Coordinate(axis, base[axis] + ((low >> axis) & 1));
      const float to = Coordinate(axis, base[axis] + ((high >> axis) & 1));
      point[axis] = from + (to - from) * t;
    }
    id = static_cast<uint32_t>(out_.positions.size());
    out_.positions.push_back(point);
    return id;
  }

  const IsoGrid& grid_;
  const size_t side_;
  Mesh& out_;
  std::vector<float> values_[2];    // slice z − 1 and slice z
  std::vector<uint32_t> edges_[2];  // vertices on edges that start in that slice
  std::vector<float> points_;
};

}  // namespace

Status ExtractIsoSurface(const IsoGrid& grid, const Sampler& sampler, const TaskControl& control,
                         Mesh* out) {
  out->positions.clear();
  out->triangles.clear();
  if (grid.resolution < 1 || grid.resolution > 1024) {
    return Status(Code::kBadArgument,
                  "resolution " + std::to_string(grid.resolution) + " is not within 1 and 1024");
  }
  for (int axis = 0; axis < 3; ++axis) {
    if (!(grid.low[axis] < grid.high[axis])) return Status(Code::kBadArgument, "the box is empty");
  }
  return Extractor(grid, out).Run(sampler, control);
}

}  // namespace daf::mesh
