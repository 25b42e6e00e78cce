#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "native/base/rng.h"
#include "native/head/fit/pose.h"
#include "native/head/fit/view.h"

namespace daf::head {
namespace {

constexpr double kDegree = M_PI / 180;
constexpr float kEyes = 9.0f;

// 51 points of a face-like relief: a bent shell with a nose.
std::vector<float> Face() {
  std::vector<float> points;
  Rng rng(5);
  for (int i = 0; i < 51; ++i) {
    const float x = rng.Uniform(-5, 5), y = rng.Uniform(-6, 4);
    points.push_back(x);
    points.push_back(y);
    points.push_back(3.0f - 0.08f * x * x - 0.04f * y * y + 2.5f * std::exp(-(x * x + y * y) / 2));
  }
  return points;
}

Camera Make(float yaw, float pitch, float roll, float focal, float depth) {
  Camera camera;
  camera.width = 640;
  camera.height = 480;
  camera.center[0] = 320;
  camera.center[1] = 240;
  camera.focal = focal;
  RotationFromAngles(yaw, pitch, roll, camera.rotation);
  camera.translation[0] = 3;
  camera.translation[1] = -2;
  camera.translation[2] = -depth;
  return camera;
}

std::vector<float> Photograph(const Camera& camera, const std::vector<float>& points, float noise,
                              Rng* rng) {
  std::vector<float> pixels(points.size() / 3 * 2);
  for (size_t i = 0; i < points.size() / 3; ++i) {
    float depth;
    EXPECT_TRUE(camera.Project(points.data() + 3 * i, pixels.data() + 2 * i, &depth));
    for (int k = 0; k < 2; ++k) pixels[2 * i + k] += noise == 0 ? 0 : noise * rng->Normal();
  }
  return pixels;
}

Status Estimate(const std::vector<float>& points, const std::vector<float>& pixels,
                const PoseOptions& options, PoseResult* out, const float* weights = nullptr) {
  return EstimatePose(points.data(), pixels.data(), weights, static_cast<int>(points.size() / 3),
                      kEyes, 640, 480, options, out);
}

TEST(Pose, RecoversAnExactProjection) {
  const std::vector<float> points = Face();
  for (const float yaw : {-70.f, -40.f, 0.f, 15.f, 70.f}) {
    for (const float pitch : {-25.f, 0.f, 30.f}) {
      for (const float roll : {-90.f, 0.f, 25.f, 170.f}) {
        const Camera camera = Make(yaw * kDegree, pitch * kDegree, roll * kDegree, 900, 60);
        PoseOptions options;
        options.focal = 900;
        options.focal_spread = 0;
        PoseResult result;
        ASSERT_TRUE(
            Estimate(points, Photograph(camera, points, 0, nullptr), options, &result).ok());
        EXPECT_NEAR(result.yaw, yaw * kDegree, 0.1 * kDegree);
        EXPECT_NEAR(result.pitch, pitch * kDegree, 0.1 * kDegree);
        EXPECT_NEAR(std::remainder(result.roll - roll * kDegree, 2 * M_PI), 0, 0.1 * kDegree);
        EXPECT_NEAR(result.camera.translation[2], -60, 0.1);
        EXPECT_LT(result.residual, 1e-3);
        EXPECT_NEAR(result.eye_distance, 900 / 60.0 * kEyes, 0.5);
      }
    }
  }
}

TEST(Pose, FindsTheFocalLengthOfACloseFace) {
  const std::vector<float> points = Face();
  const Camera camera = Make(0.3f, 0.1f, -0.2f, 700, 35);
  PoseOptions options;
  options.focal_spread = 0.5f;
  options.noise = 0.0005f;
  PoseResult result;
  ASSERT_TRUE(Estimate(points, Photograph(camera, points, 0, nullptr), options, &result).ok());
  EXPECT_NEAR(result.camera.focal, 700, 10);
  EXPECT_NEAR(result.yaw, 0.3, 0.1 * kDegree);
}

TEST(Pose, StaysWithinBoundsUnderNoiseAndUnknownFocalLength) {
  const std::vector<float> points = Face();
  Rng rng(11);
  double sum = 0;
  for (int i = 0; i < 60; ++i) {
    const float yaw = rng.Uniform(-1.1f, 1.1f), pitch = rng.Uniform(-0.4f, 0.4f),
                roll = rng.Uniform(-0.6f, 0.6f);
    const float focal = rng.Uniform(600, 1500), depth = focal / 900 * 60;
    const Camera camera = Make(yaw, pitch, roll, focal, depth);
    PoseResult result;
    ASSERT_TRUE(Estimate(points, Photograph(camera, points, 0.02f * kEyes * focal / depth, &rng),
                         {}, &result)
                    .ok());
    const double error = std::max(
        {std::abs(result.yaw - yaw), std::abs(result.pitch - pitch), std::abs(result.roll - roll)});
    EXPECT_LT(error, 6 * kDegree) << yaw << ' ' << pitch << ' ' << roll;
    sum += error / 60;
  }
  EXPECT_LT(sum, 2 * kDegree);
}

TEST(Pose, IgnoresWildLandmarks) {
  const std::vector<float> points = Face();
  const Camera camera = Make(0.5f, -0.1f, 0.1f, 960, 60);
  std::vector<float> pixels = Photograph(camera, points, 0, nullptr);
  for (int i = 0; i < 51; i += 5) pixels[2 * i] += 80 + 3 * i;
  PoseResult result;
  ASSERT_TRUE(Estimate(points, pixels, {}, &result).ok());
  EXPECT_NEAR(result.yaw, 0.5, 1 * kDegree);
  EXPECT_LT(result.inliers, 0.85);
}

TEST(Pose, AMirroredPhotoHasTheMirroredPose) {
  const std::vector<float> points = Face();
  Rng rng(3);
  const Camera camera = Make(0.4f, 0.2f, 0.3f, 900, 60);
  const std::vector<float> pixels = Photograph(camera, points, 2.0f, &rng);
  std::vector<float> other_points = points, other_pixels = pixels;
  for (size_t i = 0; i < points.size() / 3; ++i) {
    other_points[3 * i] = -points[3 * i];
    other_pixels[2 * i] = 640 - pixels[2 * i];
  }
  PoseResult one, two;
  ASSERT_TRUE(Estimate(points, pixels, {}, &one).ok());
  ASSERT_TRUE(Estimate(other_points, other_pixels, {}, &two).ok());
  EXPECT_NEAR(one.yaw, -two.yaw, 1e-3);
  EXPECT_NEAR(one.pitch, two.pitch, 1e-3);
  EXPECT_NEAR(one.roll, -two.roll, 1e-3);
  EXPECT_NEAR(one.camera.focal, two.camera.focal, 1);
}

TEST(Pose, ACropKnowsItsPrincipalPoint) {
  const std::vector<float> points = Face();
  const Camera camera = Make(0.2f, 0.1f, 0, 1200, 50);
  std::vector<float> pixels = Photograph(camera, points, 0, nullptr);
  for (size_t i = 0; i < points.size() / 3; ++i) {
    pixels[2 * i] -= 250;
    pixels[2 * i + 1] -= 100;
  }
  PoseOptions options;
  options.focal = 1200;
  options.focal_spread = 0;
  options.center[0] = 320 - 250;
  options.center[1] = 240 - 100;
  PoseResult result;
  ASSERT_TRUE(Estimate(points, pixels, options, &result).ok());
  EXPECT_NEAR(result.yaw, 0.2, 0.1 * kDegree);
  EXPECT_NEAR(result.camera.translation[0], 3, 0.01);
}

TEST(Pose, RefusesWhatHasNoPose) {
  const std::vector<float> points = Face();
  const std::vector<float> good = Photograph(Make(0, 0, 0, 900, 60), points, 0, nullptr);
  PoseResult result;
  std::vector<float> pixels = good;
  pixels[7] = NAN;
  EXPECT_EQ(Estimate(points, pixels, {}, &result).code(), Code::kBadArgument);
  std::vector<float> weights(51, 1.0f);
  weights[3] = 0;  // the broken one is left out
  EXPECT_TRUE(Estimate(points, pixels, {}, &result, weights.data()).ok());
  weights[4] = -1;
  EXPECT_EQ(Estimate(points, good, {}, &result, weights.data()).code(), Code::kBadArgument);
  EXPECT_EQ(Estimate(points, std::vector<float>(good.size(), 100.0f), {}, &result).code(),
            Code::kBadArgument);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = 3.0f * (i / 2);
  EXPECT_EQ(Estimate(points, pixels, {}, &result).code(), Code::kBadArgument);
  EXPECT_EQ(Estimate(std::vector<float>(points.size(), 1.0f), good, {}, &result).code(),
            Code::kBadArgument);
  std::vector<float> few(51, 0.0f);
  for (int i = 0; i < 5; ++i) few[i] = 1;
  EXPECT_EQ(Estimate(points, good, {}, &result, few.data()).code(), Code::kBadArgument);
  EXPECT_EQ(
      EstimatePose(points.data(), good.data(), nullptr, 51, kEyes, 0, 480, {}, &result).code(),
      Code::kBadArgument);
}

TEST(View, DerivativesMatchFiniteDifferences) {
  View view = View::From(Make(0.5f, 0.2f, -0.3f, 900, 40));
  const double point[3] = {2, -3, 4};
  double pixel[2], jacobian[14], by_point[6];
  ASSERT_TRUE(view.Project(point, pixel, jacobian, by_point));
  for (int a = 0; a < kViewParameters; ++a) {
    double step[kViewParameters] = {0}, plus[2], minus[2];
    const double h = 1e-6;
    View moved = view;
    step[a] = h;
    moved.Move(step);
    ASSERT_TRUE(moved.Project(point, plus, nullptr, nullptr));
    moved = view;
    step[a] = -h;
    moved.Move(step);
    ASSERT_TRUE(moved.Project(point, minus, nullptr, nullptr));
    for (int k = 0; k < 2; ++k)
      EXPECT_NEAR(jacobian[k * 7 + a], (plus[k] - minus[k]) / (2 * h), 1e-4) << a;
  }
  for (int a = 0; a < 3; ++a) {
    double moved[3] = {2, -3, 4}, plus[2], minus[2];
    moved[a] += 1e-6;
    ASSERT_TRUE(view.Project(moved, plus, nullptr, nullptr));
    moved[a] -= 2e-6;
    ASSERT_TRUE(view.Project(moved, minus, nullptr, nullptr));
    for (int k = 0; k < 2; ++k) EXPECT_NEAR(by_point[3 * k + a], (plus[k] - minus[k]) / 2e-6, 1e-4);
  }
  const Camera camera = view.ToCamera();
  const float at[3] = {2, -3, 4};
  float same[2], depth;
  ASSERT_TRUE(camera.Project(at, same, &depth));
  for (int k = 0; k < 2; ++k) EXPECT_NEAR(same[k], pixel[k], 1e-2);
}

}  // namespace
}  // namespace daf::head
