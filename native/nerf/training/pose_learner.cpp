#include "native/nerf/training/pose_learner.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace daf::nerf {
namespace {
// While nothing has formed yet, what samples ask for is noise; but pictures that are wrong for long
// are explained by haze that is hard to get rid of: poses are learnt almost from the beginning.
constexpr double kWait = 20, kRise = 100;  // steps
// Of a picture's width, a step; then falling throughout to a share of it: what is left in the end
// is noise of about as many pixels as the last steps are long.
constexpr double kRate = 1e-3, kLast = 0.01;
constexpr double kBeta1 = 0.9, kBeta2 = 0.99, kEpsilon = 1e-12;
}  // namespace

Status PoseLearner::Begin(const TrainingImages& images, const Box& box, uint32_t threads,
                          Arena* arena) {
  const size_t pictures = images.all().size();
  DAF_RETURN_IF_ERROR(space_.Reserve(pictures, arena));
  for (size_t i = 0; i < pictures; ++i) {
    given_.push_back(images.all()[i].camera);
    space_.Set(i, given_[i], box);
  }
  space_.Close();
  DAF_RETURN_IF_ERROR(arena->Allocate(state_size(), &corrections_));
  std::memset(corrections_, 0, state_size() * sizeof(float));
  mean_ = corrections_ + 6 * pictures;
  square_ = mean_ + 6 * pictures;
  threads_.resize(threads);
  for (Thread& thread : threads_) {
    for (float** lane : {&thread.deltas.x, &thread.deltas.y, &thread.deltas.z})
      DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, lane));
    DAF_RETURN_IF_ERROR(arena->Allocate(6 * pictures, &thread.motion));
    ClearMotion(thread);
  }
  return Status::Ok();
}

void PoseLearner::ClearMotion(const Thread& thread) {
  std::memset(thread.motion, 0, 6 * space_.size() * sizeof(double));
}

void PoseLearner::Teach(uint32_t thread, const Box& box, const SampleLanes& samples) {
  const Thread& own = threads_[thread];
  const float edge = box.edge();
  for (uint32_t s = 0; s < samples.samples; ++s) {
    const TrainingRay& ray = samples.rays[samples.ray[s]];
    float arm[3], point[3], by_point[3];
    for (int a = 0; a < 3; ++a) {
      arm[a] = samples.t[s] * edge * ray.ray.direction[a];
      point[a] = ray.ray.origin[a] + arm[a];
    }
    const float by_unit[3] = {own.deltas.x[s], own.deltas.y[s], own.deltas.z[s]};
    box.FromUnitDerivative(point, by_unit, by_point);
    double* motion = own.motion + 6 * size_t{ray.image};
    for (int a = 0; a < 3; ++a) {
      const int b = (a + 1) % 3, c = (a + 2) % 3;
      motion[a] += double{by_point[a]};
      motion[3 + a] += double{arm[b]} * by_point[c] - double{arm[c]} * by_point[b];
    }
  }
}

void PoseLearner::Derivative(size_t picture, PoseVector by_z) const {
  PoseVector motion = {}, correction;
  for (const Thread& each : threads_) {
    for (int k = 0; k < 6; ++k) motion[k] += each.motion[6 * picture + static_cast<size_t>(k)];
  }
  space_.Correction(picture, corrections_ + 6 * picture, correction);
  space_.Derivative(picture, correction, motion, by_z);
}

void PoseLearner::Update(double progress, TrainingImages* images) {
  ++steps_;
  const double steps = static_cast<double>(steps_) - kWait;
  if (steps > 0) {
    const double rate = kRate * std::min(1.0, steps / kRise) *
                        std::pow(kLast, std::min(std::max(progress, 0.0), 1.0));
    const double first = 1 - std::pow(kBeta1, steps), second = 1 - std::pow(kBeta2, steps);
    for (size_t i = 0; i < space_.size(); ++i) {
      PoseVector by_z;
      Derivative(i, by_z);
      double square = 0;
      for (const double slope : by_z) square += slope * slope;
      square_[i] = static_cast<float>(kBeta2 * square_[i] + (1 - kBeta2) * square);
      const double step = rate / (first * (std::sqrt(square_[i] / second) + kEpsilon));
      float *z = corrections_ + 6 * i, *mean = mean_ + 6 * i;
      for (int k = 0; k < 6; ++k) {
        mean[k] = static_cast<float>(kBeta1 * mean[k] + (1 - kBeta1) * by_z[k]);
        z[k] = static_cast<float>(z[k] - step * mean[k]);
      }
    }
    space_.Settle(corrections_);
    Move(images);
  }
  for (const Thread& each : threads_) ClearMotion(each);
}

void PoseLearner::Move(TrainingImages* images) const {
  for (size_t i = 0; i < space_.size(); ++i) {
    PoseVector correction;
    space_.Correction(i, corrections_ + 6 * i, correction);
    images->Move(i, Corrected(given_[i], correction));
  }
}

void PoseLearner::Restore(const float* state, uint64_t steps, TrainingImages* images) {
  std::memcpy(corrections_, state, state_size() * sizeof(float));
  steps_ = steps;
  if (static_cast<double>(steps_) > kWait) Move(images);
}

}  // namespace daf::nerf
