#include "native/head/synth/faces/faces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "native/head/synth/faces/lens.h"

namespace daf::head {
namespace {

struct Pictures {
  std::vector<uint8_t> rgb;
  std::vector<std::vector<FaceTruth>> truth;
};

Pictures Take(const FacesOptions& options, bool with_marks = true) {
  std::shared_ptr<const HeadModel> model;
  std::shared_ptr<const HeadMarks> marks;
  EXPECT_TRUE(BuiltinHead(&model).ok());
  EXPECT_TRUE(BuiltinMarks(&marks).ok());
  Pictures p;
  p.rgb.resize(size_t{3} * options.side * options.side * options.count);
  EXPECT_TRUE(SynthesizeFaces(*model, with_marks ? marks.get() : nullptr, options, TaskControl(),
                              p.rgb.data(), &p.truth)
                  .ok());
  return p;
}

TEST(Faces, APictureDependsOnItsNumberAlone) {
  FacesOptions o;
  o.side = 64;
  o.count = 3;
  o.first = 9;
  const Pictures run = Take(o);
  o.first = 10;
  o.count = 1;
  const Pictures one = Take(o);
  const size_t bytes = size_t{3} * 64 * 64;
  EXPECT_TRUE(std::equal(one.rgb.begin(), one.rgb.end(), run.rgb.begin() + bytes));
  EXPECT_EQ(one.truth[0][0].landmarks, run.truth[1][0].landmarks);
  EXPECT_FALSE(std::equal(one.rgb.begin(), one.rgb.end(), run.rgb.begin()));
}

TEST(Faces, CropsHoldOneFaceInTheMiddleAndItsEyesAreDarkerThanItsCheeks) {
  FacesOptions o;
  o.form = FacesForm::kPlain;
  o.side = 128;
  o.count = 12;
  const Pictures p = Take(o);
  int dark = 0, frontal = 0;
  for (size_t i = 0; i < o.count; ++i) {
    ASSERT_EQ(p.truth[i].size(), 1u);
    const FaceTruth& face = p.truth[i][0];
    float middle = 0;
    for (int k = 0; k < kLandmarks; ++k) middle += face.landmarks[2 * k] / kLandmarks;
    EXPECT_NEAR(middle, 64, 14);
    for (int k = 0; k < kLandmarks; ++k) {
      EXPECT_GE(face.landmarks[2 * k], face.box[0] - 1e-3f);
      EXPECT_LE(face.landmarks[2 * k + 1], face.box[3] + 1e-3f);
    }
    if (std::abs(face.yaw) > 0.5f) continue;
    ++frontal;
    auto grey = [&](float x, float y) {
      const size_t at = (i * 128 * 128 + static_cast<size_t>(y) * 128 + static_cast<size_t>(x)) * 3;
      return p.rgb[at] + p.rgb[at + 1] + p.rgb[at + 2];
    };
    auto at = [&](int k) { return &face.landmarks[2 * k]; };
    // Halfway along the upper lids against halfway between eye and corner of the mouth.
    const float eye = static_cast<float>(
        std::min(grey((at(37)[0] + at(40)[0]) / 2, (at(37)[1] + at(40)[1]) / 2),
                 grey((at(44)[0] + at(47)[0]) / 2, (at(44)[1] + at(47)[1]) / 2)));
    const float cheek = static_cast<float>(
        std::max(grey((at(41)[0] + at(48)[0]) / 2, (at(41)[1] + at(48)[1]) / 2),
                 grey((at(46)[0] + at(54)[0]) / 2, (at(46)[1] + at(54)[1]) / 2)));
    dark += eye < cheek;
  }
  ASSERT_GT(frontal, 4);
  EXPECT_GE(dark, frontal - 1);
}

TEST(Faces, TheJawsOwnPointsAreThoseOfTheContourWhereTheyShowAndLieBehindItWhereTheyHide) {
  FacesOptions o;
  o.side = 64;
  o.count = 24;
  int turned = 0, hidden = 0;
  for (const auto& list : Take(o).truth) {
    const FaceTruth& face = list[0];
    float farthest = 0;
    for (size_t k = 0; k < kJawPoints; ++k) {
      const float apart = std::hypot(face.jaw[2 * k] - face.landmarks[2 * k],
                                     face.jaw[2 * k + 1] - face.landmarks[2 * k + 1]);
      if (face.seen[k]) EXPECT_EQ(apart, 0);
      hidden += !face.seen[k];
      farthest = std::max(farthest, apart);
    }
    if (std::abs(face.yaw) < 1) continue;
    ++turned;
    EXPECT_GT(farthest, 1);  // of about 29 pixels that the face takes
  }
  EXPECT_GT(turned, 3);
  EXPECT_GT(hidden, 24);
}

TEST(Faces, ScenesFrameOnlyFacesThatShow) {
  FacesOptions o;
  o.form = FacesForm::kScenes;
  o.side = 96;
  o.count = 30;
  size_t faces = 0;
  for (const auto& list : Take(o).truth) {
    EXPECT_LE(list.size(), static_cast<size_t>(kMostFaces));
    faces += list.size();
    for (const FaceTruth& face : list) {
      EXPECT_LT(std::abs(face.yaw), 1.6f);  // nobody seen from behind
      int inside = 0;
      for (int k = 0; k < kLandmarks; ++k) {
        const float x = face.landmarks[2 * k], y = face.landmarks[2 * k + 1];
        inside += x > -1 && y > -1 && x < 97 && y < 97;
      }
      EXPECT_GE(2 * inside, kLandmarks);
    }
  }
  EXPECT_GT(faces, 15u);
}

TEST(Faces, AHeadWithoutMarksIsPaintedByVertexAndBadSidesAreRefused) {
  FacesOptions o;
  o.side = 64;
  const Pictures p = Take(o, false);
  EXPECT_EQ(p.truth[0].size(), 1u);
  std::shared_ptr<const HeadModel> model;
  ASSERT_TRUE(BuiltinHead(&model).ok());
  std::vector<std::vector<FaceTruth>> truth;
  o.side = 16;
  EXPECT_EQ(SynthesizeFaces(*model, nullptr, o, TaskControl(), nullptr, &truth).code(),
            Code::kBadArgument);
  o.side = 64;
  int32_t words[3] = {1, 0, 0};
  std::vector<uint8_t> rgb(3 * 64 * 64);
  EXPECT_EQ(SynthesizeFaces(*model, nullptr, o, TaskControl(words), rgb.data(), &truth).code(),
            Code::kCancelled);
}

TEST(Requantise, KeepsFlatColourAndLosesMoreWithLessQuality) {
  const int w = 20, h = 13;
  std::vector<float> flat(3 * w * h);
  for (size_t i = 0; i < flat.size(); ++i) flat[i] = i < size_t{w} * h ? 200.0f : 90.0f;
  std::vector<float> out = flat;
  Requantise(90, true, w, h, &out);
  for (size_t i = 0; i < flat.size(); ++i) ASSERT_NEAR(out[i], flat[i], 4) << i;
  std::vector<float> waves(3 * w * h);
  for (int i = 0; i < 3 * w * h; ++i)
    waves[i] = 128 + 60 * std::sin(0.9f * static_cast<float>(i % w) +
                                   0.4f * static_cast<float>(i / w % h));
  double before = 0;
  for (int quality : {95, 60, 15}) {
    out = waves;
    Requantise(quality, false, w, h, &out);
    double error = 0;
    for (size_t i = 0; i < out.size(); ++i) error += std::abs(out[i] - waves[i]) / out.size();
    EXPECT_GT(error, before);
    EXPECT_LT(error, 40);
    before = error;
  }
}

}  // namespace
}  // namespace daf::head
