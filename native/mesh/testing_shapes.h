// Functions with known surfaces, and what is asked of every mesh, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <utility>

#include "native/mesh/iso_grid.h"
#include "native/mesh/mesh.h"

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
