#include "native/head/fit/fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "native/base/rng.h"
#include "native/head/fit/displace.h"
#include "native/head/fit/points.h"
#include "native/head/fit/similarity.h"
#include "native/head/fit/small_head.h"
#include "native/head/fit/solver.h"

namespace daf::head {
namespace {

constexpr int kSize = 800;

Camera Make(float yaw, float pitch, float roll, float depth = 55) {
  Camera camera;
  camera.width = camera.height = kSize;
  camera.center[0] = camera.center[1] = kSize / 2;
  camera.focal = 1.5f * kSize;
  RotationFromAngles(yaw, pitch, roll, camera.rotation);
  camera.translation[2] = -depth;
  return camera;
}

std::vector<float> Landmarks(const HeadModel& model, const std::vector<float>& shape,
                             const Camera& camera) {
  std::vector<float> pixels(2 * kLandmarks);
  for (int i = 0; i < kLandmarks; ++i) {
    float depth;
    EXPECT_TRUE(camera.Project(shape.data() + 3 * size_t{model.landmarks[i]}, pixels.data() + 2 * i,
                               &depth));
  }
  return pixels;
}

std::vector<float> ShapeOf(const HeadModel& model, std::vector<float> alpha,
                           std::vector<float> beta) {
  std::vector<float> shape(model.mean.size());
  model.Shape(alpha.data(), alpha.size(), beta.data(), beta.size(), shape.data());
  return shape;
}

FitView ViewOf(const std::vector<float>& pixels) {
  FitView view;
  view.landmarks = pixels.data();
  view.width = view.height = kSize;
  return view;
}

Status Fit(const HeadModel& model, const std::vector<FitView>& views, const FitOptions& options,
           HeadFit* fit) {
  Arena arena;
  return FitHead(model, views.data(), static_cast<int>(views.size()), options, arena, TaskControl(),
                 fit);
}

double Error(const HeadModel& model, const HeadFit& fit, const std::vector<float>& truth) {
  std::vector<float> shape = ShapeOf(model, fit.identity, {});
  for (size_t i = 0; i < shape.size(); ++i) shape[i] += fit.displacement[i];
  return MeanDistanceAfterSimilarity(shape.data(), truth.data(), model.position_count);
}

TEST(SmallHead, IsAValidModel) { EXPECT_TRUE(SmallHead().Validate().ok()); }

TEST(Fit, RecoversIdentityExpressionAndPoseFromThreePhotos) {
  const HeadModel model = SmallHead();
  const std::vector<float> alpha = {1.2f, -0.8f, 0.9f};
  const float yaws[3] = {-0.5f, 0.05f, 0.6f}, opened[3] = {0, 0.5f, 0.2f};
  std::vector<std::vector<float>> pixels;
  for (int v = 0; v < 3; ++v)
    pixels.push_back(
        Landmarks(model, ShapeOf(model, alpha, {opened[v], 0.3f}), Make(yaws[v], 0.1f, -0.1f)));
  FitOptions options;
  options.noise = 0.002f;
  options.jaw = Jaw::kFixed;
  HeadFit fit;
  ASSERT_TRUE(
      Fit(model, {ViewOf(pixels[0]), ViewOf(pixels[1]), ViewOf(pixels[2])}, options, &fit).ok());
  for (int m = 0; m < 3; ++m) {
    EXPECT_NEAR(fit.identity[m], alpha[m], 0.15) << m;
    EXPECT_GT(fit.identity_variance[m], 0);
    EXPECT_LT(fit.identity_variance[m], 0.1);
  }
  for (int v = 0; v < 3; ++v) {
    EXPECT_NEAR(fit.views[v].yaw, yaws[v], 0.02);
    EXPECT_NEAR(fit.views[v].expression[0], opened[v], 0.1);
    EXPECT_LT(fit.views[v].residual, 0.003);
    EXPECT_GT(fit.views[v].trust, 0.5);
  }
}

TEST(Fit, GradientMatchesFiniteDifferencesOfTheCost) {
  const HeadModel model = SmallHead();
  LandmarkPoints points;
  ASSERT_TRUE(GatherPoints(model, -1, -1, &points).ok());
  Rng rng(4);
  const std::vector<float> pixels =
      Landmarks(model, ShapeOf(model, {1, 0.5f, -1}, {0.4f, 0.2f}), Make(0.4f, 0.1f, 0));
  Observation o;
  for (int i = 0; i < kLandmarks; ++i) {
    o.weight[i] = 1;
    for (int k = 0; k < 2; ++k) o.pixel[2 * i + k] = pixels[2 * i + k] + 4 * rng.Normal();
  }
  o.view = View::From(Make(0.3f, 0.0f, 0.05f));
  o.log_focal = o.view.log_focal + 0.2;
  o.focal_spread = 0.35;
  o.eye_distance_cm = EyeDistance(model);
  o.expression = {0.5, 0.5};
  std::vector<double> identity = {0.3, 0.1, -0.2};
  SolverOptions options;
  options.contour = true;
  const Solver solver(points, options);
  std::vector<Observation> one = {o};
  solver.Associate(identity, true, &one);
  double by_identity[3], by_view[kViewParameters + 2];
  solver.Gradient(one[0], identity, by_identity, by_view);
  const double h = 1e-5;
  for (int m = 0; m < 3; ++m) {
    std::vector<double> plus = identity, minus = identity;
    plus[m] += h;
    minus[m] -= h;
    const double slope = (solver.Cost(one, plus) - solver.Cost(one, minus)) / (2 * h);
    EXPECT_NEAR(by_identity[m], -0.5 * slope, 1e-4 * (1 + std::abs(slope))) << m;
  }
  for (int a = 0; a < kViewParameters + 2; ++a) {
    double costs[2];
    for (int sign = 0; sign < 2; ++sign) {
      std::vector<Observation> moved = one;
      double step[kViewParameters] = {0};
      if (a < kViewParameters) step[a] = sign == 0 ? h : -h;
      if (a < kViewParameters) moved[0].view.Move(step);
      if (a >= kViewParameters) moved[0].expression[a - kViewParameters] += sign == 0 ? h : -h;
      costs[sign] = solver.Cost(moved, identity);
    }
    const double slope = (costs[0] - costs[1]) / (2 * h);
    EXPECT_NEAR(by_view[a], -0.5 * slope, 1e-4 * (1 + std::abs(slope))) << a;
  }
}

// What an annotator draws: on the side turned away, the outline and not the hidden jaw.
std::vector<float> OutlineLandmarks(const HeadModel& model, const std::vector<float>& shape,
                                    const Camera& camera) {
  LandmarkPoints points;
  EXPECT_TRUE(GatherPoints(model, 0, 0, &points).ok());
  std::vector<double> at;
  for (uint32_t v : points.vertex) {
    for (int k = 0; k < 3; ++k) at.push_back(shape[3 * size_t{v} + k]);
  }
  std::array<int, 17> chosen;
  ChooseContour(points, View::From(camera), at.data(), &chosen);
  std::vector<float> pixels = Landmarks(model, shape, camera);
  for (int i = 0; i < 17; ++i) {
    float depth;
    EXPECT_TRUE(camera.Project(shape.data() + 3 * size_t{points.vertex[chosen[i]]},
                               pixels.data() + 2 * i, &depth));
  }
  return pixels;
}

TEST(Fit, TellsOutlinesFromFixedJaws) {
  const HeadModel model = SmallHead();
  const std::vector<float> shape = ShapeOf(model, {0.8f, 0.5f, -0.5f}, {0.1f, 0});
  const Camera camera = Make(0.75f, 0, 0);
  const std::vector<float> outline = OutlineLandmarks(model, shape, camera),
                           fixed = Landmarks(model, shape, camera);
  // yaw > 0 turns the face to its own left: the left jaw (9–16) goes out of sight, the right one
  // stays as it is.
  double left = 0, right = 0;
  for (int i = 0; i < 17; ++i) (i < 8 ? right : left) += std::abs(outline[2 * i] - fixed[2 * i]);
  EXPECT_GT(left, 10);
  EXPECT_LT(right, 1);
  FitOptions options;
  HeadFit fit;
  ASSERT_TRUE(Fit(model, {ViewOf(outline)}, options, &fit).ok());
  EXPECT_EQ(fit.jaw, Jaw::kContour);
  EXPECT_NEAR(fit.views[0].yaw, 0.75, 0.06);
  ASSERT_TRUE(Fit(model, {ViewOf(fixed)}, options, &fit).ok());
  EXPECT_EQ(fit.jaw, Jaw::kFixed);
  EXPECT_NEAR(fit.views[0].yaw, 0.75, 0.06);
}

TEST(Fit, MirroredPhotosGiveTheMirroredHead) {
  const HeadModel model = SmallHead();
  const std::vector<float> shape = ShapeOf(model, {0.8f, 0.5f, -0.5f}, {0.1f, 0.3f});
  std::vector<float> pixels = Landmarks(model, shape, Make(0.4f, 0.1f, 0.2f)),
                     mirrored(pixels.size());
  Rng rng(9);
  for (float& p : pixels) p += 3 * rng.Normal();
  std::array<int, kLandmarks> other;
  for (int i = 0; i < kLandmarks; ++i) {
    for (int j = 0; j < kLandmarks; ++j) {
      if (model.mirror[model.landmarks[i]] == model.landmarks[j]) other[i] = j;
    }
  }
  for (int i = 0; i < kLandmarks; ++i) {
    mirrored[2 * other[i]] = kSize - pixels[2 * i];
    mirrored[2 * other[i] + 1] = pixels[2 * i + 1];
  }
  HeadFit one, two;
  ASSERT_TRUE(Fit(model, {ViewOf(pixels)}, {}, &one).ok());
  ASSERT_TRUE(Fit(model, {ViewOf(mirrored)}, {}, &two).ok());
  EXPECT_NEAR(one.views[0].yaw, -two.views[0].yaw, 2e-3);
  EXPECT_NEAR(one.views[0].roll, -two.views[0].roll, 2e-3);
  for (uint32_t v = 0; v < model.position_count; ++v) {
    const uint32_t m = model.mirror[v];
    EXPECT_NEAR(one.displacement[3 * v], -two.displacement[3 * m], 5e-3);
    EXPECT_NEAR(one.displacement[3 * v + 1], two.displacement[3 * m + 1], 5e-3);
  }
}

TEST(Fit, TheDisplacementBringsEveryLandmarkHomeWithoutTurningATriangle) {
  const HeadModel model = SmallHead();
  std::vector<float> shape = ShapeOf(model, {0.5f, 0, 0.5f}, {});
  // A head the modes cannot make: one smooth dent in the left cheek, a longer chin.
  for (uint32_t v = 0; v < model.position_count; ++v) {
    const float x = shape[3 * v] - 4, y = shape[3 * v + 1] + 4;
    shape[3 * v] -= 0.6f * std::exp(-(x * x + y * y) / 12);
    if (shape[3 * v + 1] < -3) shape[3 * v + 1] *= 1.06f;
  }
  const std::vector<float> pixels = Landmarks(model, shape, Make(0.3f, 0, 0));
  FitOptions options;
  HeadFit fit, without;
  ASSERT_TRUE(Fit(model, {ViewOf(pixels)}, options, &fit).ok());
  options.displacement = false;
  ASSERT_TRUE(Fit(model, {ViewOf(pixels)}, options, &without).ok());
  EXPECT_EQ(without.displacement_rms, 0);
  EXPECT_LT(fit.views[0].residual, 0.005);
  EXPECT_LT(fit.views[0].residual, 0.4 * without.views[0].residual);
  std::vector<float> fitted = ShapeOf(model, fit.identity, fit.views[0].expression);
  for (size_t i = 0; i < fitted.size(); ++i) fitted[i] += fit.displacement[i];
  for (int i = 17; i < kLandmarks; ++i) {
    float pixel[2], depth;
    ASSERT_TRUE(
        fit.views[0].camera.Project(fitted.data() + 3 * size_t{model.landmarks[i]}, pixel, &depth));
    EXPECT_LT(std::hypot(pixel[0] - pixels[2 * i], pixel[1] - pixels[2 * i + 1]),
              0.02 * fit.views[0].eye_distance)
        << i;
  }
  EXPECT_LT(fit.displacement_rms, 1.0);
}

TEST(Fit, MorePhotosAreNeverWorseAndASinglePhotoBeatsTheMean) {
  const HeadModel model = SmallHead();
  Rng rng(21);
  double sums[3] = {0, 0, 0}, mean = 0;
  constexpr int kPeople = 12;
  for (int person = 0; person < kPeople; ++person) {
    const std::vector<float> alpha = {rng.Normal(), rng.Normal(), rng.Normal()},
                             truth = ShapeOf(model, alpha, {});
    std::vector<std::vector<float>> pixels;
    for (int v = 0; v < 5; ++v) {
      const Camera camera =
          Make(rng.Uniform(-0.7f, 0.7f), rng.Uniform(-0.2f, 0.2f), rng.Uniform(-0.2f, 0.2f));
      pixels.push_back(Landmarks(
          model, ShapeOf(model, alpha, {rng.Uniform(0, 0.4f), rng.Uniform(0, 0.4f)}), camera));
      const float sigma = 0.02f * camera.focal / 55 * EyeDistance(model);
      for (float& p : pixels.back()) p += sigma * rng.Normal();
    }
    int at = 0;
    for (const int count : {1, 3, 5}) {
      std::vector<FitView> views;
      for (int v = 0; v < count; ++v) views.push_back(ViewOf(pixels[v]));
      HeadFit fit;
      ASSERT_TRUE(Fit(model, views, {}, &fit).ok());
      sums[at++] += Error(model, fit, truth) / kPeople;
    }
    mean += MeanDistanceAfterSimilarity(model.mean.data(), truth.data(), model.position_count) /
            kPeople;
  }
  EXPECT_LT(sums[0], mean);
  EXPECT_LT(sums[1], sums[0]);
  EXPECT_LT(sums[2], sums[1] * 1.02);
}

TEST(Fit, SomeoneElsesPhotoIsTrustedLess) {
  const HeadModel model = SmallHead();
  const std::vector<float> mine = ShapeOf(model, {1, 0, 0}, {});
  std::vector<std::vector<float>> pixels;
  for (int v = 0; v < 3; ++v) pixels.push_back(Landmarks(model, mine, Make(0.3f * v - 0.3f, 0, 0)));
  pixels.push_back(Landmarks(model, ShapeOf(model, {-3, 3, -2}, {}), Make(0.2f, 0, 0)));
  HeadFit fit;
  FitOptions options;
  ASSERT_TRUE(Fit(model,
                  {ViewOf(pixels[0]), ViewOf(pixels[1]), ViewOf(pixels[2]), ViewOf(pixels[3])},
                  options, &fit)
                  .ok());
  EXPECT_LT(fit.views[3].trust, 0.7);
  EXPECT_GT(fit.views[1].trust, 0.9);
}

TEST(Fit, ReportsWhatIsWrong) {
  const HeadModel model = SmallHead();
  std::vector<float> pixels = Landmarks(model, model.mean, Make(0, 0, 0));
  HeadFit fit;
  EXPECT_EQ(Fit(model, {}, {}, &fit).code(), Code::kBadArgument);
  std::vector<float> broken = pixels;
  broken[80] = INFINITY;
  const Status status = Fit(model, {ViewOf(pixels), ViewOf(broken)}, {}, &fit);
  EXPECT_EQ(status.code(), Code::kBadArgument);
  EXPECT_NE(status.message().find("photo 1"), std::string::npos);
  broken = pixels;
  broken[3] = NAN;  // a jaw landmark, which the first pose does not use
  EXPECT_EQ(Fit(model, {ViewOf(broken)}, {}, &fit).code(), Code::kBadArgument);
  int32_t words[3] = {1, 0, 0};
  Arena arena;
  const FitView view = ViewOf(pixels);
  EXPECT_EQ(FitHead(model, &view, 1, {}, arena, TaskControl(words), &fit).code(), Code::kCancelled);
}

}  // namespace
}  // namespace daf::head
