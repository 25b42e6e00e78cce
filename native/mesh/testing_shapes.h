// Functions with known surfaces, and what is asked of every mesh, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <utility>

#include "native/mesh/iso_grid.h"
#include "native/mesh/mesh.h"
#include "native/mesh/vector.h"

namespace daf::mesh::testing {

constexpr float kPi = 3.14159265f;

template <typename F>
Sampler Of(F f) {
  return [f](const float* points, size_t count, float* values) {
    for (size_t i = 0; i < count; ++i) values[i] = f(points + 3 * i);
    return Status::Ok();
  };
}

// Positive inside, the distance to the surface.
inline float Ball(const float* p) {
  return 1.0f - std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
}
inline float BallAt(const float* p, float x, float y, float z, float radius) {
  const float q[3] = {p[0] - x, p[1] - y, p[2] - z};
  return Ball(q) - 1.0f + radius;
}

// A ball with bumps of two sizes: the larger of a few cells, the smaller of two, where a grid has
// about a hundred.
inline float Bumpy(const float* p) {
  const auto waves = [p](float k) {
    return std::sin(k * p[0] + 1) * std::sin(1.1f * k * p[1]) * std::sin(0.9f * k * p[2] + 2);
  };
  return Ball(p) + 0.02f * waves(20) + 0.006f * waves(57);
}

inline Point Middle(const Mesh& mesh, const Triangle& t) {
  Point sum = {0, 0, 0};
  for (const uint32_t v : t) sum = Along(sum, 1.0f / 3, mesh.positions[v]);
  return sum;
}

// Triangles without an area or whose normal turns a right angle or more from where f falls.
template <typename F>
size_t TrianglesAgainst(const Mesh& mesh, F f, float step) {
  size_t against = 0;
  for (const Triangle& t : mesh.triangles) {
    const Point middle = Middle(mesh, t);
    Point outward;
    for (int a = 0; a < 3; ++a) {
      Point low = middle, high = middle;
      low[a] -= step;
      high[a] += step;
      outward[a] = f(low.data()) - f(high.data());
    }
    const Point& a = mesh.positions[t[0]];
    against += !(Dot(AreaNormal(a, mesh.positions[t[1]], mesh.positions[t[2]]), outward) > 0);
  }
  return against;
}

// Every edge has exactly two triangles, which run along it in opposite directions.
inline void ExpectWatertight(const Mesh& mesh) {
  std::map<std::pair<uint32_t, uint32_t>, int> edges;
  for (const auto& t : mesh.triangles) {
    for (int i = 0; i < 3; ++i) ++edges[{t[i], t[(i + 1) % 3]}];
  }
  for (const auto& [edge, count] : edges) {
    ASSERT_EQ(count, 1);
    ASSERT_EQ(edges.count({edge.second, edge.first}), 1u);
  }
}

inline double Volume(const Mesh& mesh) {
  double six = 0;
  for (const auto& t : mesh.triangles) {
    const auto &a = mesh.positions[t[0]], &b = mesh.positions[t[1]], &c = mesh.positions[t[2]];
    six += a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) +
           a[2] * (b[0] * c[1] - b[1] * c[0]);
  }
  return six / 6;
}

inline double Area(const Mesh& mesh) {
  double sum = 0;
  for (const auto& t : mesh.triangles) {
    const auto &a = mesh.positions[t[0]], &b = mesh.positions[t[1]], &c = mesh.positions[t[2]];
    const double u[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]},
                 v[3] = {c[0] - a[0], c[1] - a[1], c[2] - a[2]};
    sum += std::hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2],
                      u[0] * v[1] - u[1] * v[0]) /
           2;
  }
  return sum;
}

// Of a closed surface: 2 for a sphere, 0 for a torus; sums over components.
inline int64_t EulerCharacteristic(const Mesh& mesh) {  // V − E + F with E = 3F/2
  return static_cast<int64_t>(mesh.positions.size()) -
         static_cast<int64_t>(mesh.triangles.size()) / 2;
}

}  // namespace daf::mesh::testing
