#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "native/base/rng.h"
#include "native/head/raster/rasteriser.h"
#include "native/head/raster/shade.h"

namespace daf::head {
namespace {

Camera Front(int size) {
  Camera camera;
  camera.width = camera.height = size;
  camera.center[0] = camera.center[1] = static_cast<float>(size) / 2;
  camera.focal = static_cast<float>(size) * 2;
  return camera;
}

struct Pixels {
  std::vector<uint32_t> triangle;
  std::vector<float> barycentric, depth;
};

Pixels Draw(const Camera& camera, const MeshView& mesh, bool cull = false) {
  const size_t n = static_cast<size_t>(camera.width) * static_cast<size_t>(camera.height);
  Pixels p{std::vector<uint32_t>(n), std::vector<float>(2 * n), std::vector<float>(n)};
  std::vector<float> projected(3 * mesh.position_count);
  ProjectPositions(camera, mesh, projected.data());
  RasterOptions options;
  options.cull_back = cull;
  Rasterise(camera, mesh, projected.data(), options,
            {p.triangle.data(), p.barycentric.data(), p.depth.data()});
  return p;
}

MeshView View(const std::vector<float>& positions, const std::vector<uint32_t>& triangles) {
  MeshView mesh;
  mesh.positions = positions.data();
  mesh.position_count = mesh.render_count = positions.size() / 3;
  mesh.triangles = triangles.data();
  mesh.triangle_count = triangles.size() / 3;
  return mesh;
}

TEST(Camera, AnglesRoundTripAndTurnTheFaceAsDocumented) {
  float r[9];
  RotationFromAngles(0.5f, 0.3f, -0.2f, r);
  float yaw, pitch, roll;
  AnglesFromRotation(r, &yaw, &pitch, &roll);
  EXPECT_NEAR(yaw, 0.5f, 1e-5f);
  EXPECT_NEAR(pitch, 0.3f, 1e-5f);
  EXPECT_NEAR(roll, -0.2f, 1e-5f);
  RotationFromAngles(0.4f, 0, 0, r);
  EXPECT_GT(r[2], 0.3f);  // the face's +z goes to +x, its own left
  RotationFromAngles(0, 0.4f, 0, r);
  EXPECT_GT(r[5], 0.3f);  // and up
  RotationFromAngles(0, 0, 0.4f, r);
  EXPECT_GT(r[1], 0.3f);  // the crown goes to the subject's left shoulder
}

TEST(Rasteriser, CoverageAndDepthOfATiltedRectangleAreAnalytic) {
  const Camera camera = Front(200);
  // Corners at ±10 cm, depth 50 on the left and 100 on the right.
  const std::vector<float> positions = {-10, -10, 10, 10, -10, -40, 10, 10, -40, -10, 10, 10};
  const std::vector<uint32_t> triangles = {0, 1, 2, 0, 2, 3};
  const Pixels p = Draw(camera, View(positions, triangles), true);
  int covered = 0;
  for (int y = 0; y < 200; ++y) {
    for (int x = 0; x < 200; ++x) {
      const size_t at = static_cast<size_t>(y) * 200 + x;
      if (p.triangle[at] == kNoTriangle) continue;
      ++covered;
      // Plane x = (depth − 75)·0.4 seen along the ray x = (px − 100)/400 · depth.
      const double slope = (x + 0.5 - 100) / 400;
      const double depth = 30 / (0.4 - slope);
      ASSERT_NEAR(p.depth[at], depth, 0.02 * depth / 50);
    }
  }
  // Left edge at 100 − 80, right at 100 + 40; half heights 80 and 40: the trapezoid's area.
  EXPECT_NEAR(covered, 120 * (160 + 80) / 2, 120);
}

TEST(Rasteriser, EveryPixelOfATriangulatedSheetIsDrawnOnce) {
  Rng rng(7);
  const int n = 12;
  std::vector<float> positions;
  std::vector<uint32_t> triangles;
  for (int j = 0; j <= n; ++j) {
    for (int i = 0; i <= n; ++i) {
      const bool edge = i == 0 || j == 0 || i == n || j == n;
      const float dx = edge ? 0 : rng.Uniform(-0.3f, 0.3f),
                  dy = edge ? 0 : rng.Uniform(-0.3f, 0.3f);
      positions.insert(positions.end(),
                       {-6 + static_cast<float>(i) + dx, -6 + static_cast<float>(j) + dy, 0});
    }
  }
  for (uint32_t j = 0; j < n; ++j) {
    for (uint32_t i = 0; i < n; ++i) {
      const uint32_t a = j * (n + 1) + i, b = a + 1, c = a + n + 1, d = c + 1;
      triangles.insert(triangles.end(), {a, b, d, a, d, c});
    }
  }
  const Camera camera = Front(160);
  const MeshView mesh = View(positions, triangles);
  std::vector<int> times(160 * 160, 0);
  for (uint32_t t = 0; t < mesh.triangle_count; ++t) {
    MeshView one = mesh;
    one.triangles = mesh.triangles + 3 * t;
    one.triangle_count = 1;
    const Pixels p = Draw(camera, one);
    for (size_t i = 0; i < times.size(); ++i) times[i] += p.triangle[i] != kNoTriangle;
  }
  int covered = 0;
  for (int t : times) {
    ASSERT_LE(t, 1);
    covered += t;
  }
  EXPECT_EQ(covered, 64 * 64);  // 12 cm at depth 60 and focal 320
}

TEST(Rasteriser, BarycentricsArePerspectiveCorrectAndNearerWins) {
  const Camera camera = Front(100);
  const std::vector<float> positions = {-8, -8, 5,   8, -8, -30, 0, 9, -10,
                                        -8, -8, -35, 8, -8, -35, 0, 9, -35};
  const std::vector<uint32_t> triangles = {3, 4, 5, 0, 1, 2};
  const Pixels p = Draw(camera, View(positions, triangles));
  int checked = 0;
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 100; ++x) {
      const size_t at = static_cast<size_t>(y) * 100 + x;
      if (p.triangle[at] != 1) continue;
      const float b1 = p.barycentric[2 * at], b2 = p.barycentric[2 * at + 1], b0 = 1 - b1 - b2;
      float point[3], pixel[2], depth;
      for (int k = 0; k < 3; ++k)
        point[k] = b0 * positions[k] + b1 * positions[3 + k] + b2 * positions[6 + k];
      ASSERT_TRUE(camera.Project(point, pixel, &depth));
      ASSERT_NEAR(pixel[0], x + 0.5f, 0.02f);
      ASSERT_NEAR(pixel[1], y + 0.5f, 0.02f);
      ASSERT_NEAR(depth, p.depth[at], 1e-2f);
      ++checked;
    }
  }
  EXPECT_GT(checked, 300);
}

TEST(Rasteriser, SkipsWhatIsBehindTheCameraAndBacks) {
  const Camera camera = Front(64);
  const std::vector<float> behind = {-8, -8, 70, 8, -8, 0, 0, 9, 0};
  const std::vector<uint32_t> triangle = {0, 1, 2}, back = {0, 2, 1};
  for (uint32_t t : Draw(camera, View(behind, triangle)).triangle) ASSERT_EQ(t, kNoTriangle);
  const std::vector<float> front = {-8, -8, 0, 8, -8, 0, 0, 9, 0};
  for (uint32_t t : Draw(camera, View(front, back), true).triangle) ASSERT_EQ(t, kNoTriangle);
}

// Asks every pixel of the bounding box, in whole numbers, as the rule is written down.
std::vector<int> Inside(const float* projected, int size) {
  std::vector<int> inside(static_cast<size_t>(size) * size, 0);
  int64_t p[3][2];
  for (int k = 0; k < 3; ++k) {
    for (int a = 0; a < 2; ++a) p[k][a] = std::llround(double{projected[3 * k + a]} * 256);
  }
  if ((p[2][0] - p[0][0]) * (p[1][1] - p[0][1]) < (p[2][1] - p[0][1]) * (p[1][0] - p[0][0]))
    std::swap(p[1], p[2]);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      bool all = true;
      for (int k = 0; k < 3; ++k) {
        const int64_t *a = p[(k + 2) % 3], *b = p[(k + 1) % 3];
        const int64_t dx = b[0] - a[0], dy = b[1] - a[1];
        const int64_t value = dx * (y * 256 + 128 - a[1]) - dy * (x * 256 + 128 - a[0]);
        all = all && value >= ((dy == 0 && dx > 0) || dy < 0 ? 0 : 1);
      }
      inside[static_cast<size_t>(y) * size + x] = all;
    }
  }
  return inside;
}

TEST(Rasteriser, RunsOfARowAreTheVeryPixelsInsideAndAreCovered) {
  Rng rng(3);
  const int size = 48;
  const Camera camera = Front(size);
  int seen = 0;
  for (int round = 0; round < 600; ++round) {
    // Slivers, specks and triangles beyond the picture; corners on whole pixels now and then.
    const float spread = round % 3 == 0 ? 0.4f : round % 3 == 1 ? 5.0f : 40.0f;
    const float x = rng.Uniform(-12, 12), y = rng.Uniform(-12, 12);
    std::vector<float> positions;
    for (int k = 0; k < 3; ++k) {
      float px = x + rng.Uniform(-spread, spread), py = y + rng.Uniform(-spread, spread);
      if (round % 5 == 0) px = std::round(px), py = std::round(py);
      positions.insert(positions.end(), {px * 0.625f, py * 0.625f, 0});
    }
    const std::vector<uint32_t> triangle = {0, 1, 2};
    const MeshView mesh = View(positions, triangle);
    const Pixels p = Draw(camera, mesh);
    float projected[9];
    ProjectPositions(camera, mesh, projected);
    std::vector<uint8_t> covered(static_cast<size_t>(size) * size, 7);
    Cover(camera, mesh, projected, {}, covered.data());
    const std::vector<int> inside = Inside(projected, size);
    for (size_t i = 0; i < inside.size(); ++i) {
      ASSERT_EQ(p.triangle[i] != kNoTriangle, inside[i] != 0) << round << " " << i;
      ASSERT_EQ(covered[i], inside[i]) << round << " " << i;
      seen += inside[i];
    }
  }
  EXPECT_GT(seen, 20000);
}

TEST(Picture, TextureIsShownUprightAndEdgesAreSoft) {
  const std::vector<float> positions = {-5, -5, 0, 5, -5, 0, 5, 5, 0, -5, 5, 0};
  const std::vector<float> uv = {0, 1, 1, 1, 1, 0, 0, 0};
  const std::vector<uint32_t> triangles = {0, 1, 2, 0, 2, 3};
  MeshView mesh = View(positions, triangles);
  mesh.uv = uv.data();
  // Top left red, top right green, bottom blue.
  const uint8_t texels[16] = {255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 0, 0, 255, 255};
  MipTexture texture;
  ASSERT_TRUE(texture.Build(texels, 2, 2).ok());
  Camera camera = Front(101);
  camera.focal = 303;
  std::vector<uint8_t> rgba(101 * 101 * 4);
  std::vector<float> depth(101 * 101);
  PictureStyle style;
  style.shading = Shading::kTexture;
  MeshLook look;
  look.texture = &texture;
  ASSERT_TRUE(
      RenderPicture(camera, mesh, look, style, TaskControl(), rgba.data(), depth.data()).ok());
  auto at = [&](int x, int y) { return &rgba[4 * (static_cast<size_t>(y) * 101 + x)]; };
  EXPECT_EQ(at(30, 30)[0], 255);
  EXPECT_EQ(at(70, 30)[1], 255);
  EXPECT_EQ(at(30, 70)[2], 255);
  EXPECT_EQ(at(50, 10)[3], 0);
  EXPECT_NEAR(depth[50 * 101 + 50], 60, 1e-3);
  EXPECT_TRUE(std::isinf(depth[0]));
  int soft = 0;
  for (int x = 0; x < 101; ++x) soft += at(x, 50)[3] > 0 && at(x, 50)[3] < 255;
  EXPECT_GT(soft, 0);
  std::vector<uint8_t> mask(101 * 101);
  ASSERT_TRUE(RenderMask(camera, mesh, TaskControl(), mask.data()).ok());
  double area = 0;
  for (uint8_t m : mask) area += m / 255.0;
  EXPECT_NEAR(area, 50.5 * 50.5, 30);
}

TEST(Picture, RefusesWhatItCannotDrawAndStopsWhenAsked) {
  const std::vector<float> positions = {-5, -5, 0, 5, -5, 0, 5, 5, 0};
  const std::vector<uint32_t> good = {0, 1, 2}, bad = {0, 1, 3};
  const Camera camera = Front(16);
  std::vector<uint8_t> rgba(16 * 16 * 4);
  PictureStyle style;
  EXPECT_EQ(
      RenderPicture(camera, View(positions, bad), {}, style, TaskControl(), rgba.data(), nullptr)
          .code(),
      Code::kBadArgument);
  style.shading = Shading::kTexture;
  EXPECT_EQ(
      RenderPicture(camera, View(positions, good), {}, style, TaskControl(), rgba.data(), nullptr)
          .code(),
      Code::kBadArgument);
  style.shading = Shading::kClay;
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(RenderPicture(camera, View(positions, good), {}, style, TaskControl(words), rgba.data(),
                          nullptr)
                .code(),
            Code::kCancelled);
}

}  // namespace
}  // namespace daf::head
