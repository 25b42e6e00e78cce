// Rendering in two looks, against closed forms and one look.
#include <gtest/gtest.h>

#include <cmath>

#include "native/nerf/testing_render.h"

namespace daf::nerf {
namespace {

using testing::Analytic;
using testing::AnalyticField;
using testing::Grey;
using testing::Image;
using testing::Orbit;
using testing::RenderOf;

std::unique_ptr<Model> TwoLooks(const Analytic& field, const Analytic& coarse) {
  std::unique_ptr<Model> model;
  EXPECT_TRUE(Model::Make(std::make_unique<AnalyticField>(field, coarse), Box(), 32, &model).ok());
  return model;
}

RenderOptions Options(uint32_t coarse, uint32_t fine) {
  RenderOptions options;
  options.importance = {coarse, fine};
  options.exhaustive = true;
  return options;
}

Analytic Fog(float density) {
  return {[density](float, float, float) { return density; }, Grey};
}

// A wall across the box at z = 0.6 (of the unit cube), as thick as given.
Analytic Wall(float thickness) {
  return {[thickness](float, float, float z) {
            return std::fabs(z - 0.6f) < thickness / 2 ? 4 / thickness : 0.0f;
          },
          Grey};
}

TEST(Proposals, FogLetsThroughWhatItMust) {
  // Wherever the first look lets the samples be, they divide each ray's whole way through the box.
  const Analytic half{[](float x, float, float) { return x < 0.5f ? 3.0f : 0.0f; }, Grey};
  for (const Analytic& coarse : {Fog(0), Fog(5), half}) {
    const auto model = TwoLooks(Fog(1.5f), coarse);
    for (const bool stratified : {false, true}) {
      RenderOptions options = Options(16, 32);
      options.stratified = stratified;
      const Camera camera = Orbit(0, 0, 5, 8);  // straight along z
      const Image image = RenderOf(model.get(), camera, options);
      for (uint32_t y = 3; y < 5; ++y) {
        for (uint32_t x = 3; x < 5; ++x) {
          const float slant =
              PixelRay(camera, static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f).slant;
          EXPECT_NEAR(image.opacity[y * 8 + x], 1 - std::exp(-1.5f * slant), 1e-4);
        }
      }
      EXPECT_EQ(image.stats.samples, image.stats.rays * (16 + 48));
    }
  }
}

TEST(Proposals, FindsAThinWallThatOneLookMisses) {
  const auto model = TwoLooks(Wall(0.004f), Wall(0.1f));
  const Camera camera = Orbit(0, 0, 5, 16);
  RenderOptions once;
  once.samples_per_ray = 48;
  once.exhaustive = true;
  const Image one = RenderOf(model.get(), camera, once),
              two = RenderOf(model.get(), camera, Options(16, 32));
  double seen_once = 0, seen_twice = 0;
  uint32_t rays = 0;
  for (uint32_t y = 5; y < 11; ++y) {
    for (uint32_t x = 5; x < 11; ++x, ++rays) {
      seen_once += one.opacity[y * 16 + x];
      seen_twice += two.opacity[y * 16 + x];
      ASSERT_GT(two.opacity[y * 16 + x], 0.5f);
      // z = 0.6 of [−1, 1] is 0.2, and the camera stands at 5.
      EXPECT_NEAR(two.depth[y * 16 + x], 4.8, 0.01);
    }
  }
  EXPECT_LT(seen_once / rays, 0.5 * seen_twice / rays);
}

TEST(Proposals, SkipsWhatTheGridKnowsToBeEmpty) {
  const auto model = TwoLooks(Wall(0.1f), Wall(0.1f));
  RenderOptions options = Options(32, 32);
  const Image all = RenderOf(model.get(), Orbit(0.4f, 0.3f, 4, 24), options);
  options.exhaustive = false;
  const Image few = RenderOf(model.get(), Orbit(0.4f, 0.3f, 4, 24), options);
  EXPECT_LT(few.stats.samples, all.stats.samples / 2);
  for (size_t i = 0; i < all.opacity.size(); ++i)
    EXPECT_NEAR(few.opacity[i], all.opacity[i], 0.02) << i;
}

TEST(Proposals, NeedACoarseNetworkAndSamplesOfBothLooks) {
  Renderer renderer;
  const Camera camera = Orbit(0, 0, 4, 8);
  Image image(camera);
  RenderStats stats;
  const auto with = TwoLooks(Fog(1), Fog(1));
  const auto without = testing::ModelOf(Fog(1));
  const auto render = [&](Model* model, ImportanceCounts counts) {
    RenderOptions options;
    options.importance = counts;
    return renderer
        .Render(model, camera, testing::Whole(camera), options, image.targets(), TaskControl(),
                &stats)
        .code();
  };
  EXPECT_EQ(render(without.get(), {8, 8}), Code::kUnsupported);
  EXPECT_EQ(render(with.get(), {8, 0}), Code::kBadArgument);
  EXPECT_EQ(render(with.get(), {0, 8}), Code::kBadArgument);
  EXPECT_EQ(render(with.get(), {2000, 8}), Code::kBadArgument);
}

}  // namespace
}  // namespace daf::nerf
