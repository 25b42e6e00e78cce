// Adam for a background that is learnt beside a field: gradients of each thread, summed in their
// order, a moving average like the field's, and what a checkpoint of the training holds of it.
#pragma once

#include <array>
#include <vector>

#include "native/nerf/background.h"

namespace daf::nerf {

class BackgroundLearner {
 public:
  using Values = std::array<float, Background::kParameters>;

  // Nothing is learnt where `background` is null. `average_decay`: 0 for no average.
  void Begin(Background* background, uint32_t threads, float average_decay);
  bool active() const { return background_ != nullptr; }

  // Adds what one ray has to teach: d_color is dL/dcolour of the background along it. Any thread,
  // while nobody updates.
  void Teach(uint32_t thread, const float direction[3], const float d_color[3]) {
    background_->Backward(direction, d_color, gradients_[thread].data());
  }
  // By one thread: a step with the gradients times `scale`, which are zero afterwards. `schedule`:
  // share of the full rate.
  void Update(float schedule, float scale);
  void Clear(uint32_t thread) { gradients_[thread].fill(0); }

  // Puts the average in the weights' place, or the weights back. Only where there is an average.
  void UseAverage(bool average);

  // Weights, moments and average, one after the other, after `steps` steps.
  size_t state_size() const { return 4 * Background::kParameters; }
  std::vector<float> State() const;
  void Restore(const std::vector<float>& state, uint64_t steps);

 private:
  Background* background_ = nullptr;
  std::vector<Values> gradients_;  // by thread
  Values first_{}, second_{}, average_{}, own_{};
  float average_decay_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace daf::nerf
