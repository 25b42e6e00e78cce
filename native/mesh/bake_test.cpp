#include "native/mesh/bake.h"

#include "native/mesh/band_surface.h"
#include "native/mesh/dilate.h"
#include "native/mesh/level_fit.h"
#include "native/mesh/normals.h"
#include "native/mesh/simplify.h"
#include "native/mesh/smooth.h"
#include "native/mesh/spread_colors.h"
#include "native/mesh/testing_shapes.h"
#include "native/mesh/vector.h"

namespace daf::mesh {
namespace {

using namespace testing;

Mesh Sphere(int resolution, size_t faces) {
  Mesh mesh;
  BandReport report;
  EXPECT_TRUE(ExtractBandSurface({{-1.5f, -1.4f, -1.6f}, {1.5f, 1.6f, 1.4f}, resolution, 0},
                                 Of(Ball), {}, TaskControl(), &mesh, &report)
                  .ok());
  EXPECT_TRUE(Simplify(faces, TaskControl(), &mesh).ok());
  return mesh;
}

TEST(LevelFit, VerticesComeToLieOnTheLevelWithItsNormals) {
  Mesh mesh = Sphere(24, 600);
  for (Point& p : mesh.positions) p = Along(p, 0.02f * std::sin(9 * p[0]), p);
  ASSERT_TRUE(FitToLevel(Of(Ball), 0, 0.1f, TaskControl(), &mesh).ok());
  for (const Point& p : mesh.positions) EXPECT_NEAR(Length(p), 1, 1e-4f);
  std::vector<Point> normals;
  ASSERT_TRUE(GradientNormals(Of(Ball), 0.05f, TaskControl(), mesh, &normals).ok());
  for (size_t v = 0; v < normals.size(); ++v)
    EXPECT_GT(Dot(normals[v], mesh.positions[v]), 0.9999f);
}

TEST(LevelFit, LeavesWhatHasNoLevelAndTurnsNothingOver) {
  Mesh mesh = Sphere(24, 600);
  const std::vector<Point> before = mesh.positions;
  const auto solid = [](const float*) { return 1.0f; };
  ASSERT_TRUE(FitToLevel(Of(solid), 0, 0.1f, TaskControl(), &mesh).ok());
  EXPECT_EQ(mesh.positions, before);
  std::vector<Point> normals;
  ASSERT_TRUE(GradientNormals(Of(solid), 0.05f, TaskControl(), mesh, &normals).ok());
  for (size_t v = 0; v < normals.size(); ++v) EXPECT_GT(Dot(normals[v], before[v]), 0.9f);
  // A level that jumps about: whatever was found, no triangle points inwards.
  const auto wild = [](const float* p) { return Ball(p) + 0.08f * std::sin(300 * p[0] * p[1]); };
  ASSERT_TRUE(FitToLevel(Of(wild), 0, 0.2f, TaskControl(), &mesh).ok());
  for (const Triangle& t : mesh.triangles) {
    EXPECT_GT(Dot(AreaNormal(mesh.positions[t[0]], mesh.positions[t[1]], mesh.positions[t[2]]),
                  AreaNormal(before[t[0]], before[t[1]], before[t[2]])),
              0);
  }
}

TEST(Smooth, TakesOutNoiseAndKeepsTheVolume) {
  Mesh mesh = Sphere(32, 4000);
  for (Point& p : mesh.positions) p = Along(p, 0.01f * std::sin(500 * (p[0] + p[1])), p);
  const auto roughness = [&] {
    double sum = 0;
    for (const Point& p : mesh.positions) sum += std::fabs(Length(p) - 1);
    return sum / static_cast<double>(mesh.positions.size());
  };
  const double before = roughness(), volume = Volume(mesh);
  ASSERT_TRUE(Smooth(5, TaskControl(), &mesh).ok());
  EXPECT_LT(roughness(), before / 2);
  EXPECT_NEAR(Volume(mesh), volume, 0.01 * volume);
  ExpectWatertight(mesh);
}

TEST(Bake, TexelsHoldTheColourOfTheSurfaceUnderThem) {
  Mesh mesh = Sphere(32, 2000);
  const AtlasOptions options = {256, 2};
  Atlas atlas;
  ASSERT_TRUE(BuildAtlas(mesh, options, TaskControl(), &atlas).ok());
  std::vector<Point> normals;
  ASSERT_TRUE(GradientNormals(Of(Ball), 0.05f, TaskControl(), mesh, &normals).ok());
  // Colour by position, and a part that a view adds and its opposite takes away.
  float farthest = 0, least_cosine = 1;
  const ColorSampler colors = [&](const float* points, size_t count, const float* directions,
                                  size_t views, float* out) {
    for (size_t i = 0; i < views * count; ++i) {
      const float* p = points + 3 * (i % count);
      const Point n = Unit({p[0], p[1], p[2]}, {0, 0, 1});
      const Point d = {directions[3 * i], directions[3 * i + 1], directions[3 * i + 2]};
      farthest = std::fmax(farthest, std::fabs(Ball(p)));
      least_cosine = std::fmin(least_cosine, -Dot(d, n));
      const Point across = Along(d, -Dot(d, n), n);
      for (size_t c = 0; c < 3; ++c) out[3 * i + c] = 0.5f + 0.3f * p[c] + 0.1f * across[c];
    }
    return Status::Ok();
  };
  std::vector<uint8_t> rgb(256 * 256 * 3);
  const BakeSource source = {Of(Ball), colors, 0, 0.1f, {}};
  ASSERT_TRUE(BakeTexture(mesh, normals, atlas, 256, source, TaskControl(), rgb.data()).ok());
  EXPECT_LT(farthest, 1e-3f) << "looked at on the level, not on the triangles";
  EXPECT_GT(least_cosine, 0.7f) << "looked at from outside";
  for (size_t v = 0; v < atlas.source.size(); ++v) {
    const Point& p = mesh.positions[atlas.source[v]];
    const auto x = static_cast<size_t>(atlas.uvs[v][0] * 256),
               y = static_cast<size_t>(atlas.uvs[v][1] * 256);
    for (size_t c = 0; c < 3; ++c)
      EXPECT_NEAR(rgb[3 * (y * 256 + x) + c], 255 * (0.5f + 0.3f * p[c]), 5);
  }
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(BakeTexture(mesh, normals, atlas, 256, source, TaskControl(words), rgb.data()).code(),
            Code::kCancelled);
}

// Red where it is shown, blue where it is not: no blue may be seen.
TEST(Bake, WhatIsNotShownTakesTheColoursAroundIt) {
  const Mesh mesh = Sphere(32, 2000);
  Atlas atlas;
  ASSERT_TRUE(BuildAtlas(mesh, {256, 2}, TaskControl(), &atlas).ok());
  const std::vector<Point> normals = VertexNormals(mesh);
  const auto shown = [](const Point& p, const Point&) { return p[0] > 0; };
  const ColorSampler colors = [&](const float* points, size_t count, const float*, size_t views,
                                  float* out) {
    for (size_t i = 0; i < views * count; ++i) {
      const bool red = points[3 * (i % count)] > -0.01f;  // it is looked at beside the point
      out[3 * i] = red ? 0.75f : 0;
      out[3 * i + 1] = 0;
      out[3 * i + 2] = red ? 0 : 1.0f;
    }
    return Status::Ok();
  };
  std::vector<uint8_t> rgb(256 * 256 * 3);
  const BakeSource source = {Of(Ball), colors, 0, 0.1f, shown};
  ASSERT_TRUE(BakeTexture(mesh, normals, atlas, 256, source, TaskControl(), rgb.data()).ok());
  for (size_t i = 0; i < rgb.size(); i += 3) {
    EXPECT_NEAR(rgb[i], 191, 1);
    EXPECT_EQ(rgb[i + 2], 0);
  }
}

TEST(SpreadColors, LeavesThemAloneWhereNoneIsKnown) {
  const Mesh mesh = Sphere(16, 400);
  std::vector<Point> colors(mesh.positions.size(), Point{0.1f, 0.2f, 0.3f});
  const std::vector<Point> before = colors;
  ASSERT_TRUE(SpreadColors(mesh, std::vector<bool>(colors.size()), TaskControl(), &colors).ok());
  EXPECT_EQ(colors, before);
}

TEST(Dilate, FillsEveryTexelFromTheNearest) {
  std::vector<uint8_t> rgb(16 * 16 * 3, 0);
  std::vector<bool> covered(256, false);
  ASSERT_TRUE(Dilate(covered, 16, TaskControl(), rgb.data()).ok());
  EXPECT_EQ(rgb[100], 0);
  for (int y = 0; y < 16; ++y) {
    covered[static_cast<size_t>(y * 16 + 2)] = covered[static_cast<size_t>(y * 16 + 13)] = true;
    rgb[static_cast<size_t>(3 * (y * 16 + 2))] = 200;
    rgb[static_cast<size_t>(3 * (y * 16 + 13)) + 1] = 100;
  }
  ASSERT_TRUE(Dilate(covered, 16, TaskControl(), rgb.data()).ok());
  for (size_t y = 0; y < 16; ++y) {
    EXPECT_EQ(rgb[3 * (y * 16 + 0)], 200);
    EXPECT_EQ(rgb[3 * (y * 16 + 6)], 200);
    EXPECT_EQ(rgb[3 * (y * 16 + 6) + 1], 0);
    EXPECT_EQ(rgb[3 * (y * 16 + 15) + 1], 100);
  }
}

}  // namespace
}  // namespace daf::mesh
