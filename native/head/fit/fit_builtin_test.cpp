// The embedded head fitted to people drawn from its own modes: what the demo's synthetic photos ask
// for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "native/base/rng.h"
#include "native/head/fit/fit.h"
#include "native/head/fit/points.h"
#include "native/head/fit/similarity.h"
#include "native/head/model/builtin.h"

namespace daf::head {
namespace {

constexpr int kSize = 512;

struct Picture {
  Camera camera;
  std::vector<float> landmarks;
};

// Landmarks as an annotator would place them: along the visible outline of the jaw.
Picture Photograph(const HeadModel& model, const std::vector<float>& alpha, float noise, Rng* rng) {
  std::vector<float> beta(model.expression_names.size(), 0.0f), shape(model.mean.size());
  for (float& b : beta) b = rng->Uniform() < 0.1f ? rng->Uniform(0, 0.5f) : 0.0f;
  model.Shape(alpha.data(), alpha.size(), beta.data(), beta.size(), shape.data());
  Picture picture;
  Camera& camera = picture.camera;
  camera.width = camera.height = kSize;
  camera.center[0] = camera.center[1] = kSize / 2;
  camera.focal = kSize * rng->Uniform(1.2f, 2.0f);
  RotationFromAngles(rng->Uniform(-0.7f, 0.7f), rng->Uniform(-0.2f, 0.2f),
                     rng->Uniform(-0.2f, 0.2f), camera.rotation);
  camera.translation[2] = -camera.focal / kSize * 36;
  LandmarkPoints points;
  EXPECT_TRUE(GatherPoints(model, 0, 0, &points).ok());
  std::vector<double> at;
  for (uint32_t v : points.vertex) {
    for (int k = 0; k < 3; ++k) at.push_back(shape[3 * size_t{v} + k]);
  }
  std::array<int, 17> chosen;
  ChooseContour(points, View::From(camera), at.data(), &chosen);
  const float sigma = noise * camera.focal / -camera.translation[2] * EyeDistance(model);
  for (int i = 0; i < kLandmarks; ++i) {
    const uint32_t v = i < 17 ? points.vertex[chosen[i]] : model.landmarks[i];
    float pixel[2], depth;
    EXPECT_TRUE(camera.Project(shape.data() + 3 * size_t{v}, pixel, &depth));
    for (float p : pixel) picture.landmarks.push_back(p + sigma * (noise > 0 ? rng->Normal() : 0));
  }
  return picture;
}

TEST(FitBuiltin, LandmarksComeWithinTwoPercentAndTheHeadNearerThanTheMean) {
  std::shared_ptr<const HeadModel> shared;
  ASSERT_TRUE(BuiltinHead(&shared).ok());
  const HeadModel& model = *shared;
  constexpr int kPeople = 4;
  double sums[2] = {0, 0}, mean_head = 0, worst = 0;
  // The skin's positions come first; hair and eyes follow the face.
  const Part& skin = model.parts[0];
  const uint32_t skin_positions =
      1 + *std::max_element(model.source.begin() + skin.first_vertex,
                            model.source.begin() + skin.first_vertex + skin.vertex_count);
  for (int person = 0; person < kPeople; ++person) {
    Rng rng(77, person);
    std::vector<float> alpha, truth(model.mean.size()), fitted(model.mean.size());
    for (size_t m = 0; m < model.identity_names.size(); ++m) alpha.push_back(rng.Normal());
    model.Shape(alpha.data(), alpha.size(), nullptr, 0, truth.data());
    std::vector<Picture> pictures;
    for (int v = 0; v < 3; ++v) pictures.push_back(Photograph(model, alpha, 0.005f, &rng));
    mean_head +=
        10 * MeanDistanceAfterSimilarity(model.mean.data(), truth.data(), skin_positions) / kPeople;
    int at = 0;
    for (const int count : {1, 3}) {
      std::vector<FitView> views(count);
      for (int v = 0; v < count; ++v) {
        views[v].landmarks = pictures[v].landmarks.data();
        views[v].width = views[v].height = kSize;
      }
      Arena arena;
      HeadFit fit;
      FitOptions options;
      options.noise = 0.01f;
      ASSERT_TRUE(FitHead(model, views.data(), count, options, arena, TaskControl(), &fit).ok());
      EXPECT_EQ(fit.jaw, Jaw::kContour) << person;
      for (const FitViewResult& view : fit.views) worst = std::max(worst, double{view.residual});
      model.Shape(fit.identity.data(), fit.identity.size(), nullptr, 0, fitted.data());
      for (size_t i = 0; i < fitted.size(); ++i) fitted[i] += fit.displacement[i];
      sums[at++] +=
          10 * MeanDistanceAfterSimilarity(fitted.data(), truth.data(), skin_positions) / kPeople;
    }
  }
  std::printf(
      "whole skin: mean head %.2f mm, 1 photo %.2f mm, 3 photos %.2f mm; worst landmark RMS %.2f "
      "%% of the eye distance\n",
      mean_head, sums[0], sums[1], 100 * worst);
  EXPECT_LT(worst, 0.02);
  EXPECT_LT(sums[0], mean_head);
  EXPECT_LT(sums[1], sums[0]);
}

}  // namespace
}  // namespace daf::head
