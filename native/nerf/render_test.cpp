// Marching and rendering against scenes whose pictures are known.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "native/nerf/march.h"
#include "native/nerf/testing_render.h"

namespace daf::nerf {
namespace {

using testing::Grey;
using testing::Image;
using testing::ModelOf;
using testing::RenderOf;

TEST(Render, EmptySpaceIsTransparent) {
  const auto model = ModelOf({[](float, float, float) { return 0.0f; }, Grey});
  const Image image = RenderOf(model.get(), testing::Orbit(0.3f, 0.2f, 4, 32));
  for (size_t i = 0; i < image.opacity.size(); ++i) {
    ASSERT_EQ(image.opacity[i], 0);
    ASSERT_EQ(image.rgba[4 * i + 3], 0);
    ASSERT_TRUE(std::isinf(image.depth[i]));
  }
  EXPECT_EQ(image.stats.samples, 0u);
}

TEST(Render, UniformFogFollowsBeer) {
  const auto model =
      ModelOf({[](float, float, float) { return 1.5f; }, Grey});  // per edge of 2 units
  const Camera camera = testing::Orbit(0.4f, 0.3f, 4, 48);
  RenderOptions options;
  options.samples = 1024;
  options.min_transmittance = 0;
  const Image image = RenderOf(model.get(), camera, options);
  for (uint32_t i = 0; i < 48 * 48; ++i) {
    const Ray ray =
        PixelRay(camera, static_cast<float>(i % 48) + 0.5f, static_cast<float>(i / 48) + 0.5f);
    float near = 0, far = 0;
    const double length = Clip(Box(), ray, &near, &far) ? far - near : 0;
    const double expected = 1 - std::exp(-0.75 * length);
    ASSERT_NEAR(image.opacity[i], expected, 2e-3);
    ASSERT_NEAR(image.color[3 * i], 0.5 * expected, 2e-3);
  }
}

TEST(Render, OpaqueWallHasItsColourAndDepth) {
  // The half space x > 0 of the box, seen along −x from its empty side at −x … the wall is the
  // plane x = 0.
  const auto model = ModelOf({[](float x, float, float) { return x > 0.5f ? 1e5f : 0.0f; },
                              [](float, float y, float, float c[3]) {
                                c[0] = y > 0.5f ? 1.0f : 0.25f;
                                c[1] = 0.5f;
                                c[2] = 0;
                              }},
                             64);
  const Camera camera = testing::Orbit(-1.5707963f, 0, 4, 33);
  RenderOptions options;
  options.samples = 512;
  const Image image = RenderOf(model.get(), camera, options);
  const size_t up = 10 * 33 + 16, down = 22 * 33 + 16;
  EXPECT_NEAR(image.opacity[up], 1, 1e-3);
  EXPECT_NEAR(image.depth[up], 4, 0.01);  // along the viewing direction, off centre too
  EXPECT_NEAR(image.depth[down], 4, 0.01);
  EXPECT_NEAR(image.color[3 * up], 1, 5e-3);
  EXPECT_NEAR(image.color[3 * down], 0.25, 5e-3);
  EXPECT_EQ(image.rgba[4 * up], 255);
  EXPECT_EQ(image.rgba[4 * up + 3], 255);
}

TEST(Render, SkippingAndEarlyEndChangeNothingVisible) {
  const auto ball = [](float x, float y, float z) {
    const float d = std::hypot(x - 0.5f, y - 0.5f, z - 0.6f);
    return d < 0.25f ? 60.0f : 0.0f;
  };
  const auto model = ModelOf({ball, [](float x, float y, float z, float c[3]) {
                                c[0] = x;
                                c[1] = y;
                                c[2] = z;
                              }});
  const Camera camera = testing::Orbit(0.7f, 0.4f, 4, 64);
  const Image fast = RenderOf(model.get(), camera);
  RenderOptions options;
  options.exhaustive = true;
  const Image slow = RenderOf(model.get(), camera, options);
  double error = 0;
  for (size_t i = 0; i < fast.color.size(); ++i)
    error += std::pow(double{fast.color[i]} - slow.color[i], 2);
  EXPECT_GT(-10 * std::log10(error / static_cast<double>(fast.color.size()) + 1e-12), 45);
  EXPECT_LT(fast.stats.samples * 10, slow.stats.samples);
}

TEST(Render, BackgroundFillsWhatTheFieldLeaves) {
  const auto model = ModelOf({[](float, float, float) { return 0.0f; }, Grey});
  RenderOptions options;
  options.transparent = false;
  options.background[0] = 1;
  const Image image = RenderOf(model.get(), testing::Orbit(0, 0, 4, 8), options);
  EXPECT_EQ(image.rgba[0], 255);
  EXPECT_EQ(image.rgba[1], 0);
  EXPECT_EQ(image.rgba[3], 255);
}

TEST(March, SkippingVisitsTheOccupiedSamplesOfTheLattice) {
  Occupancy grid;
  ASSERT_TRUE(grid.Make(32).ok());
  Rng rng(3);
  for (uint32_t z = 0; z < 32; ++z) {
    for (uint32_t y = 0; y < 32; ++y) {
      for (uint32_t x = 0; x < 32; ++x) {
        if (rng.Below(10) != 0 || z < 12) grid.Forbid(x, y, z);
      }
    }
  }
  grid.ResetToAllowed();
  for (int i = 0; i < 300; ++i) {
    const Camera camera = testing::Orbit(rng.Uniform(-3, 3), rng.Uniform(-1.5f, 1.5f), 3, 64);
    const Ray ray = PixelRay(camera, rng.Uniform(0, 64), rng.Uniform(0, 64));
    Marcher all, skipping;
    const float jitter = rng.Uniform();
    const bool hits = all.Start(Box(), nullptr, ray, 0.013f, jitter);
    ASSERT_EQ(skipping.Start(Box(), &grid, ray, 0.013f, jitter), hits);
    if (!hits) continue;
    std::vector<float> expected, visited;
    float t, p[3];
    while (all.Next(&t, p)) {
      uint32_t cell[3];
      bool near_wall = false;  // where rounding may put the sample in either cell
      for (int a = 0; a < 3; ++a) {
        cell[a] = std::min(31u, static_cast<uint32_t>(p[a] * 32));
        const float f = p[a] * 32 - std::floor(p[a] * 32);
        near_wall = near_wall || f < 1e-3f || f > 1 - 1e-3f;
      }
      if (near_wall) continue;
      if (grid.Occupied(cell[0], cell[1], cell[2])) expected.push_back(t);
    }
    while (skipping.Next(&t, p)) {
      bool near_wall = false;
      for (int a = 0; a < 3; ++a) {
        const float f = p[a] * 32 - std::floor(p[a] * 32);
        near_wall = near_wall || f < 1e-3f || f > 1 - 1e-3f;
      }
      if (!near_wall) visited.push_back(t);
    }
    ASSERT_EQ(visited, expected);
  }
}

// In samples, not seconds: whoever raises the flag while the field is asked gets at most what this
// call of the field was asked for, and one call more.
TEST(Render, CancelsBeforeTheFieldIsAskedTwiceMore) {
  int32_t words[3] = {0, 0, 0};
  uint32_t asked = 0, raise_at = 0;
  const auto model = ModelOf({[&](float, float, float) {
                                if (++asked == raise_at)
                                  __atomic_store_n(&words[0], 1, __ATOMIC_RELEASE);
                                return 0.5f;
                              },
                              Grey});
  const Camera camera = testing::Orbit(0, 0, 4, 64);
  Image image(camera);
  Renderer renderer;
  const auto render = [&] {
    return renderer.Render(model.get(), camera, testing::Whole(camera), {}, image.targets(),
                           TaskControl(words), &image.stats);
  };
  ASSERT_TRUE(render().ok());
  const uint32_t whole = asked;
  constexpr uint32_t kCall = 480;  // what the analytic field answers at once
  ASSERT_GT(whole, 20 * kCall);
  for (const double share : {0.01, 0.2, 0.5, 0.9}) {
    words[0] = 0;
    asked = 0;
    raise_at = static_cast<uint32_t>(share * whole);
    EXPECT_EQ(render().code(), Code::kCancelled) << share;
    EXPECT_LE(asked, raise_at + 2 * kCall) << "of " << whole;
  }
}

TEST(Render, RefusesWhatCannotBeRendered) {
  const auto model = ModelOf({[](float, float, float) { return 0.0f; }, Grey});
  Renderer renderer;
  const Camera camera = testing::Orbit(0, 0, 4, 8);
  Image image(camera);
  const auto code = [&](const Camera& c, const Window& window, const RenderOptions& options) {
    return renderer
        .Render(model.get(), c, window, options, image.targets(), TaskControl(), &image.stats)
        .code();
  };
  EXPECT_EQ(code(camera, {0, 0, 8, 8}, {}), Code::kOk);
  Camera flat = camera;
  flat.width = 0;
  EXPECT_EQ(code(flat, {0, 0, 8, 8}, {}), Code::kBadArgument);
  for (const Window& window : {Window{0, 0, 0, 8}, Window{0, 0, 9, 8}, Window{7, 0, 2, 8},
                               Window{0, 4294967295u, 8, 2}, Window{0, 7, 8, 2}})
    EXPECT_EQ(code(camera, window, {}), Code::kBadArgument);
  const auto options = [](auto change) {
    RenderOptions o;
    change(&o);
    return o;
  };
  for (const RenderOptions& wrong : {options([](RenderOptions* o) { o->samples = 7; }),
                                     options([](RenderOptions* o) { o->samples_per_ray = 5000; }),
                                     options([](RenderOptions* o) { o->near = -1; }),
                                     options([](RenderOptions* o) { o->near = NAN; }),
                                     options([](RenderOptions* o) { o->near = o->far = 2; }),
                                     options([](RenderOptions* o) { o->min_transmittance = 1; })})
    EXPECT_EQ(code(camera, {0, 0, 8, 8}, wrong), Code::kBadArgument);
  std::unique_ptr<Model> none;
  std::unique_ptr<Field> field;
  ASSERT_TRUE(NewHashGrid({2, 2, 8, 2, 4, 16, 16}, 1, &field).ok());
  EXPECT_EQ(Model::Make(std::move(field), Box(), 12, &none).code(), Code::kBadArgument);
}

}  // namespace
}  // namespace daf::nerf
