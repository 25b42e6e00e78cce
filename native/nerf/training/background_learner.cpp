#include "native/nerf/training/background_learner.h"

#include <algorithm>
#include <cmath>

namespace daf::nerf {
namespace {
// A background that learns at once shows the mean of all pictures before the field shows anything,
// and the grid's cells are given up as empty: it waits, and then begins slowly.
constexpr double kWait = 64, kRise = 256;  // steps
constexpr float kRate = 1e-3f, kBeta1 = 0.9f, kBeta2 = 0.99f, kEpsilon = 1e-10f;
}  // namespace

void BackgroundLearner::Begin(Background* background, uint32_t threads, float average_decay) {
  background_ = background;
  average_decay_ = average_decay;
  if (background != nullptr) gradients_.assign(threads, Values{});
}

void BackgroundLearner::Update(float schedule, float scale) {
  ++steps_;
  const double steps = static_cast<double>(steps_);
  const double rise = std::min(1.0, std::max(0.0, (steps - kWait) / kRise));
  const float rate = static_cast<float>(kRate * rise * schedule /
                                        (1 - std::pow(double{kBeta1}, steps))),
              second = static_cast<float>(1 / (1 - std::pow(double{kBeta2}, steps)));
  float* weights = background_->parameters();
  for (uint32_t i = 0; i < Background::kParameters; ++i) {
    float g = 0;
    for (Values& each : gradients_) {
      g += each[i];
      each[i] = 0;
    }
    g *= scale;
    first_[i] = kBeta1 * first_[i] + (1 - kBeta1) * g;
    second_[i] = kBeta2 * second_[i] + (1 - kBeta2) * g * g;
    weights[i] -= rate * first_[i] / (std::sqrt(second_[i] * second) + kEpsilon);
    average_[i] = average_decay_ * average_[i] + (1 - average_decay_) * weights[i];
  }
}

void BackgroundLearner::UseAverage(bool average) {
  float* weights = background_->parameters();
  if (!average) {
    std::copy(own_.begin(), own_.end(), weights);
    return;
  }
  std::copy_n(weights, own_.size(), own_.begin());
  if (steps_ == 0) return;
  // Corrected for its start at zero.
  const double share = 1 - std::pow(double{average_decay_}, static_cast<double>(steps_));
  for (size_t i = 0; i < own_.size(); ++i) weights[i] = static_cast<float>(average_[i] / share);
}

std::vector<float> BackgroundLearner::State() const {
  std::vector<float> state(background_->parameters(),
                           background_->parameters() + Background::kParameters);
  for (const Values* each : {&first_, &second_, &average_})
    state.insert(state.end(), each->begin(), each->end());
  return state;
}

void BackgroundLearner::Restore(const std::vector<float>& state, uint64_t steps) {
  const float* from = state.data();
  for (float* to : {background_->parameters(), first_.data(), second_.data(), average_.data()}) {
    std::copy_n(from, Background::kParameters, to);
    from += Background::kParameters;
  }
  steps_ = steps;
}

}  // namespace daf::nerf
