// What a loss owes to a picture's pose, against finite differences through everything between:
// encoding, networks, compositing, losses; and the coordinates that poses are learnt in.
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "native/nerf/testing_field.h"
#include "native/nerf/training/losses.h"
#include "native/nerf/training/pose_learner.h"
#include "native/nerf/training/testing_photos.h"

namespace daf::nerf {
namespace {

using testing::Orbit;

constexpr uint32_t kEach = 24;  // samples along each ray, at distances that stay

// One picture, a smooth field of random weights, and rays through both.
class PoseGradient : public ::testing::TestWithParam<std::tuple<bool, bool>> {
 protected:
  static bool Contracted() { return std::get<0>(GetParam()); }
  static bool Classic() { return std::get<1>(GetParam()); }
  // As many as one call takes.
  static uint32_t Rays() { return Classic() ? 16 : 48; }

  void SetUp() override {
    box_.unbounded = Contracted();
    box_.max[2] = 1.5f;  // no cube
    ASSERT_TRUE((Classic() ? NewClassic(testing::ClassicOf(32, 4, 2, 1), 1, &field_)
                           : NewHashGrid({3, 2, 12, 2, 6, 16, 16, 0, 0}, 1, &field_))
                    .ok());
    Rng rng(3);
    const float change = Classic() ? 0.02f : 0.3f;
    for (size_t i = 0; i < field_->parameter_count(); ++i)
      field_->parameters()[i] += rng.Uniform(-change, change);
    field_->Pack();
    ASSERT_TRUE(kernels::Chosen(&kernels_).ok());
    ASSERT_TRUE(field_->NewPass(PassKind::kTraining, &arena_, &pass_).ok());
    ASSERT_TRUE(lanes_.Reserve(&arena_).ok());
    const Camera camera = Orbit(0.7f, 0.3f, Contracted() ? 1.8f : 2.2f, 64);
    const testing::Photo photo{camera, std::vector<uint8_t>(size_t{64} * 64 * 4, 255)};
    ASSERT_TRUE(images_.Add({camera, testing::Stored(photo)}).ok());
    ASSERT_TRUE(images_.Add({Orbit(2, 0, 3, 64), testing::Stored(photo)}).ok());
    ASSERT_TRUE(poses_.Begin(images_, box_, 1, &arena_).ok());
    options_.opacity_weight = 0.05f;
    options_.distortion_weight = 0.1f;
  }

  // The loss of the first picture's pose, moved by these shares of its z; where asked for, what is
  // owed to it is taught.
  double Loss(const PoseVector& z, bool teach) {
    std::vector<float> state(poses_.state_size(), 0.0f);
    for (int k = 0; k < 6; ++k) state[static_cast<size_t>(k)] = static_cast<float>(z[k]);
    poses_.Restore(state.data(), 1000, &images_);  // long after the poses began to move
    SampleLanes& l = lanes_;
    l.Clear();
    Rng rng(11);
    for (uint32_t i = 0; i < Rays(); ++i) {
      TrainingRay& ray = l.rays[i];
      ray = TrainingRay{};
      ray.ray = PixelRay(images_.all()[0].camera, rng.Uniform(4, 60), rng.Uniform(4, 60));
      for (int c = 0; c < 3; ++c) {
        ray.color[c] = rng.Uniform();
        ray.background[c] = rng.Uniform();
      }
      ray.alpha = 1;
      l.first[i] = l.samples;
      const float length = (Contracted() ? 9.0f : 3.0f) / kEach, from = Contracted() ? 0.3f : 1.2f;
      for (uint32_t s = 0; s < kEach; ++s) {
        const uint32_t at = l.samples++;
        const float t = from + (static_cast<float>(s) + rng.Uniform()) * length;
        float point[3], unit[3];
        for (int a = 0; a < 3; ++a) point[a] = ray.ray.origin[a] + t * ray.ray.direction[a];
        box_.ToUnit(point, unit);
        l.x[at] = unit[0];
        l.y[at] = unit[1];
        l.z[at] = unit[2];
        l.dx[at] = 0;  // what colours owe to directions is left out
        l.dy[at] = 0;
        l.dz[at] = 1;
        l.t[at] = t / box_.edge();
        l.step[at] = length / box_.edge();
        l.ray[at] = i;
      }
    }
    l.ray_count = Rays();
    l.first[Rays()] = l.samples;
    l.Pad();
    pass_->Positions(poses_.deltas(0));
    pass_->Forward({l.x, l.y, l.z}, {l.dx, l.dy, l.dz}, l.samples, l.density, {l.r, l.g, l.b});
    const kernels::CompositeArgs args = {
        l.ray_count, l.first, l.density, l.step,     l.r,         l.g,   l.b,   l.t,  l.alpha,
        l.weight,    l.out,   l.d_out,   l.d_weight, l.d_density, l.d_r, l.d_g, l.d_b};
    kernels_->composite(&args);
    LossSums sums;
    double loss = 0;
    for (uint32_t i = 0; i < Rays(); ++i) {
      ColorLoss(options_, l.rays[i], l.out + size_t{i} * 6, l.d_out + size_t{i} * 4, &sums);
      const uint32_t first = l.first[i];
      loss += Distortion(l.weight + first, l.t + first, l.step + first, kEach,
                         options_.distortion_weight, l.d_weight + first);
    }
    if (!teach) return loss + sums.loss;
    kernels_->composite_backward(&args);
    std::vector<float> gradients(field_->parameter_count());
    pass_->Backward(l.d_density, {l.d_r, l.d_g, l.d_b}, gradients.data());
    poses_.Teach(0, box_, l);
    return loss + sums.loss;
  }

  Arena arena_;
  Box box_;
  std::unique_ptr<Field> field_;
  std::unique_ptr<FieldPass> pass_;
  const kernels::Table* kernels_ = nullptr;
  SampleLanes lanes_;
  TrainingImages images_;
  PoseLearner poses_;
  SceneTrainOptions options_;
};

TEST_P(PoseGradient, FollowsFiniteDifferences) {
  for (const double size : {0.0, 0.05}) {  // of the correction in use
    PoseVector z = {size, -size, size, size / 2, -size, size};
    PoseVector by_z, all_by_z;
    poses_.Clear(0);
    Loss(z, true);
    poses_.Derivative(0, by_z);
    poses_.Derivative(1, all_by_z);
    double norm = 0;
    for (int k = 0; k < 6; ++k) {
      EXPECT_EQ(all_by_z[k], 0);  // of the picture that no ray was from
      norm += by_z[k] * by_z[k];
    }
    norm = std::sqrt(norm);
    EXPECT_GT(norm, 1);
    for (int k = 0; k < 6; ++k) {
      constexpr double kStep = 1e-4;  // short: cells and units have edges
      PoseVector plus, minus;
      for (int j = 0; j < 6; ++j) {
        plus[j] = z[j] + (j == k ? kStep : 0);
        minus[j] = z[j] - (j == k ? kStep : 0);
      }
      const double difference = (Loss(plus, false) - Loss(minus, false)) / (2 * kStep);
      EXPECT_NEAR(by_z[k] / norm, difference / norm, 2e-2) << k << " of " << size;
    }
  }
}

TEST_P(PoseGradient, WhatAllShareIsTakenOut) {
  constexpr uint32_t kPictures = 12;
  PoseSpace space;
  ASSERT_TRUE(space.Reserve(kPictures, &arena_).ok());
  std::vector<Camera> cameras;
  for (uint32_t i = 0; i < kPictures; ++i) {
    cameras.push_back(testing::Around(i, 4, 64));
    space.Set(i, cameras[i], box_);
  }
  space.Close();
  const auto z_of = [&](uint32_t i, const PoseVector& motion,
                        float* z) {  // solved column by column
    double columns[6][6];
    for (int k = 0; k < 6; ++k) {
      float unit[6] = {};
      unit[k] = 1;
      space.Correction(i, unit, columns[k]);  // upper triangular
    }
    for (int k = 5; k >= 0; --k) {
      double rest = motion[k];
      for (int j = k + 1; j < 6; ++j) rest -= columns[j][k] * double{z[j]};
      z[k] = static_cast<float>(rest / columns[k][k]);
    }
  };
  const auto size = [](const std::vector<float>& z) {
    double sum = 0;
    for (const float v : z) sum += double{v} * v;
    return std::sqrt(sum);
  };
  // Everything turns about the box's middle, moves and grows.
  const double turn[3] = {0.01, -0.02, 0.015}, shift[3] = {0.02, 0.01, -0.03}, growth = 0.02;
  std::vector<float> z(6 * kPictures), own(6 * kPictures);
  for (uint32_t i = 0; i < kPictures; ++i) {
    const Ray axis = PixelRay(cameras[i], 32, 32);
    double from[3];
    for (int a = 0; a < 3; ++a)
      from[a] = double{axis.origin[a]} - 0.5 * (double{box_.min[a]} + double{box_.max[a]});
    PoseVector motion;
    for (int a = 0; a < 3; ++a) {
      const int b = (a + 1) % 3, c = (a + 2) % 3;
      motion[a] = shift[a] + growth * from[a] + turn[b] * from[c] - turn[c] * from[b];
      motion[3 + a] = turn[a];
    }
    z_of(i, motion, &z[6 * i]);
  }
  const double before = size(z);
  space.Settle(z.data());
  EXPECT_LT(size(z), 1e-4 * before);
  // What one picture does of its own stays, but for its share of the mean.
  own[7] = 0.01f;
  space.Settle(own.data());
  EXPECT_NEAR(own[7], 0.01, 0.004);
  std::vector<float> again = own;
  space.Settle(again.data());
  for (size_t k = 0; k < own.size(); ++k) EXPECT_NEAR(again[k], own[k], 1e-7);
}

TEST_P(PoseGradient, AStepOfOneLengthMovesPicturesByAboutThat) {
  const Camera given = images_.all()[0].camera;
  PoseSpace space;
  ASSERT_TRUE(space.Reserve(1, &arena_).ok());
  space.Set(0, given, box_);
  space.Close();
  for (int k = 0; k < 6; ++k) {
    float z[6] = {};
    z[k] = 1e-3f;
    PoseVector correction;
    space.Correction(0, z, correction);
    const Camera moved = Corrected(given, correction);
    double squares = 0;
    uint32_t seen = 0;
    Rng rng(5);
    for (int i = 0; i < 2000; ++i) {
      const float point[3] = {rng.Uniform(-1, 1), rng.Uniform(-1, 1), rng.Uniform(-1, 1.5f)};
      float from[2], to[2], depth;
      if (!Project(given, point, from, &depth) || depth < 0.3f ||
          !Project(moved, point, to, &depth))
        continue;
      if (!(from[0] > 0 && from[0] < 64 && from[1] > 0 && from[1] < 64)) continue;
      for (int a = 0; a < 2; ++a) squares += double{to[a] - from[a]} * double{to[a] - from[a]};
      ++seen;
    }
    const double widths = std::sqrt(squares / seen) / 64;
    EXPECT_GT(widths, 0.2e-3) << k;
    EXPECT_LT(widths, 2e-3) << k;
  }
}

INSTANTIATE_TEST_SUITE_P(BoxesAndFields, PoseGradient,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param) ? "Contracted" : "Bounded") +
                                  (std::get<1>(info.param) ? "Classic" : "HashGrid");
                         });

}  // namespace
}  // namespace daf::nerf
