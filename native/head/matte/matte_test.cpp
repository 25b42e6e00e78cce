#include "native/head/matte/matte.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <vector>

#include "native/base/rng.h"
#include "native/head/fit/small_head.h"
#include "native/head/matte/distance.h"
#include "native/head/matte/mixture.h"
#include "native/head/model/builtin.h"
#include "native/head/raster/shade.h"

namespace daf::head {
namespace {

constexpr int kSize = 256;

Camera Facing() {
  Camera camera;
  camera.width = camera.height = kSize;
  camera.center[0] = camera.center[1] = kSize / 2;
  camera.focal = 400;
  camera.translation[2] = -60;
  return camera;
}

double Iou(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  double both = 0, either = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    both += a[i] >= 128 && b[i] >= 128;
    either += a[i] >= 128 || b[i] >= 128;
  }
  return both / either;
}

// The head as it really is, 6 % larger than the fitted one and shifted, brown on a striped blue
// backdrop.
struct Scene {
  std::vector<uint8_t> truth, rgb;
};
Scene Photograph(const HeadModel& model) {
  std::vector<float> real = model.mean;
  for (size_t i = 0; i < real.size(); ++i) real[i] = 1.06f * real[i] + (i % 3 == 0 ? 0.3f : 0.0f);
  const MeshView mesh{
      real.data(), model.position_count,   model.source.data(),   model.render_count(),
      nullptr,     model.triangles.data(), model.triangle_count()};
  Scene scene;
  scene.truth.resize(kSize * kSize);
  EXPECT_TRUE(RenderMask(Facing(), mesh, TaskControl(), scene.truth.data()).ok());
  Rng rng(2);
  for (int i = 0; i < kSize * kSize; ++i) {
    const float a = scene.truth[i] / 255.0f, stripe = (i / 16) % 2 == 0 ? 20.0f : 0.0f;
    const float head[3] = {150, 105, 80}, back[3] = {40 + stripe, 70 + stripe, 130};
    for (int k = 0; k < 3; ++k)
      scene.rgb.push_back(
          static_cast<uint8_t>(a * head[k] + (1 - a) * back[k] + 4 * rng.Uniform()));
  }
  return scene;
}

TEST(Matte, ColourMovesTheSilhouetteToTheHead) {
  const HeadModel model = SmallHead();
  const Scene scene = Photograph(model);
  const PhotoPixels photo{scene.rgb.data(), kSize, kSize, 3};
  Arena arena;
  std::vector<uint8_t> silhouette(kSize * kSize), refined(kSize * kSize);
  ASSERT_TRUE(HeadMatte(model, model.mean.data(), Facing(), nullptr, {}, arena, TaskControl(),
                        silhouette.data())
                  .ok());
  ASSERT_TRUE(HeadMatte(model, model.mean.data(), Facing(), &photo, {}, arena, TaskControl(),
                        refined.data())
                  .ok());
  EXPECT_LT(Iou(silhouette, scene.truth), 0.93);
  EXPECT_GT(Iou(refined, scene.truth), 0.97);
  EXPECT_EQ(refined[0], 0);
  EXPECT_EQ(refined[kSize / 2 * kSize + kSize / 2], 255);
}

// Dark hair, a centimetre and a half higher than the model's, before a light wall over a dark
// shirt: it is not the head's colour as the face tells it, and it is the shirt's.
std::vector<uint8_t> Portrait(const HeadModel& model, const Camera& camera,
                              std::vector<uint8_t>* truth) {
  const Part& hair = model.parts.back();
  EXPECT_EQ(hair.name, "hair");
  std::vector<float> real = model.mean;
  for (uint32_t r = hair.first_vertex; r < hair.first_vertex + hair.vertex_count; ++r) {
    const size_t y = 3 * size_t{model.source[r]} + 1;
    if (model.mean[y] > 6) real[y] = model.mean[y] + 1.5f;
  }
  MeshView mesh{real.data(), model.position_count,   model.source.data(),   model.render_count(),
                nullptr,     model.triangles.data(), model.triangle_count()};
  const size_t pixels = static_cast<size_t>(camera.width) * camera.height;
  truth->resize(pixels);
  EXPECT_TRUE(RenderMask(camera, mesh, TaskControl(), truth->data()).ok());
  std::vector<float> projected(3 * model.position_count), depth(pixels);
  std::vector<uint32_t> triangle(pixels);
  ProjectPositions(camera, mesh, projected.data());
  Rasterise(camera, mesh, projected.data(), {}, {triangle.data(), nullptr, depth.data()});
  float chin[2] = {0, 0}, away = 0;
  EXPECT_TRUE(camera.Project(model.mean.data() + 3 * size_t{model.landmarks[8]}, chin, &away));
  Rng rng(3);
  std::vector<uint8_t> rgb;
  for (size_t i = 0; i < pixels; ++i) {
    const bool head = triangle[i] != kNoTriangle;
    const bool below = static_cast<float>(i / static_cast<size_t>(camera.width)) > chin[1] + 6;
    const bool locks = head && triangle[i] >= hair.first_triangle;
    const float level = 6 * rng.Uniform();
    const float skin[3] = {185, 140, 120}, dark[3] = {28, 24, 22}, light[3] = {200, 190, 205};
    const float* colour = locks ? dark : head ? skin : below ? dark : light;
    for (int k = 0; k < 3; ++k) rgb.push_back(static_cast<uint8_t>(colour[k] + level));
  }
  return rgb;
}

double HairFound(const HeadModel& model, const Camera& camera, const std::vector<uint8_t>& rgb,
                 const std::vector<uint8_t>& truth) {
  Arena arena;
  std::vector<uint8_t> matte(truth.size());
  const PhotoPixels photo{rgb.data(), camera.width, camera.height, 3};
  EXPECT_TRUE(
      HeadMatte(model, model.mean.data(), camera, &photo, {}, arena, TaskControl(), matte.data())
          .ok());
  double found = 0, all = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] < 250 || rgb[3 * i] > 60) continue;
    all += 1;
    found += matte[i] >= 128;
  }
  return found / all;
}

TEST(Matte, AShirtOfTheHairsColourTakesNoHairAway) {
  std::shared_ptr<const HeadModel> model;
  ASSERT_TRUE(BuiltinHead(&model).ok());
  Camera camera = Facing();
  camera.translation[2] = -95;
  std::vector<uint8_t> truth;
  const std::vector<uint8_t> rgb = Portrait(*model, camera, &truth);
  EXPECT_GT(HairFound(*model, camera, rgb, truth), 0.97);
}

// A picture cropped to the head leaves only its upper corners beyond doubt, and there something
// dark and green stands before the light wall: so few pixels do not tell the backdrop, the wall
// beside the neck does.
TEST(Matte, AFewPixelsInTheCornersAreNotTheBackdrop) {
  std::shared_ptr<const HeadModel> model;
  ASSERT_TRUE(BuiltinHead(&model).ok());
  Camera camera = Facing();
  camera.translation[2] = -95;
  camera.width = 64;
  camera.center[0] = 32;
  camera.center[1] = 52;
  std::vector<uint8_t> truth;
  std::vector<uint8_t> rgb = Portrait(*model, camera, &truth);
  const size_t width = static_cast<size_t>(camera.width);
  for (size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] > 0) continue;
    const size_t aside = std::min(i % width, width - 1 - i % width);
    const bool corner = aside + i / width < 24;
    const uint8_t wall[3] = {200, 190, 205}, plant[3] = {16, 70, 24};
    std::copy_n(corner ? plant : wall, 3, rgb.begin() + static_cast<std::ptrdiff_t>(3 * i));
  }
  Arena arena;
  std::vector<uint8_t> matte(truth.size());
  const PhotoPixels photo{rgb.data(), camera.width, camera.height, 3};
  ASSERT_TRUE(
      HeadMatte(*model, model->mean.data(), camera, &photo, {}, arena, TaskControl(), matte.data())
          .ok());
  EXPECT_GT(Iou(matte, truth), 0.97);
}

TEST(Matte, AnEdgeIsSoft) {
  const HeadModel model = SmallHead();
  Arena arena;
  std::vector<uint8_t> matte(kSize * kSize);
  ASSERT_TRUE(
      HeadMatte(model, model.mean.data(), Facing(), nullptr, {}, arena, TaskControl(), matte.data())
          .ok());
  int soft = 0;
  for (uint8_t m : matte) soft += m > 20 && m < 235;
  EXPECT_GT(soft, 100);
}

TEST(Matte, ReportsWhatIsWrong) {
  const HeadModel model = SmallHead();
  Arena arena;
  std::vector<uint8_t> matte(kSize * kSize), rgb(300);
  Camera away = Facing();
  away.translation[0] = 500;
  EXPECT_EQ(
      HeadMatte(model, model.mean.data(), away, nullptr, {}, arena, TaskControl(), matte.data())
          .code(),
      Code::kBadArgument);
  const PhotoPixels small{rgb.data(), 10, 10, 3};
  EXPECT_EQ(
      HeadMatte(model, model.mean.data(), Facing(), &small, {}, arena, TaskControl(), matte.data())
          .code(),
      Code::kBadArgument);
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(HeadMatte(model, model.mean.data(), Facing(), nullptr, {}, arena, TaskControl(words),
                      matte.data())
                .code(),
            Code::kCancelled);
}

TEST(Distance, IsRightAlongRowsAndDiagonals) {
  std::vector<float> d(100);
  DistanceTo([](int x, int y) { return x == 4 && y == 4; }, 10, 10, d.data());
  EXPECT_FLOAT_EQ(d[4 * 10 + 9], 5);
  EXPECT_NEAR(d[9 * 10 + 9], 5 * std::sqrt(2.0), 1e-4);
  EXPECT_NEAR(d[0], 4 * std::sqrt(2.0), 1e-4);
}

TEST(BoxMean, KeepsAConstantAndTheWindowsMean) {
  std::vector<float> image(80, 3.0f), scratch(80);
  BoxMean(image.data(), 10, 8, 3, scratch.data());
  for (float v : image) EXPECT_NEAR(v, 3, 1e-5);
  image.assign(80, 0);
  image[4 * 10 + 5] = 9;
  BoxMean(image.data(), 10, 8, 1, scratch.data());
  EXPECT_NEAR(image[3 * 10 + 4], 1, 1e-5);
  EXPECT_NEAR(image[2 * 10 + 5], 0, 1e-5);
}

TEST(Mixture, PrefersTheColoursItLearned) {
  Rng rng(1);
  std::vector<uint8_t> colours;
  for (int i = 0; i < 500; ++i) {
    for (int k = 0; k < 3; ++k)
      colours.push_back(static_cast<uint8_t>((i % 2 == 0 ? 40 : 200) + 10 * rng.Uniform()));
  }
  Mixture mixture;
  mixture.Learn(colours.data(), 500);
  const uint8_t dark[3] = {45, 45, 45}, light[3] = {205, 205, 205}, between[3] = {120, 120, 120};
  EXPECT_GT(mixture.LogLikelihood(dark), mixture.LogLikelihood(between) + 5);
  EXPECT_GT(mixture.LogLikelihood(light), mixture.LogLikelihood(between) + 5);
}

}  // namespace
}  // namespace daf::head
