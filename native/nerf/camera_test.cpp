// Cameras against pixels computed by hand, and there and back again.
#include "native/nerf/camera.h"

#include <gtest/gtest.h>

#include <limits>

#include "native/base/rng.h"

namespace daf::nerf {
namespace {

Lens LensOf(LensModel model, const LensCoefficients& k) {
  Lens lens;
  const Status status = Lens::Make(model, k, &lens);
  EXPECT_TRUE(status.ok()) << status.message();
  return lens;
}

Camera CameraOf(const Lens& lens) {
  Camera camera;
  camera.focal[0] = 800;
  camera.focal[1] = 600;
  camera.center[0] = 320;
  camera.center[1] = 240;
  camera.width = 640;
  camera.height = 480;
  camera.lens = lens;
  return camera;
}

void ExpectPixel(const Camera& camera, float x, float y, float z, float px, float py) {
  const float point[3] = {x, y, z};
  float pixel[2], depth;
  ASSERT_TRUE(Project(camera, point, pixel, &depth));
  EXPECT_NEAR(pixel[0], px, 1e-3);
  EXPECT_NEAR(pixel[1], py, 1e-3);
  EXPECT_FLOAT_EQ(depth, -z);
  // And the pixel's ray leads back to the point.
  const Ray ray = PixelRay(camera, px, py);
  const float far = std::sqrt(x * x + y * y + z * z);
  EXPECT_NEAR(ray.direction[0] * far, x, 1e-5 * far);
  EXPECT_NEAR(ray.direction[1] * far, y, 1e-5 * far);
  EXPECT_NEAR(ray.direction[2] * far, z, 1e-5 * far);
  EXPECT_NEAR(ray.slant, far / -z, 1e-5 * far);
}

TEST(Camera, PixelsComputedByHand) {
  // Non-square pixels; right of the axis and below it.
  ExpectPixel(CameraOf({}), 1, -0.5f, -2, 720, 390);
  // r² = 0.3125: radial factor 1.0322265625, tangential terms 0.001875 and 0.0009375.
  ExpectPixel(CameraOf(LensOf(LensModel::kOpenCv, {{0.1f, 0.01f}, {0.001f, 0.002f}})), 1, -0.5f, -2,
              734.390625f, 395.396484f);
  // r² = 1: (1 + 0.2 + 0.03 + 0.004) / (1 + 0.1 + 0.02 + 0.005).
  ExpectPixel(
      CameraOf(LensOf(LensModel::kOpenCv, {{0.2f, 0.03f, 0.004f, 0.1f, 0.02f, 0.005f}, {}})), 0.6f,
      -0.8f, -1, 320 + 480 * 1.234f / 1.125f, 240 + 480 * 1.234f / 1.125f);
  // 45° to the right: θ = 0.7853982, θ(1 + 0.1 θ² + 0.02 θ⁴ + 0.003 θ⁶ + 0.0004 θ⁸) = 0.8404209.
  ExpectPixel(CameraOf(LensOf(LensModel::kFisheye, {{0.1f, 0.02f, 0.003f, 0.0004f}, {}})), 3, 0, -3,
              320 + 800 * 0.8404209f, 240);
}

TEST(Camera, PosedCamerasSeeInFieldSpace) {
  Camera camera = CameraOf({});
  // Turned to look along +x from (−3, 1, 2), z up.
  const float rotation[9] = {0, -1, 0, 0, 0, 1, -1, 0, 0};
  std::copy(rotation, rotation + 9, camera.rotation);
  const float translation[3] = {1, -2, -3};
  std::copy(translation, translation + 3, camera.translation);
  const float point[3] = {1, 0, 3};  // 4 ahead, 1 to the right, 1 above
  float pixel[2], depth;
  ASSERT_TRUE(Project(camera, point, pixel, &depth));
  EXPECT_FLOAT_EQ(pixel[0], 320 + 200);
  EXPECT_FLOAT_EQ(pixel[1], 240 - 150);
  EXPECT_FLOAT_EQ(depth, 4);
  const Ray ray = PixelRay(camera, 520, 90);
  for (int a = 0; a < 3; ++a)
    EXPECT_NEAR(ray.origin[a] + ray.direction[a] * std::sqrt(18.0f), point[a], 1e-5);
}

// Every pixel of lenses from mild to hard, in sub-pixel steps: the ray's point projects to the
// pixel.
TEST(Camera, RaysProjectBackToTheirPixels) {
  const Lens lenses[] = {
      LensOf(LensModel::kOpenCv, {{-0.0368f, 0.00087f}, {-0.0375f, -0.00996f}}),
      LensOf(LensModel::kOpenCv, {{0.0578f, -0.0805f}, {-0.00098f, 0.000156f}}),
      LensOf(LensModel::kOpenCv, {{-0.32f, 0.12f, -0.01f}, {0.001f, -0.002f}}),
      LensOf(LensModel::kOpenCv, {{0.9f, 0.5f, 0.2f, 0.3f, 0.1f, 0.05f}, {0.003f, 0.003f}}),
      LensOf(LensModel::kFisheye, {{-0.03f, 0.01f, -0.004f, 0.0005f}, {}}),
      LensOf(LensModel::kFisheye, {}),
  };
  for (const Lens& lens : lenses) {
    const Camera camera = CameraOf(lens);
    for (float py = 0; py <= 480; py += 7.3f) {
      for (float px = 0; px <= 640; px += 7.1f) {
        const Ray ray = PixelRay(camera, px, py);
        float pixel[2], depth;
        ASSERT_TRUE(Project(camera, ray.direction, pixel, &depth));
        ASSERT_NEAR(pixel[0], px, 1e-3) << px << ' ' << py;
        ASSERT_NEAR(pixel[1], py, 1e-3) << px << ' ' << py;
      }
    }
  }
}

TEST(Camera, AFisheyeSeesBehindItself) {
  Camera camera = CameraOf(LensOf(LensModel::kFisheye, {}));
  camera.focal[0] = camera.focal[1] = 150;  // 640 pixels are 244°
  const float behind[3] = {-1, 0, 0.5f};
  float pixel[2], depth;
  ASSERT_TRUE(Project(camera, behind, pixel, &depth));
  EXPECT_NEAR(pixel[0], 320 - 150 * (3.14159265f / 2 + std::atan(0.5f)), 1e-3);
  EXPECT_FLOAT_EQ(depth, -0.5f);
  const Ray ray = PixelRay(camera, pixel[0], pixel[1]);
  EXPECT_NEAR(ray.direction[0] / ray.direction[2], -2, 1e-4);
  EXPECT_GT(ray.direction[2], 0);
  EXPECT_EQ(ray.slant, 0);
}

TEST(Camera, WhatALensCannotSeeIsRefused) {
  const float behind[3] = {0, 0, 1};
  float pixel[2], depth;
  EXPECT_FALSE(Project(CameraOf({}), behind, pixel, &depth));
  // r (1 − 0.5 r²) grows until r² = 2/3, to 0.5443; further out the polynomial folds back inside.
  const Lens folding = LensOf(LensModel::kOpenCv, {{-0.5f}, {}});
  EXPECT_NEAR(folding.limit(), std::sqrt(2.0 / 3), 1e-9);
  const Camera camera = CameraOf(folding);
  const float folded[3] = {1, 0, -1};
  EXPECT_FALSE(Project(camera, folded, pixel, &depth));
  // A pixel that nothing falls on takes the direction at the limit.
  const Ray ray = PixelRay(camera, 320 + 800 * 0.7f, 240);
  EXPECT_NEAR(ray.direction[0] / -ray.direction[2], std::sqrt(2.0f / 3), 1e-3);
  EXPECT_NEAR(ray.direction[1], 0, 1e-6);
}

TEST(Camera, ImpossibleLensesAreRefused) {
  Lens lens;
  EXPECT_EQ(
      Lens::Make(LensModel::kOpenCv, {{std::numeric_limits<float>::quiet_NaN()}, {}}, &lens).code(),
      Code::kBadArgument);
  EXPECT_EQ(Lens::Make(LensModel::kFisheye, {{-1e9f}, {}}, &lens).code(), Code::kBadArgument);
  EXPECT_TRUE(lens.pinhole());
}

// Whatever the coefficients, rays are finite unit vectors.
TEST(Camera, RandomLensesGiveFiniteRays) {
  Rng rng(7, 1);
  for (int i = 0; i < 300; ++i) {
    LensCoefficients k;
    for (float& v : k.k) v = rng.Uniform(-2, 2);
    for (float& v : k.p) v = rng.Uniform(-0.2f, 0.2f);
    Lens lens;
    if (!Lens::Make(i % 2 ? LensModel::kOpenCv : LensModel::kFisheye, k, &lens).ok()) continue;
    const Camera camera = CameraOf(lens);
    for (int j = 0; j < 50; ++j) {
      const Ray ray = PixelRay(camera, rng.Uniform(-2000, 2000), rng.Uniform(-2000, 2000));
      float length = 0;
      for (const float d : ray.direction) length += d * d;
      ASSERT_NEAR(length, 1, 1e-4);
      ASSERT_TRUE(std::isfinite(ray.slant));
    }
  }
}

}  // namespace
}  // namespace daf::nerf
