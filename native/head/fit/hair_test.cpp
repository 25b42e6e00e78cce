// Hair brought back to outlines of heads whose hair is known.
#include "native/head/fit/hair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "native/head/model/builtin.h"
#include "native/head/raster/shade.h"

namespace daf::head {
namespace {

constexpr int kSize = 320;

const HeadModel& Head() {
  static const std::shared_ptr<const HeadModel> head = [] {
    std::shared_ptr<const HeadModel> made;
    EXPECT_TRUE(BuiltinHead(&made).ok());
    return made;
  }();
  return *head;
}

const Part& Hair() {
  for (const Part& part : Head().parts) {
    if (part.name == "hair") return part;
  }
  ADD_FAILURE() << "the embedded head has no hair";
  return Head().parts[0];
}

// Calls visit(position) once for every vertex of the hair.
template <typename Visit>
void ForHair(const Visit& visit) {
  std::vector<bool> done(Head().position_count, false);
  for (uint32_t r = Hair().first_vertex; r < Hair().first_vertex + Hair().vertex_count; ++r) {
    const uint32_t v = Head().source[r];
    if (!done[v]) visit(v);
    done[v] = true;
  }
}

Camera Facing(float yaw) {
  Camera camera;
  camera.width = camera.height = kSize;
  camera.center[0] = camera.center[1] = kSize / 2;
  camera.focal = 700;
  RotationFromAngles(yaw, 0, 0, camera.rotation);
  camera.translation[2] = -85;
  return camera;
}

// The outline of the whole head, or without its hair.
std::vector<uint8_t> MatteOf(const std::vector<float>& positions, const Camera& camera,
                             bool with_hair = true) {
  const MeshView mesh{positions.data(),
                      Head().position_count,
                      Head().source.data(),
                      Head().render_count(),
                      Head().uv.data(),
                      Head().triangles.data(),
                      with_hair ? Head().triangle_count() : Hair().first_triangle};
  std::vector<uint8_t> mask(kSize * kSize);
  EXPECT_TRUE(RenderMask(camera, mesh, {}, mask.data()).ok());
  return mask;
}

// A head of much hair: up to 2.5 cm more on the crown, 1.2 cm on the sides, none at the rim.
std::vector<float> BigHair() {
  std::vector<float> positions = Head().mean;
  ForHair([&](uint32_t v) {
    float* p = positions.data() + 3 * size_t{v};
    const float up = std::clamp((p[1] - 3) / 6, 0.0f, 1.0f);
    const float aside = std::clamp((p[1] - 1.5f) / 3, 0.0f, 1.0f);
    p[1] += 2.5f * up * up * (3 - 2 * up);
    p[0] += (p[0] > 0 ? 1.2f : -1.2f) * aside * std::min(1.0f, std::abs(p[0]) / 6);
  });
  return positions;
}

double Overlap(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  size_t both = 0, either = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    both += a[i] >= 128 && b[i] >= 128;
    either += a[i] >= 128 || b[i] >= 128;
  }
  return static_cast<double>(both) / static_cast<double>(either);
}

std::vector<float> Fitted(const std::vector<HairView>& views) {
  std::vector<float> displacement(Head().mean.size());
  Arena arena;
  EXPECT_TRUE(FitHair(Head(), Head().mean.data(), views.data(), static_cast<int>(views.size()),
                      arena, {}, displacement.data())
                  .ok());
  return displacement;
}

std::vector<float> Moved(const std::vector<float>& displacement) {
  std::vector<float> out = Head().mean;
  for (size_t i = 0; i < out.size(); ++i) out[i] += displacement[i];
  return out;
}

TEST(FitHair, OutlinesComeBackAlsoWhereNoPhotoLooked) {
  const std::vector<float> truth = BigHair();
  std::vector<std::vector<uint8_t>> mattes;
  std::vector<HairView> views;
  for (float yaw : {0.0f, 0.6f, -0.6f}) mattes.push_back(MatteOf(truth, Facing(yaw)));
  int view = 0;
  for (float yaw : {0.0f, 0.6f, -0.6f})
    views.push_back({Facing(yaw), mattes[static_cast<size_t>(view++)].data(), 1});
  const std::vector<float> fitted = Moved(Fitted(views));
  for (float yaw : {0.0f, 0.6f, -0.6f, 0.3f, 1.2f}) {
    const std::vector<uint8_t> wanted = MatteOf(truth, Facing(yaw));
    const double before = Overlap(MatteOf(Head().mean, Facing(yaw)), wanted);
    const double after = Overlap(MatteOf(fitted, Facing(yaw)), wanted);
    // Of what the outlines differed by at least seven parts in ten are gone.
    EXPECT_LT(1 - after, 0.3 * (1 - before)) << "yaw " << yaw << ": " << before << " " << after;
  }
}

// Of a photo from the front only the subject's left half is kept: the outline of the other side is
// the picture's end.
TEST(FitHair, WhatOneSideShowsHoldsForTheOther) {
  Camera half = Facing(0);
  const std::vector<uint8_t> whole = MatteOf(BigHair(), half);
  half.width = kSize / 2 + 8;
  half.center[0] = 8;
  std::vector<uint8_t> matte;
  for (int y = 0; y < kSize; ++y) {
    const auto row = whole.begin() + y * kSize;
    matte.insert(matte.end(), row + kSize / 2 - 8, row + kSize);
  }
  const std::vector<float> d = Fitted({{half, matte.data(), 1}});
  float left = 0, right = 0;
  ForHair([&](uint32_t v) {
    const float x = Head().mean[3 * size_t{v}];
    if (Head().mean[3 * size_t{v} + 1] > 8 || std::abs(x) < 4) return;
    float& side = x > 0 ? left : right;
    side = std::max(side, x > 0 ? d[3 * size_t{v}] : -d[3 * size_t{v}]);
  });
  EXPECT_GT(left, 0.6f);
  EXPECT_GT(right, 0.5f * left);
  EXPECT_LT(right, left);
}

TEST(FitHair, BaldHeadsPressTheShellOntoTheScalpAndNotIntoIt) {
  std::vector<std::vector<uint8_t>> mattes;
  for (float yaw : {0.0f, 0.9f, -0.9f}) mattes.push_back(MatteOf(Head().mean, Facing(yaw), false));
  const std::vector<float> fitted = Moved(Fitted({{Facing(0), mattes[0].data(), 1},
                                                  {Facing(0.9f), mattes[1].data(), 1},
                                                  {Facing(-0.9f), mattes[2].data(), 1}}));
  const double before = Overlap(MatteOf(Head().mean, Facing(0)), mattes[0]);
  const double after = Overlap(MatteOf(fitted, Facing(0)), mattes[0]);
  EXPECT_LT(1 - after, 0.5 * (1 - before));
  std::vector<float> normals(fitted.size());
  const MeshView mesh{Head().mean.data(),           Head().position_count, Head().source.data(),
                      Head().render_count(),        Head().uv.data(),      Head().triangles.data(),
                      size_t{Hair().first_triangle}};
  VertexNormals(mesh, normals.data());
  // Over the skin next to it, by no more than the shell ever was.
  ForHair([&](uint32_t v) {
    const float* p = fitted.data() + 3 * size_t{v};
    float nearest = INFINITY;
    size_t skin = 0;
    for (uint32_t r = Head().parts[0].first_vertex;
         r < Head().parts[0].first_vertex + Head().parts[0].vertex_count; ++r) {
      const float* s = Head().mean.data() + 3 * size_t{Head().source[r]};
      const float square = (p[0] - s[0]) * (p[0] - s[0]) + (p[1] - s[1]) * (p[1] - s[1]) +
                           (p[2] - s[2]) * (p[2] - s[2]);
      if (square < nearest) {
        nearest = square;
        skin = Head().source[r];
      }
    }
    float over = 0;
    for (size_t k = 0; k < 3; ++k)
      over += (p[k] - Head().mean[3 * skin + k]) * normals[3 * skin + k];
    EXPECT_GT(over, 0.0f) << "at " << p[0] << " " << p[1] << " " << p[2];
  });
}

// A camera told nearer or further than it was draws the skull too large: hair that is seen is not
// pressed flat for it.
TEST(FitHair, HairThatIsSeenHardlySinks) {
  Camera camera = Facing(0);
  const std::vector<uint8_t> matte = MatteOf(Head().mean, camera);
  camera.focal *= 1.08f;
  const auto deepest = [&](float bare) {
    const std::vector<float> d = Fitted({{camera, matte.data(), 1, bare}});
    float most = 0;
    ForHair([&](uint32_t v) {
      most =
          std::max(most, std::hypot(d[3 * size_t{v}], d[3 * size_t{v} + 1], d[3 * size_t{v} + 2]));
    });
    return most;
  };
  EXPECT_GT(deepest(1), 0.4f) << "a bare scalp follows the outline";
  EXPECT_LT(deepest(0), 0.15f);
  EXPECT_LT(deepest(0.5f), deepest(1));
}

TEST(FitHair, NothingSeenMovesNothing) {
  const std::vector<uint8_t> full(kSize * kSize, 255);  // no end in sight anywhere
  for (float d : Fitted({{Facing(0), full.data(), 1}})) EXPECT_EQ(d, 0);
  for (float d : Fitted({})) EXPECT_EQ(d, 0);
}

TEST(FitHair, LeavesEverythingButHairAndRefusesWhatIsNone) {
  const std::vector<uint8_t> matte = MatteOf(BigHair(), Facing(0));
  const std::vector<float> displacement = Fitted({{Facing(0), matte.data(), 1}});
  std::vector<bool> hair(Head().position_count, false);
  ForHair([&](uint32_t v) { hair[v] = true; });
  for (uint32_t v = 0; v < Head().position_count; ++v) {
    if (hair[v]) continue;
    for (size_t k = 0; k < 3; ++k) EXPECT_EQ(displacement[3 * size_t{v} + k], 0);
  }
  EXPECT_EQ(Fitted({{Facing(0), matte.data(), 1}}), displacement) << "the same again";

  std::vector<float> out(Head().mean.size());
  Arena arena;
  const auto fit = [&](const HairView& view, const std::vector<float>& positions,
                       const TaskControl& control = {}) {
    return FitHair(Head(), positions.data(), &view, 1, arena, control, out.data()).code();
  };
  for (float weight : {0.0f, -1.0f, NAN, INFINITY, 1e38f})
    EXPECT_EQ(fit({Facing(0), matte.data(), weight}, Head().mean), Code::kBadArgument) << weight;
  for (float bare : {-0.1f, 1.1f, NAN})
    EXPECT_EQ(fit({Facing(0), matte.data(), 1, bare}, Head().mean), Code::kBadArgument) << bare;
  Camera nowhere = Facing(0);
  nowhere.translation[1] = NAN;
  EXPECT_EQ(fit({nowhere, matte.data(), 1}, Head().mean), Code::kBadArgument);
  std::vector<float> broken = Head().mean;
  broken[1234] = INFINITY;
  EXPECT_EQ(fit({Facing(0), matte.data(), 1}, broken), Code::kBadArgument);
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(fit({Facing(0), matte.data(), 1}, Head().mean, TaskControl(words)), Code::kCancelled);
}

}  // namespace
}  // namespace daf::head
