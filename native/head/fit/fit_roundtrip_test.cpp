// How close the fit comes on heads it has not seen: the ICT test data drawn with all its modes,
// fitted with 40.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "native/base/rng.h"
#include "native/head/fit/fit.h"
#include "native/head/fit/ict_model.h"
#include "native/head/fit/similarity.h"

namespace daf::head {
namespace {

struct Person {
  std::vector<float> identity, neutral;
  std::vector<std::vector<float>> landmarks;  // per view [68][2]
};

constexpr int kSize = 1024;

Person Draw(const HeadModel& model, int views, uint64_t seed) {
  Rng rng(seed, 7);
  Person person;
  for (size_t m = 0; m < model.identity_names.size(); ++m) person.identity.push_back(rng.Normal());
  person.neutral.resize(model.mean.size());
  model.Shape(person.identity.data(), person.identity.size(), nullptr, 0, person.neutral.data());
  std::vector<float> shape(model.mean.size());
  for (int v = 0; v < views; ++v) {
    std::vector<float> expression(model.expression_names.size(), 0.0f);
    for (float& e : expression) e = rng.Uniform() < 0.12f ? rng.Uniform(0, 0.7f) : 0.0f;
    model.Shape(person.identity.data(), person.identity.size(), expression.data(),
                expression.size(), shape.data());
    Camera camera;
    camera.width = camera.height = kSize;
    camera.center[0] = camera.center[1] = kSize / 2;
    camera.focal = kSize * std::exp(rng.Uniform(0.0f, 0.9f));
    RotationFromAngles(rng.Uniform(-0.8f, 0.8f), rng.Uniform(-0.3f, 0.3f), rng.Uniform(-0.3f, 0.3f),
                       camera.rotation);
    const float depth = camera.focal / kSize * rng.Uniform(28, 45);
    camera.translation[0] = rng.Uniform(-2, 2);
    camera.translation[1] = rng.Uniform(-2, 2);
    camera.translation[2] = -depth;
    const float sigma = 0.01f * camera.focal / depth * EyeDistance(model);
    std::vector<float> pixels(2 * kLandmarks);
    for (int i = 0; i < kLandmarks; ++i) {
      float d;
      EXPECT_TRUE(
          camera.Project(shape.data() + 3 * size_t{model.landmarks[i]}, pixels.data() + 2 * i, &d));
      pixels[2 * i] += sigma * rng.Normal();
      pixels[2 * i + 1] += sigma * rng.Normal();
    }
    person.landmarks.push_back(std::move(pixels));
  }
  return person;
}

double Millimetres(const HeadModel& model, const Person& person, const HeadFit& fit,
                   bool displaced) {
  std::vector<float> shape(model.mean.size());
  model.Shape(fit.identity.data(), fit.identity.size(), nullptr, 0, shape.data());
  if (displaced) {
    for (size_t i = 0; i < shape.size(); ++i) shape[i] += fit.displacement[i];
  }
  return 10 * MeanDistanceAfterSimilarity(shape.data(), person.neutral.data(), ict::kNarrowFace);
}

TEST(FitRoundTrip, ComesCloserToAnUnseenHeadThanTheMeanAndImprovesWithPhotos) {
  HeadModel model;
  if (!ict::Load(&model, false)) GTEST_SKIP() << "no ICT test data (DAF_SHARED_DATA)";
#ifdef __SANITIZE_ADDRESS__
  constexpr int kPeople = 2;  // instrumented code looks for mistakes, not for figures
#else
  constexpr int kPeople = 40;
#endif
  double mean_head = 0;
  std::vector<double> means;
  for (const int views : {1, 5}) {
    std::vector<double> errors, displaced;
    std::vector<double> residuals, mode_residuals;
    for (int person_index = 0; person_index < kPeople; ++person_index) {
      const Person person = Draw(model, views, 1000 + person_index);
      std::vector<FitView> inputs;
      for (const std::vector<float>& pixels : person.landmarks) {
        FitView view;
        view.landmarks = pixels.data();
        view.width = view.height = kSize;
        view.pose.noise = 0.01f;
        inputs.push_back(view);
      }
      FitOptions options;
      options.identity_modes = 40;
      options.noise = 0.01f;
      Arena arena;
      HeadFit fit;
      const Status status =
          FitHead(model, inputs.data(), views, options, arena, TaskControl(), &fit);
      ASSERT_TRUE(status.ok()) << status.message();
      for (const FitViewResult& view : fit.views) residuals.push_back(view.residual);
      for (const FitViewResult& view : fit.views) mode_residuals.push_back(view.mode_residual);
      errors.push_back(Millimetres(model, person, fit, false));
      displaced.push_back(Millimetres(model, person, fit, true));
      if (views == 1) {
        HeadFit none;
        none.identity.assign(model.identity_names.size(), 0);
        mean_head += Millimetres(model, person, none, false) / kPeople;
      }
    }
    const auto mean = [](const std::vector<double>& v) {
      double s = 0;
      for (double x : v) s += x;
      return s / v.size();
    };
    std::vector<double> sorted = errors;
    std::sort(sorted.begin(), sorted.end());
    std::printf(
        "narrow face, %d view(s): mean %.2f mm, p90 %.2f mm; with displacement %.2f mm; "
        "landmarks %.2f %% of the eye distance, with displacement %.2f %%\n",
        views, mean(errors), sorted[kPeople * 9 / 10], mean(displaced), 100 * mean(mode_residuals),
        100 * mean(residuals));
    means.push_back(mean(errors));
  }
  std::printf("mean head: %.2f mm\n", mean_head);
  EXPECT_LT(means[0], mean_head);
  EXPECT_LT(means[1], mean_head);
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LT(means[0], 1.6);
  EXPECT_LT(means[1], 1.2);
  EXPECT_NEAR(mean_head, 2.65, 0.1);
#endif
}

}  // namespace
}  // namespace daf::head
