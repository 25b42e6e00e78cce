// What of a ray is sampled and what else it yields: near and far, strata, normals; and that
// windows, threads and neighbours change no pixel.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "native/nerf/testing_render.h"

namespace daf::nerf {
namespace {

using testing::Grey;
using testing::Image;
using testing::ModelOf;
using testing::RenderOf;

constexpr float kFog = 1.5f;  // per edge of the box, which is 2 units

std::unique_ptr<Model> Fog() {
  return ModelOf({[](float, float, float) { return kFog; }, Grey});
}

// Soft, so that its gradient is known everywhere inside: density falls linearly from the centre.
constexpr float kRadius = 0.3f;  // of the unit cube: 0.6 units
std::unique_ptr<Model> Ball() {
  return ModelOf({[](float x, float y, float z) {
                    return 4000 *
                           std::max(0.0f, kRadius - std::hypot(x - 0.5f, y - 0.5f, z - 0.5f));
                  },
                  [](float x, float y, float z, float c[3]) {
                    c[0] = x;
                    c[1] = y;
                    c[2] = z;
                  }},
                 64);
}

Ray Through(const Camera& camera, uint32_t i) {
  return PixelRay(camera, static_cast<float>(i % camera.width) + 0.5f,
                  static_cast<float>(i / camera.width) + 0.5f);
}

TEST(Render, NearAndFarBoundTheStretchThatIsSeen) {
  const auto model = Fog();
  Camera camera = testing::Orbit(0.4f, 0.3f, 4, 16);
  camera.focal[0] = camera.focal[1] = 64;
  RenderOptions options;
  options.min_transmittance = 0;
  options.near = 3.7f;
  options.far = 4.2f;
  for (const uint32_t strata : {0u, 1u, 7u, 64u}) {
    options.samples = 4096;
    options.samples_per_ray = strata;
    const Image image = RenderOf(model.get(), camera, options);
    for (uint32_t i = 0; i < 16 * 16; ++i) {
      const Ray ray = Through(camera, i);
      float entry = 0, exit = 0;
      ASSERT_TRUE(Clip(Box(), ray, &entry, &exit));
      ASSERT_LT(entry, 3.7f * ray.slant);  // the whole stretch lies in the box
      ASSERT_GT(exit, 4.2f * ray.slant);
      const double length = (4.2 - 3.7) * double{ray.slant};
      ASSERT_NEAR(image.opacity[i], 1 - std::exp(-kFog / 2 * length), strata == 0 ? 5e-4 : 1e-5);
    }
  }
}

TEST(Render, StrataOfUniformFogAreExact) {
  const auto model = Fog();
  const Camera camera = testing::Orbit(0.9f, -0.3f, 4, 24);
  RenderOptions options;
  options.min_transmittance = 0;
  for (const bool stratified : {false, true}) {
    options.samples_per_ray = 5;
    options.stratified = stratified;
    const Image image = RenderOf(model.get(), camera, options);
    for (uint32_t i = 0; i < 24 * 24; ++i) {
      float entry = 0, exit = 0;
      const double length = Clip(Box(), Through(camera, i), &entry, &exit) ? exit - entry : 0;
      const double expected = 1 - std::exp(-kFog / 2 * length);
      ASSERT_NEAR(image.opacity[i], expected, 1e-5);
      ASSERT_NEAR(image.color[3 * i], expected / 2, 1e-5);
    }
    EXPECT_LE(image.stats.samples, 5u * image.stats.rays);
  }
}

TEST(Render, LightThatGetsThroughOnlyFallsWithDistance) {
  const auto model = Ball();
  const Camera camera = testing::Orbit(0.3f, 0.2f, 4, 32);
  RenderOptions options;
  options.min_transmittance = 0;
  options.near = 2;
  std::vector<float> before(32 * 32, 0.0f);
  for (int step = 1; step <= 24; ++step) {
    options.far = 2 + 4.0f * static_cast<float>(step) / 24;
    const Image image = RenderOf(model.get(), camera, options);
    for (size_t i = 0; i < before.size(); ++i) {
      ASSERT_GE(image.opacity[i], before[i]);
      ASSERT_LE(image.opacity[i], 1.0f);
    }
    before = image.opacity;
  }
  EXPECT_GT(before[16 * 32 + 16], 0.999f);
}

TEST(Render, RandomPointsOfStrataComeFromTheSeed) {
  const auto model = Ball();
  const Camera camera = testing::Orbit(0.3f, 0.2f, 4, 32);
  RenderOptions options;
  options.samples_per_ray = 24;
  const Image middle = RenderOf(model.get(), camera, options);
  options.stratified = true;
  options.seed = 5;
  const Image first = RenderOf(model.get(), camera, options);
  EXPECT_EQ(RenderOf(model.get(), camera, options).color, first.color);
  options.seed = 6;
  EXPECT_NE(RenderOf(model.get(), camera, options).color, first.color);
  EXPECT_NE(first.color, middle.color);
}

TEST(Render, NormalsOfASphereFieldPointOutwards) {
  const auto model = Ball();
  const Camera camera = testing::Orbit(0.5f, -0.4f, 4, 48);
  Renderer renderer;
  Image image(camera);
  ASSERT_TRUE(renderer
                  .Render(model.get(), camera, testing::Whole(camera), {}, image.all(),
                          TaskControl(), &image.stats)
                  .ok());
  size_t solid = 0;
  double sum = 0;
  for (uint32_t i = 0; i < 48 * 48; ++i) {
    const float* n = &image.normal[3 * i];
    const double length = std::hypot(n[0], n[1], n[2]);
    if (image.opacity[i] < 0.5f) {
      ASSERT_EQ(length, 0);
      continue;
    }
    ASSERT_NEAR(length, 1, 1e-5);
    const Ray ray = Through(camera, i);
    double along = 0, radius = 0;
    for (int a = 0; a < 3; ++a) {
      const double p = ray.origin[a] + double{ray.direction[a]} * image.depth[i] * ray.slant;
      along += p * n[a];
      radius += p * p;
    }
    // Rays that graze the ball pass through much of its soft rim.
    ASSERT_GT(along / std::sqrt(radius), 0.95) << "pixel " << i;
    sum += along / std::sqrt(radius);
    ++solid;
  }
  EXPECT_GT(solid, 250u);
  EXPECT_GT(sum / static_cast<double>(solid), 0.995);
  const Image plain = RenderOf(model.get(), camera);
  EXPECT_EQ(plain.color, image.color);
}

TEST(Render, AWallsNormalFacesTheCamera) {
  const auto model =
      ModelOf({[](float x, float, float) { return x > 0.5f ? 1e5f : 0.0f; }, Grey}, 64);
  const Camera camera = testing::Orbit(-1.5707963f, 0, 4, 9);
  Renderer renderer;
  Image image(camera);
  ASSERT_TRUE(renderer
                  .Render(model.get(), camera, testing::Whole(camera), {}, image.all(),
                          TaskControl(), &image.stats)
                  .ok());
  EXPECT_NEAR(image.normal[3 * 40], -1, 1e-5);
  EXPECT_NEAR(image.normal[3 * 40 + 1], 0, 1e-5);
  EXPECT_NEAR(image.normal[3 * 40 + 2], 0, 1e-5);
}

// The part of a picture that a window shows.
template <typename T>
std::vector<T> Cut(const std::vector<T>& picture, uint32_t width, const Window& w, size_t values) {
  std::vector<T> out;
  for (uint32_t y = w.y; y < w.y + w.height; ++y) {
    const auto row = picture.begin() + static_cast<std::ptrdiff_t>((y * width + w.x) * values);
    out.insert(out.end(), row, row + static_cast<std::ptrdiff_t>(w.width * values));
  }
  return out;
}

TEST(Render, WindowsOnThreadsGiveTheSamePixels) {
  std::unique_ptr<Field> field;
  ASSERT_TRUE(NewHashGrid({6, 2, 10, 4, 64, 32, 32}, 3, &field).ok());
  std::unique_ptr<Model> model;
  ASSERT_TRUE(Model::Make(std::move(field), Box(), 32, &model).ok());
  const Camera camera = testing::Orbit(0.2f, 0.5f, 3, 100);
  for (const uint32_t strata : {0u, 20u}) {
    RenderOptions options;
    options.samples = 64;
    options.samples_per_ray = strata;
    options.stratified = strata > 0;
    model->Touch();  // the threads meet at the sweep of the occupancy grid, too
    const std::vector<Window> windows = {
        {0, 0, 100, 33}, {0, 33, 41, 67}, {41, 33, 59, 1}, {41, 34, 59, 66}};
    std::vector<Image> parts;
    for (const Window& window : windows) parts.emplace_back(window);
    std::vector<Status> statuses(windows.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < windows.size(); ++i) {
      threads.emplace_back([&, i] {
        Renderer renderer;
        statuses[i] = renderer.Render(model.get(), camera, windows[i], options, parts[i].all(),
                                      TaskControl(), &parts[i].stats);
      });
    }
    for (std::thread& thread : threads) thread.join();
    Renderer renderer;
    Image whole(camera);
    ASSERT_TRUE(renderer
                    .Render(model.get(), camera, testing::Whole(camera), options, whole.all(),
                            TaskControl(), &whole.stats)
                    .ok());
    for (size_t i = 0; i < windows.size(); ++i) {
      ASSERT_TRUE(statuses[i].ok()) << statuses[i].message();
      EXPECT_EQ(parts[i].rgba, Cut(whole.rgba, 100, windows[i], 4));
      EXPECT_EQ(parts[i].color, Cut(whole.color, 100, windows[i], 3));
      EXPECT_EQ(parts[i].depth, Cut(whole.depth, 100, windows[i], 1));
      EXPECT_EQ(parts[i].normal, Cut(whole.normal, 100, windows[i], 3));
    }
  }
}

}  // namespace
}  // namespace daf::nerf
