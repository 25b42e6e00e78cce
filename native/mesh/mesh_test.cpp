#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "native/base/rng.h"
#include "native/mesh/components.h"
#include "native/mesh/iso_surface.h"

namespace daf::mesh {
namespace {

constexpr float kPi = 3.14159265f;

Sampler Of(float (*f)(const float*)) {
  return [f](const float* points, size_t count, float* values) {
    for (size_t i = 0; i < count; ++i) values[i] = f(points + 3 * i);
    return Status::Ok();
  };
}

float Ball(const float* p) { return 1.0f - std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]); }

// Every edge has exactly two triangles, which run along it in opposite directions.
void ExpectWatertight(const Mesh& mesh) {
  std::map<std::pair<uint32_t, uint32_t>, int> edges;
  for (const auto& t : mesh.triangles) {
    for (int i = 0; i < 3; ++i) ++edges[{t[i], t[(i + 1) % 3]}];
  }
  for (const auto& [edge, count] : edges) {
    ASSERT_EQ(count, 1);
    ASSERT_EQ(edges.count({edge.second, edge.first}), 1u);
  }
}

double Volume(const Mesh& mesh) {
  double six = 0;
  for (const auto& t : mesh.triangles) {
    const auto &a = mesh.positions[t[0]], &b = mesh.positions[t[1]], &c = mesh.positions[t[2]];
    six += a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) +
           a[2] * (b[0] * c[1] - b[1] * c[0]);
  }
  return six / 6;
}

TEST(IsoSurface, SphereIsWatertightAndHasItsVolume) {
  Mesh mesh;
  const IsoGrid grid{{-1.5f, -1.4f, -1.6f}, {1.5f, 1.6f, 1.4f}, 48, 0.0f};
  ASSERT_TRUE(ExtractIsoSurface(grid, Of(Ball), TaskControl(), &mesh).ok());
  ExpectWatertight(mesh);
  EXPECT_NEAR(Volume(mesh), 4.0 / 3.0 * kPi, 0.01 * 4.0 / 3.0 * kPi);
  const int64_t euler =
      static_cast<int64_t>(mesh.positions.size()) - static_cast<int64_t>(mesh.triangles.size()) / 2;
  EXPECT_EQ(euler, 2);  // V − E + F with E = 3F/2
  for (const auto& p : mesh.positions)
    EXPECT_NEAR(std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]), 1.0f, 0.01f);
}

TEST(IsoSurface, NoiseIsWatertightAndClosesAtTheBox) {
  Rng rng(7);
  const Sampler noise = [&rng](const float*, size_t count, float* values) {
    for (size_t i = 0; i < count; ++i) values[i] = rng.Uniform(-1, 1);
    return Status::Ok();
  };
  Mesh mesh;
  ASSERT_TRUE(
      ExtractIsoSurface({{0, 0, 0}, {1, 1, 1}, 12, 0.0f}, noise, TaskControl(), &mesh).ok());
  EXPECT_GT(mesh.triangles.size(), 1000u);
  ExpectWatertight(mesh);
  EXPECT_GT(Volume(mesh), 0.0);
}

TEST(IsoSurface, RefusesBadGridsAndValues) {
  Mesh mesh;
  EXPECT_EQ(ExtractIsoSurface({{0, 0, 0}, {0, 1, 1}, 8, 0}, Of(Ball), TaskControl(), &mesh).code(),
            Code::kBadArgument);
  EXPECT_EQ(ExtractIsoSurface({{0, 0, 0}, {1, 1, 1}, 0, 0}, Of(Ball), TaskControl(), &mesh).code(),
            Code::kBadArgument);
  const auto nan = [](const float*) { return std::numeric_limits<float>::quiet_NaN(); };
  EXPECT_EQ(ExtractIsoSurface({{0, 0, 0}, {1, 1, 1}, 8, 0}, Of(nan), TaskControl(), &mesh).code(),
            Code::kBadData);
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(
      ExtractIsoSurface({{0, 0, 0}, {1, 1, 1}, 8, 0}, Of(Ball), TaskControl(words), &mesh).code(),
      Code::kCancelled);
}

TEST(Components, KeepsTheLargest) {
  const auto two = [](const float* p) {
    const float q[3] = {p[0] - 1.5f, p[1], p[2]};
    const float r = std::sqrt((p[0] + 1) * (p[0] + 1) + p[1] * p[1] + p[2] * p[2]);
    return std::fmax(1.0f - r, Ball(q) - 0.6f);
  };
  Mesh mesh;
  ASSERT_TRUE(
      ExtractIsoSurface({{-3, -3, -3}, {3, 3, 3}, 40, 0.0f}, Of(two), TaskControl(), &mesh).ok());
  KeepLargestComponent(&mesh);
  ExpectWatertight(mesh);
  EXPECT_NEAR(Volume(mesh), 4.0 / 3.0 * kPi, 0.1);
  for (const auto& p : mesh.positions) EXPECT_LT(p[0], 0.1f);
}

}  // namespace
}  // namespace daf::mesh
