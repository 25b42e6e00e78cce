#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "native/head/raster/shade.h"
#include "native/head/synth/albedo.h"
#include "native/head/synth/photo.h"

namespace daf::head {
namespace {

struct Embedded {
  std::shared_ptr<const HeadModel> head;
  std::shared_ptr<const HeadMarks> marks;
};

const Embedded& Head() {
  static Embedded embedded;
  if (embedded.head == nullptr) {
    EXPECT_TRUE(BuiltinHead(&embedded.head).ok());
    EXPECT_TRUE(BuiltinMarks(&embedded.marks).ok());
  }
  return embedded;
}

constexpr int kTexture = 256;

std::vector<uint8_t> Albedo(const Looks& looks) {
  std::vector<uint8_t> rgba(4 * kTexture * kTexture);
  EXPECT_TRUE(
      PaintAlbedo(*Head().head, *Head().marks, looks, kTexture, TaskControl(), rgba.data()).ok());
  return rgba;
}

// Mean colour of a render vertex' texel.
const uint8_t* TexelOf(const std::vector<uint8_t>& rgba, uint32_t position) {
  const HeadModel& head = *Head().head;
  for (size_t r = 0; r < head.source.size(); ++r) {
    if (head.source[r] != position) continue;
    const int x = std::min(kTexture - 1, static_cast<int>(head.uv[2 * r] * kTexture));
    const int y = std::min(kTexture - 1, static_cast<int>(head.uv[2 * r + 1] * kTexture));
    return &rgba[4 * (static_cast<size_t>(y) * kTexture + x)];
  }
  ADD_FAILURE();
  return rgba.data();
}

PhotoOptions Small() {
  PhotoOptions options;
  options.width = options.height = 128;
  options.texture = kTexture;
  options.yaw = options.pitch = options.roll = 0;
  options.expression = 0;
  return options;
}

struct Shot {
  Photo photo;
  std::vector<uint8_t> rgb, mask;
};

Shot Take(const PhotoOptions& options) {
  const size_t pixels = static_cast<size_t>(options.width) * static_cast<size_t>(options.height);
  Shot shot{{}, std::vector<uint8_t>(3 * pixels), std::vector<uint8_t>(pixels)};
  EXPECT_TRUE(SynthesizePhoto(*Head().head, *Head().marks, options, TaskControl(), &shot.photo,
                              shot.rgb.data(), shot.mask.data())
                  .ok());
  return shot;
}

TEST(Albedo, LipsAreRedderAndDarkSkinDarker) {
  Looks looks;
  looks.moles = 0;
  const std::vector<uint8_t> average = Albedo(looks);
  looks.melanin = 1.6f;
  const std::vector<uint8_t> dark = Albedo(looks);
  const auto& landmarks = Head().head->landmarks;
  const uint8_t* lip = TexelOf(average, landmarks[57] /* border */);
  const uint8_t* chin = TexelOf(average, landmarks[8]);
  EXPECT_GT(lip[0] - lip[1], chin[0] - chin[1] + 5);
  const uint8_t* dark_chin = TexelOf(dark, landmarks[8]);
  for (int c = 0; c < 3; ++c) EXPECT_LT(dark_chin[c] + 30, chin[c]);
  // Brows and lash lines are darker than the forehead.
  const uint8_t* brow = TexelOf(average, landmarks[24]);
  EXPECT_LT(brow[0] + 25, chin[0]);
}

TEST(Albedo, RefusesAnotherModelAndStops) {
  HeadMarks none;
  std::vector<uint8_t> rgba(4 * 64 * 64);
  EXPECT_EQ(PaintAlbedo(*Head().head, none, {}, 64, TaskControl(), rgba.data()).code(),
            Code::kBadArgument);
  EXPECT_EQ(PaintAlbedo(*Head().head, *Head().marks, {}, 8, TaskControl(), rgba.data()).code(),
            Code::kBadArgument);
  int32_t words[3] = {1, 0, 0};
  EXPECT_EQ(
      PaintAlbedo(*Head().head, *Head().marks, {}, 64, TaskControl(words), rgba.data()).code(),
      Code::kCancelled);
}

TEST(Person, PeopleDifferAndOneStaysThemselves) {
  const HeadModel& head = *Head().head;
  const Person a = MakePerson(head, 1, 0, false), again = MakePerson(head, 1, 0, false),
               b = MakePerson(head, 1, 1, false);
  EXPECT_EQ(a.identity, again.identity);
  EXPECT_NE(a.identity, b.identity);
  // Over many people every coefficient of shape is spread about as a standard normal one.
  const size_t shape = head.identity_names.size() - 6;
  for (size_t m = 0; m < shape; ++m) {
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < 200; ++i) {
      const float v = MakePerson(head, 9, i, false).identity[m];
      sum += v;
      squares += v * v;
      ASSERT_LE(std::abs(v), 2.5f);
    }
    EXPECT_NEAR(sum / 200, 0, 0.45) << head.identity_names[m];
    EXPECT_NEAR(std::sqrt(squares / 200), 1, 0.35) << head.identity_names[m];
  }
}

TEST(Photo, TruthAgreesWithTheModelAndThePicture) {
  PhotoOptions options = Small();
  options.yaw = 0.35f;
  const Shot shot = Take(options);
  const HeadModel& head = *Head().head;
  std::vector<float> positions(head.mean.size());
  head.Shape(shot.photo.identity.data(), shot.photo.identity.size(), shot.photo.expression.data(),
             shot.photo.expression.size(), positions.data());
  for (size_t k = 17; k < kLandmarks; ++k) {
    float pixel[2], depth;
    ASSERT_TRUE(
        shot.photo.camera.Project(&positions[3 * size_t{head.landmarks[k]}], pixel, &depth));
    EXPECT_NEAR(pixel[0], shot.photo.landmarks[2 * k], 1e-3);
    EXPECT_NEAR(pixel[1], shot.photo.landmarks[2 * k + 1], 1e-3);
  }
  // Turned to its own left the face shows its right side: that jaw keeps its vertices, the far one
  // lies on the contour.
  for (size_t k = 9; k < 17; ++k) {
    float pixel[2], depth;
    ASSERT_TRUE(
        shot.photo.camera.Project(&positions[3 * size_t{head.landmarks[k]}], pixel, &depth));
    EXPECT_LE(shot.photo.landmarks[2 * k], pixel[0] + 6);
  }
  float yaw, pitch, roll;
  AnglesFromRotation(shot.photo.camera.rotation, &yaw, &pitch, &roll);
  EXPECT_NEAR(yaw, 0.35f, 1e-5f);
  // The mask is the head: some of the picture, none of its upper corners.
  double area = 0;
  for (uint8_t m : shot.mask) area += m / 255.0;
  EXPECT_GT(area / static_cast<double>(shot.mask.size()), 0.12);
  EXPECT_LT(area / static_cast<double>(shot.mask.size()), 0.75);
  EXPECT_EQ(shot.mask[0], 0);
  EXPECT_EQ(shot.mask[127], 0);
}

TEST(Photo, SameOptionsSameBytes) {
  const PhotoOptions options = Small();
  EXPECT_EQ(Take(options).rgb, Take(options).rgb);
  PhotoOptions next = options;
  next.photo = 1;
  const Shot a = Take(options), b = Take(next);
  EXPECT_EQ(a.photo.identity, b.photo.identity);
  EXPECT_NE(a.rgb, b.rgb);
}

// The mole is on the subject's left cheek: on the picture's right side when it looks at us.
TEST(Photo, MarksAreOnTheirSide) {
  PhotoOptions options = Small();
  options.width = options.height = 256;
  options.focal_mm = 85;
  const Shot plain = Take(options);
  options.marks = true;
  const Shot marked = Take(options);
  double left = 0, right = 0;
  const float middle = marked.photo.landmarks[2 * 30];
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) {
      const size_t at = 3 * (static_cast<size_t>(y) * 256 + x);
      const int darker = plain.rgb[at + 1] - marked.rgb[at + 1];
      if (darker > 25) (static_cast<float>(x) > middle ? right : left) += 1;
    }
  }
  EXPECT_GT(right, 20);
  EXPECT_EQ(left, 0);
}

TEST(Photo, RefusesWhatCannotBe) {
  Photo photo;
  std::vector<uint8_t> bytes(3 * 128 * 128);
  PhotoOptions options = Small();
  options.focal_mm = 3;
  EXPECT_EQ(SynthesizePhoto(*Head().head, *Head().marks, options, TaskControl(), &photo,
                            bytes.data(), bytes.data())
                .code(),
            Code::kBadArgument);
  options = Small();
  options.height = 10;
  EXPECT_EQ(SynthesizePhoto(*Head().head, *Head().marks, options, TaskControl(), &photo,
                            bytes.data(), bytes.data())
                .code(),
            Code::kBadArgument);
}

}  // namespace
}  // namespace daf::head
