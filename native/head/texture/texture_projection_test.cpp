#include "native/head/texture/texture_projection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "native/head/fit/small_head.h"
#include "native/head/raster/rasteriser.h"
#include "native/head/raster/shade.h"
#include "native/head/texture/atlas.h"
#include "native/head/texture/colour.h"
#include "native/head/texture/light.h"

namespace daf::head {
namespace {

constexpr int kPhoto = 384, kAtlas = 256;
using Colouring = std::function<void(const float point[3],
                                     float linear[3])>;  // albedo at a place of the mean head

Camera Facing(float yaw) {
  Camera camera;
  camera.width = camera.height = kPhoto;
  camera.center[0] = camera.center[1] = kPhoto / 2;
  camera.focal = 700;
  RotationFromAngles(yaw, 0, 0, camera.rotation);
  camera.translation[0] = -8 * std::sin(-yaw);  // the head's middle lies 8 cm behind its origin
  camera.translation[2] = -70;
  return camera;
}

void Skin(const float*, float linear[3]) {
  linear[0] = 0.45f;
  linear[1] = 0.27f;
  linear[2] = 0.18f;
}

struct Shot {
  std::vector<uint8_t> rgb, matte;
  Camera camera;
  TextureView view(const HeadModel& model) const {
    TextureView out;
    out.positions = model.mean.data();
    out.camera = camera;
    out.photo = {rgb.data(), kPhoto, kPhoto, 3};
    out.matte = matte.data();
    return out;
  }
};

// Renders the head in first-order light (per channel ambient, x, y, z) before a magenta backdrop.
Shot Photograph(const HeadModel& model, const Camera& camera, const Colouring& albedo,
                const std::array<float, 12>& light) {
  const MeshView mesh{model.mean.data(),     model.position_count, model.source.data(),
                      model.render_count(),  model.uv.data(),      model.triangles.data(),
                      model.triangle_count()};
  const size_t pixels = kPhoto * kPhoto;
  std::vector<float> projected(3 * model.position_count), depth(pixels), barycentric(2 * pixels),
      normals(3 * model.position_count);
  std::vector<uint32_t> triangle(pixels);
  ProjectPositions(camera, mesh, projected.data());
  Rasterise(camera, mesh, projected.data(), {},
            {triangle.data(), barycentric.data(), depth.data()});
  VertexNormals(mesh, normals.data());
  Shot shot;
  shot.camera = camera;
  shot.matte.resize(pixels);
  for (size_t i = 0; i < pixels; ++i) {
    float colour[3] = {1, 0, 1};
    shot.matte[i] = triangle[i] == kNoTriangle ? 0 : 255;
    if (triangle[i] != kNoTriangle) {
      const float b = barycentric[2 * i], c = barycentric[2 * i + 1], w[3] = {1 - b - c, b, c};
      float point[3] = {0, 0, 0}, normal[3] = {0, 0, 0}, length = 0;
      for (int k = 0; k < 3; ++k) {
        const size_t p = 3 * size_t{model.source[model.triangles[3 * size_t{triangle[i]} + k]]};
        for (int a = 0; a < 3; ++a) {
          point[a] += w[k] * model.mean[p + a];
          normal[a] += w[k] * normals[p + a];
        }
      }
      for (float x : normal) length += x * x;
      albedo(point, colour);
      for (int k = 0; k < 3; ++k) {
        const float* l = light.data() + 4 * k;
        colour[k] *=
            std::max(0.05f, l[0] + (l[1] * normal[0] + l[2] * normal[1] + l[3] * normal[2]) /
                                       std::sqrt(length));
      }
    }
    for (float x : colour) shot.rgb.push_back(ToByte(ToSrgb(std::min(1.0f, x))));
  }
  return shot;
}

struct Result {
  std::vector<uint8_t> texture = std::vector<uint8_t>(4 * kAtlas * kAtlas),
                       observed = std::vector<uint8_t>(kAtlas * kAtlas);
  TextureReport report;
  Status status;
};

Result Project(const HeadModel& model, const std::vector<TextureView>& views,
               const TextureOptions& options = {}) {
  std::vector<uint8_t> base(4 * kAtlas * kAtlas, 255);
  float linear[3];
  Skin(nullptr, linear);
  for (size_t i = 0; i < base.size(); ++i) {
    if (i % 4 < 3) base[i] = ToByte(ToSrgb(linear[i % 4]));
  }
  Result result;
  Arena arena;
  result.status = ProjectTexture(model, views.data(), static_cast<int>(views.size()), base.data(),
                                 kAtlas, options, arena, TaskControl(), result.texture.data(),
                                 result.observed.data(), &result.report);
  return result;
}

constexpr std::array<float, 12> kFlat = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};

// Calls check(texel, place on the mean head, truth in linear light) for every texel of the atlas.
void ForTexels(const HeadModel& model, const Colouring& albedo,
               const std::function<void(size_t, const float*, const float*)>& check) {
  Arena arena;
  Atlas atlas;
  ASSERT_TRUE(BuildAtlas(model, kAtlas, arena, TaskControl(), &atlas).ok());
  for (size_t i = 0; i < atlas.texels(); ++i) {
    if (atlas.triangle[i] == kNoTriangle) continue;
    float w[3], point[3] = {0, 0, 0}, truth[3];
    atlas.Weights(i, w);
    for (int c = 0; c < 3; ++c) {
      for (int k = 0; k < 3; ++k)
        point[k] +=
            w[c] *
            model.mean[3 * size_t{model.source[model.triangles[3 * atlas.triangle[i] + c]]} + k];
    }
    albedo(point, truth);
    check(i, point, truth);
  }
}

// Broad waves of colour that differ everywhere.
void Waves(const float p[3], float linear[3]) {
  linear[0] = 0.35f + 0.15f * std::sin(0.9f * p[0]);
  linear[1] = 0.3f + 0.12f * std::sin(0.8f * p[1] + 1);
  linear[2] = 0.25f + 0.1f * std::sin(0.7f * (p[0] + p[1]));
}

TEST(Texture, ReproducesAPaintedHeadFromThreePhotos) {
  const HeadModel model = SmallHead({96, 64});
  const Shot shots[3] = {Photograph(model, Facing(0), Waves, kFlat),
                         Photograph(model, Facing(0.9f), Waves, kFlat),
                         Photograph(model, Facing(-0.9f), Waves, kFlat)};
  TextureOptions options;
  options.remove_light = false;
  const Result result =
      Project(model, {shots[0].view(model), shots[1].view(model), shots[2].view(model)}, options);
  ASSERT_TRUE(result.status.ok()) << result.status.message();
  double sum = 0, worst = 0;
  int count = 0, magenta = 0;
  ForTexels(model, Waves, [&](size_t i, const float*, const float* truth) {
    const uint8_t* c = result.texture.data() + 4 * i;
    magenta += c[0] > 150 && c[1] < 60 && c[2] > 150;
    if (result.observed[i] < 250) return;
    for (int k = 0; k < 3; ++k) {
      const double error = std::abs(c[k] - 255.0 * ToSrgb(truth[k]));
      sum += error;
      worst = std::max(worst, error);
      ++count;
    }
  });
  EXPECT_GT(count, 3 * 10000);
  EXPECT_LT(sum / count, 2.0);
  EXPECT_LT(worst, 25);
  EXPECT_EQ(magenta, 0);  // the backdrop never bleeds in
  EXPECT_GT(result.report.observed_fraction, 0.4);
  EXPECT_LT(result.report.observed_fraction, 0.95);
}

TEST(Texture, RemovesTheLightOfAPhoto) {
  const HeadModel model = SmallHead({96, 64});
  const std::array<float, 12> lit = {0.6f, 0.35f, 0.1f, 0.25f, 0.55f, 0.3f,
                                     0.1f, 0.25f, 0.5f, 0.25f, 0.1f,  0.2f};
  const Shot shot = Photograph(model, Facing(0), Skin, lit);
  TextureOptions kept;
  kept.remove_light = false;
  const Result with = Project(model, {shot.view(model)}),
               without = Project(model, {shot.view(model)}, kept);
  const auto spread = [&](const Result& result) {
    double sum = 0, squares = 0;
    int count = 0;
    ForTexels(model, Skin, [&](size_t i, const float*, const float*) {
      if (result.observed[i] < 200) return;
      const double g = result.texture[4 * i + 1];
      sum += g;
      squares += g * g;
      ++count;
    });
    return std::sqrt(squares / count - sum / count * (sum / count));
  };
  EXPECT_GT(spread(without), 10);
  EXPECT_LT(spread(with), 0.25 * spread(without));
  ASSERT_EQ(with.report.lights.size(), 1u);
  EXPECT_GT(with.report.lights[0][1], 0.2);  // from the subject's left
}

// The right cheek in a cast shadow, which no light from afar explains.
void ShadowedCheek(const float p[3], float linear[3]) {
  Skin(p, linear);
  const float d = std::hypot(p[0] + 3.5f, p[1] + 3.0f);
  if (p[2] > -8) {
    for (int k = 0; k < 3; ++k) linear[k] *= 0.7f + 0.3f * SmoothStep(2.0f, 3.0f, d);
  }
}

TEST(Texture, AShadowOnOneCheekIsBroughtToTheOther) {
  const HeadModel model = SmallHead({96, 64});
  const Shot front = Photograph(model, Facing(0), ShadowedCheek, kFlat);
  TextureOptions kept;
  kept.remove_light = false;
  const auto difference = [&](const Result& result) {
    double sum[2] = {0, 0};
    int count[2] = {0, 0};
    ForTexels(model, Skin, [&](size_t i, const float* p, const float*) {
      if (p[2] < -8 || std::hypot(std::abs(p[0]) - 3.5f, p[1] + 3.0f) > 1.0f) return;
      sum[p[0] > 0] += result.texture[4 * i + 1];
      ++count[p[0] > 0];
    });
    return sum[1] / count[1] - sum[0] / count[0];
  };
  const double before = difference(Project(model, {front.view(model)}, kept)),
               after = difference(Project(model, {front.view(model)}));
  EXPECT_GT(before, 12);
  EXPECT_LT(after, 0.6 * before);
  EXPECT_GT(after, -0.2 * before);
}

// A dark mark on the left cheek.
void LeftMark(const float p[3], float linear[3]) {
  Skin(p, linear);
  const float d = std::hypot(p[0] - 3.5f, p[1] + 3.0f);
  if (p[2] > -8 && d < 0.7f) {
    for (int k = 0; k < 3; ++k) linear[k] *= 0.15f;
  }
}

double Darkness(const HeadModel& model, const Result& result, float x) {
  double least = 255;
  ForTexels(model, Skin, [&](size_t i, const float* p, const float*) {
    if (p[2] > -8 && std::hypot(p[0] - x, p[1] + 3.0f) < 0.4f)
      least = std::min(least, double{result.texture[4 * i + 1] * 1.0});
  });
  return least;
}

TEST(Texture, AMarkOnTheLeftStaysOnTheLeft) {
  const HeadModel model = SmallHead({96, 64});
  const Shot front = Photograph(model, Facing(0), LeftMark, kFlat);
  const Result frontal = Project(model, {front.view(model)});
  EXPECT_LT(Darkness(model, frontal, 3.5f), 100);
  EXPECT_GT(Darkness(model, frontal, -3.5f), 120);
  // Only the left side is seen; what is mirrored to the right is the skin without its marks.
  const Shot left = Photograph(model, Facing(-1.2f), LeftMark, kFlat);
  const Result profile = Project(model, {left.view(model)});
  EXPECT_LT(Darkness(model, profile, 3.5f), 100);
  EXPECT_GT(Darkness(model, profile, -3.5f), Darkness(model, profile, 3.5f) + 15);
  EXPECT_GT(profile.report.mirrored_fraction, 0.05);
}

TEST(Texture, UnseenSkinTakesThePersonsColourWithoutASeam) {
  const HeadModel model = SmallHead({96, 64});
  const Colouring darker = [](const float* p, float* linear) {
    Skin(p, linear);
    for (int k = 0; k < 3; ++k) linear[k] *= 0.45f;
  };
  const Shot front = Photograph(model, Facing(0), darker, kFlat);
  const Result result = Project(model, {front.view(model)});
  double worst = 0;
  float back = 0;
  int count = 0;
  ForTexels(model, darker, [&](size_t i, const float* p, const float* truth) {
    const double error = std::abs(result.texture[4 * i] - 255.0 * ToSrgb(truth[0]));
    worst = std::max(worst, error);
    if (p[2] < -12) {
      back += result.texture[4 * i];
      ++count;
    }
  });
  EXPECT_LT(worst, 14);
  EXPECT_NEAR(back / static_cast<float>(count), 255 * ToSrgb(0.45f * 0.45f), 6);
}

// Hair hangs over temples, beards grow on cheeks: the same dark tone, seen as well, is doubted on
// the one and kept on the other.
TEST(Texture, DoubtsHairOnTheTemplesAndKeepsBeards) {
  const HeadModel model = SmallHead();
  const auto dark = [](const float p[3]) {
    return std::abs(p[0]) > 6 && p[2] > -10 && ((p[1] > 0 && p[1] < 4) || (p[1] > -6 && p[1] < -4));
  };
  const Colouring painted = [&](const float p[3], float linear[3]) {
    Skin(p, linear);
    if (dark(p)) std::fill_n(linear, 3, 0.02f);
  };
  const std::array<float, 12> light = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  const Shot left = Photograph(model, Facing(0.9f), painted, light),
             right = Photograph(model, Facing(-0.9f), painted, light),
             front = Photograph(model, Facing(0), painted, light);
  const Result result = Project(model, {front.view(model), left.view(model), right.view(model)});
  ASSERT_TRUE(result.status.ok());
  Arena arena;
  Atlas atlas;
  ASSERT_TRUE(BuildAtlas(model, kAtlas, arena, TaskControl(), &atlas).ok());
  double temple = 0, beard = 0, temples = 0, beards = 0;
  for (size_t i = 0; i < atlas.texels(); ++i) {
    if (atlas.triangle[i] == kNoTriangle) continue;
    float w[3], p[3] = {0, 0, 0};
    atlas.Weights(i, w);
    for (int c = 0; c < 3; ++c) {
      const uint32_t v = model.source[model.triangles[3 * size_t{atlas.triangle[i]} + c]];
      for (int k = 0; k < 3; ++k) p[k] += w[c] * model.mean[3 * size_t{v} + k];
    }
    // Where a photo faces the surface, and away from the patches' borders.
    if (std::abs(p[0]) < 6.6f || p[2] < -8) continue;
    if (p[1] > 1 && p[1] < 3) temple += result.observed[i], ++temples;
    if (p[1] > -5.4f && p[1] < -4.6f) beard += result.observed[i], ++beards;
  }
  ASSERT_GT(temples, 50);
  ASSERT_GT(beards, 10);
  EXPECT_LT(temple / temples, 60);
  EXPECT_GT(beard / beards, 180);
}

TEST(Texture, OnlyPixelsInsideTheMatteCount) {
  const HeadModel model = SmallHead({96, 64});
  Shot shot = Photograph(model, Facing(0), Skin, kFlat);
  for (int y = 0; y < kPhoto;
       ++y) {  // a green hand over the right half, which the matte leaves out
    for (int x = 0; x < kPhoto / 2; ++x) {
      shot.matte[static_cast<size_t>(y) * kPhoto + x] = 0;
      uint8_t* c = shot.rgb.data() + 3 * (static_cast<size_t>(y) * kPhoto + x);
      c[0] = 0, c[1] = 255, c[2] = 0;
    }
  }
  const Result result = Project(model, {shot.view(model)});
  ForTexels(model, Skin, [&](size_t i, const float*, const float*) {
    EXPECT_LT(result.texture[4 * i + 1], result.texture[4 * i] + 10);
  });
}

TEST(Texture, ChartsGrowIntoTheGapsAroundThem) {
  const HeadModel model = SmallHead({96, 64});
  const Colouring darker = [](const float* p, float* linear) {
    Skin(p, linear);
    for (int k = 0; k < 3; ++k) linear[k] *= 0.45f;
  };
  const Shot front = Photograph(model, Facing(0), darker, kFlat);
  const Result result = Project(model, {front.view(model)});
  const size_t row = kAtlas / 2;  // the chart begins at 2 % of the width
  EXPECT_NEAR(result.texture[4 * (row * kAtlas + 3)], result.texture[4 * (row * kAtlas + 8)], 8);
}

TEST(Texture, RefusesWhatDoesNotFitTogether) {
  const HeadModel model = SmallHead();
  const Shot shot = Photograph(model, Facing(0), Skin, kFlat);
  EXPECT_EQ(Project(model, {}).status.code(), Code::kBadArgument);
  TextureView view = shot.view(model);
  view.photo.width = 100;
  EXPECT_EQ(Project(model, {view}).status.code(), Code::kBadArgument);
  view = shot.view(model);
  view.weight = 0;
  EXPECT_EQ(Project(model, {view}).status.code(), Code::kBadArgument);
  std::vector<uint8_t> base(4 * kAtlas * kAtlas), texture(base.size()), observed(kAtlas * kAtlas);
  Arena arena;
  TextureReport report;
  int32_t words[3] = {1, 0, 0};
  view = shot.view(model);
  EXPECT_EQ(ProjectTexture(model, &view, 1, base.data(), kAtlas, {}, arena, TaskControl(words),
                           texture.data(), observed.data(), &report)
                .code(),
            Code::kCancelled);
  EXPECT_EQ(ProjectTexture(model, &view, 1, base.data(), 10, {}, arena, TaskControl(),
                           texture.data(), observed.data(), &report)
                .code(),
            Code::kBadArgument);
}

TEST(Texture, TheSameInputsGiveTheSameBytes) {
  const HeadModel model = SmallHead();
  const Shot shot = Photograph(model, Facing(0.2f), Waves, kFlat);
  EXPECT_EQ(Project(model, {shot.view(model)}).texture, Project(model, {shot.view(model)}).texture);
}

TEST(Atlas, MirrorTrianglesAreMutual) {
  const HeadModel model = SmallHead();
  const std::vector<MirrorTriangle> across = FindMirrorTriangles(model);
  for (uint32_t t = 0; t < model.triangle_count(); ++t) {
    ASSERT_NE(across[t].other, kNoTriangle);
    EXPECT_EQ(across[across[t].other].other, t);
  }
}

TEST(Light, IsFoundDespiteWrongAlbedos) {
  std::vector<LightSample> samples;
  for (int i = 0; i < 2000; ++i) {
    const float a = 0.05f * i, z = 0.2f + 0.8f * (i % 50) / 50, r = std::sqrt(1 - z * z);
    LightSample s = {{0.4f, 0.3f, 0.2f}, {0, 0, 0}, {r * std::cos(a), r * std::sin(a), z}, 1};
    const float shade = 0.7f + 0.3f * s.normal[0] - 0.1f * s.normal[1] + 0.2f * s.normal[2];
    for (int k = 0; k < 3; ++k) s.photo[k] = s.albedo[k] * shade * (i % 7 == 0 ? 0.2f : 1.0f);
    samples.push_back(s);
  }
  const std::array<float, 12> light = EstimateLight(samples);
  for (int k = 0; k < 3; ++k) {
    EXPECT_NEAR(light[4 * k + 1], 0.3, 0.03);
    EXPECT_NEAR(light[4 * k + 2], -0.1, 0.03);
    EXPECT_NEAR(light[4 * k] + 0.6 * light[4 * k + 3], 0.7 + 0.6 * 0.2, 0.03);
  }
}

TEST(Colour, CurvesLieOnThePowersTheyStandFor) {
  for (int i = 0; i <= 100000; ++i) {
    const float x = static_cast<float>(i) / 100000;
    const double linear = x <= 0.04045f ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
    const double srgb = x <= 0.0031308f ? 12.92 * x : 1.055 * std::pow(double{x}, 1 / 2.4) - 0.055;
    ASSERT_NEAR(ToLinear(x), linear, 5e-7) << x;
    ASSERT_NEAR(ToSrgb(x), srgb, 5e-7) << x;
    ASSERT_NEAR(LogLight(x), std::log(linear + 0.01), 1e-5) << x;
  }
  EXPECT_NEAR(ToLinear(1.5f), std::pow(1.555 / 1.055, 2.4), 1e-5);
  EXPECT_NEAR(ToSrgb(1.5f), 1.055 * std::pow(1.5, 1 / 2.4) - 0.055, 1e-5);
  EXPECT_EQ(ToSrgb(-1.0f), 0);
}

}  // namespace
}  // namespace daf::head
