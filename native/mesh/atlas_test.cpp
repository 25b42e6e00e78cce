#include "native/mesh/atlas.h"

#include <set>

#include "native/mesh/band_surface.h"
#include "native/mesh/charts.h"
#include "native/mesh/simplify.h"
#include "native/mesh/testing_shapes.h"
#include "native/mesh/texels.h"
#include "native/mesh/vector.h"

namespace daf::mesh {
namespace {

using namespace testing;

float Lumpy(const float* p) {
  return Ball(p) + 0.15f * std::sin(6 * p[0]) * std::sin(7 * p[1]) * std::sin(5 * p[2]) +
         0.03f * std::sin(31 * p[0]) * std::sin(37 * p[1]) * std::sin(29 * p[2]);
}
float Torus(const float* p) {
  const float ring = std::hypot(p[0], p[1]) - 0.9f;
  return 0.3f - std::hypot(ring, p[2]);
}

template <typename F>
Mesh Extract(F f, size_t faces) {
  Mesh mesh;
  BandReport report;
  EXPECT_TRUE(ExtractBandSurface({{-1.5f, -1.5f, -1.5f}, {1.5f, 1.5f, 1.5f}, 48, 0}, Of(f), {},
                                 TaskControl(), &mesh, &report)
                  .ok());
  EXPECT_TRUE(Simplify(faces, TaskControl(), &mesh).ok());
  return mesh;
}

Triangle2 InTexels(const Atlas& atlas, const Triangle& t, uint32_t size) {
  Triangle2 out;
  for (size_t k = 0; k < 3; ++k) {
    out[k] = {atlas.uvs[t[k]][0] * static_cast<float>(size),
              atlas.uvs[t[k]][1] * static_cast<float>(size)};
  }
  return out;
}

// What every atlas must hold: the same surface, no texel twice, nothing of another chart within
// the gutters, stretch within its bound.
void ExpectSound(const Mesh& mesh, const Atlas& atlas, const AtlasOptions& options) {
  ASSERT_EQ(atlas.triangles.size(), mesh.triangles.size());
  for (size_t i = 0; i < mesh.triangles.size(); ++i) {
    for (size_t k = 0; k < 3; ++k)
      ASSERT_EQ(atlas.source[atlas.triangles[i][k]], mesh.triangles[i][k]);
  }
  for (const Point2& uv : atlas.uvs) {
    for (const float v : uv) ASSERT_TRUE(v > 0 && v < 1);
  }
  const int size = static_cast<int>(options.size);
  std::vector<int> covered(static_cast<size_t>(size) * size, 0);
  size_t twice = 0;
  for (const Triangle& t : atlas.triangles) {
    EachTexel(InTexels(atlas, t, options.size), size, -1e-4f, [&](int x, int y, const float*) {
      twice += covered[static_cast<size_t>(y) * size + x]++ > 0;
    });
  }
  EXPECT_EQ(twice, 0u) << "texels covered by two triangles";
  EXPECT_LE(atlas.stretch, 1 / kPocketCosine + 1e-3f);
  for (const Triangle& t : atlas.triangles) {
    for (size_t k = 0; k < 3; ++k) {
      const uint32_t a = t[k], b = t[(k + 1) % 3];
      const float on_surface =
          Length(Minus(mesh.positions[atlas.source[a]], mesh.positions[atlas.source[b]]));
      const float in_texture =
          std::hypot(atlas.uvs[a][0] - atlas.uvs[b][0], atlas.uvs[a][1] - atlas.uvs[b][1]) *
          static_cast<float>(size) * atlas.texel;
      ASSERT_LE(in_texture, on_surface * 1.01f + 1e-5f) << "a projection lengthens nothing";
    }
  }
}

TEST(Atlas, SphereInFewChartsThatFillTheTexture) {
  const Mesh mesh = Extract(Ball, 3000);
  const AtlasOptions options = {256, 2};
  Atlas atlas;
  ASSERT_TRUE(BuildAtlas(mesh, options, TaskControl(), &atlas).ok());
  ExpectSound(mesh, atlas, options);
  EXPECT_LE(atlas.charts, 20u);
  double used = 0;
  for (const Triangle& t : atlas.triangles) {
    const Triangle2 q = InTexels(atlas, t, options.size);
    used += std::fabs((q[1][0] - q[0][0]) * (q[2][1] - q[0][1]) -
                      (q[1][1] - q[0][1]) * (q[2][0] - q[0][0])) /
            2;
  }
  EXPECT_GT(used / (256 * 256), 0.45);
}

TEST(Atlas, RoughAndHandledSurfacesDoNotOverlap) {
  for (const auto& shape : {Lumpy, Torus}) {
    const Mesh mesh = Extract(shape, 6000);
    for (const AtlasOptions& options : {AtlasOptions{512, 2}, AtlasOptions{1024, 4}}) {
      Atlas atlas;
      ASSERT_TRUE(BuildAtlas(mesh, options, TaskControl(), &atlas).ok());
      ExpectSound(mesh, atlas, options);
      EXPECT_LT(atlas.charts, mesh.triangles.size() / 20);
    }
  }
}

TEST(Atlas, ChartsKeepTheirDistance) {
  const Mesh mesh = Extract(Lumpy, 4000);
  const AtlasOptions options = {512, 3};
  Atlas atlas;
  ASSERT_TRUE(BuildAtlas(mesh, options, TaskControl(), &atlas).ok());
  // Vertices of one chart hang together; grow each texel's chart by the gutter: none meets another.
  std::vector<uint32_t> chart(atlas.source.size());
  for (uint32_t v = 0; v < chart.size(); ++v) chart[v] = v;
  for (bool changed = true; changed;) {
    changed = false;
    for (const Triangle& t : atlas.triangles) {
      const uint32_t least = std::min({chart[t[0]], chart[t[1]], chart[t[2]]});
      for (const uint32_t v : t) {
        changed = changed || chart[v] != least;
        chart[v] = least;
      }
    }
  }
  EXPECT_EQ(std::set<uint32_t>(chart.begin(), chart.end()).size(), atlas.charts);
  std::vector<uint32_t> owner(512 * 512, kNone);
  for (const Triangle& t : atlas.triangles) {
    EachTexel(InTexels(atlas, t, 512), 512, 0, [&](int x, int y, const float*) {
      owner[static_cast<size_t>(y) * 512 + x] = chart[t[0]];
    });
  }
  for (int y = 3; y + 3 < 512; ++y) {
    for (int x = 3; x + 3 < 512; ++x) {
      const uint32_t own = owner[static_cast<size_t>(y) * 512 + x];
      if (own == kNone) continue;
      for (int dy = -3; dy <= 3; ++dy) {
        for (int dx = -3; dx <= 3; ++dx) {
          const uint32_t other = owner[static_cast<size_t>(y + dy) * 512 + x + dx];
          ASSERT_TRUE(other == kNone || other == own);
        }
      }
    }
  }
}

TEST(Atlas, RefusesWhatDoesNotFit) {
  const Mesh mesh = Extract(Lumpy, 6000);
  Atlas atlas;
  EXPECT_EQ(BuildAtlas(mesh, {32, 2}, TaskControl(), &atlas).code(), Code::kBadArgument);
  EXPECT_EQ(BuildAtlas(mesh, {512, 0}, TaskControl(), &atlas).code(), Code::kBadArgument);
  EXPECT_EQ(BuildAtlas(mesh, {64, 16}, TaskControl(), &atlas).code(), Code::kBadData);
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(BuildAtlas(mesh, {512, 2}, TaskControl(words), &atlas).code(), Code::kCancelled);
  ASSERT_TRUE(BuildAtlas(Mesh(), {512, 2}, TaskControl(), &atlas).ok());
  EXPECT_EQ(atlas.charts, 0u);
}

}  // namespace
}  // namespace daf::mesh
