// Adam for several threads: gradients of each thread, summed in their order, and a share of the
// parameters for each to update. With one thread and a dense gradient it is Adam as in adam.h.
#pragma once

#include <vector>

#include "native/nerf/field.h"

namespace daf::nerf {

class SharedAdam {
 public:
  // `average_decay`: of the moving average of the parameters, 0 for none. Errors: kMemory,
  // kUnsupported.
  Status Reserve(const Field& field, uint32_t threads, float average_decay, Arena* arena);

  // parameter_count floats, zero at the beginning of a step.
  float* gradients(uint32_t thread) { return gradients_[thread]; }
  void ClearGradients(uint32_t thread);

  // This thread's share of the parameters, in step steps() + 1. All gradients of the share are zero
  // afterwards.
  void Update(uint32_t thread, Field* field, float rate, float scale);

  // By one thread when all are through: the step is done, and the field packed anew.
  void Finish(Field* field);

  // The moving average, corrected for its start, into out[parameter_count]. False without one.
  bool Average(float* out) const;

  // What a checkpoint holds: the moments, the average (or null) and the number of steps.
  float* first() { return first_; }
  float* second() { return second_; }
  float* average() { return average_; }
  uint64_t steps() const { return steps_; }
  void RestoreSteps(uint64_t steps) { steps_ = steps; }

 private:
  void Sum(size_t begin, size_t end);

  const kernels::Table* kernels_ = nullptr;
  size_t count_ = 0;
  std::vector<float*> gradients_;
  float* first_ = nullptr;
  float* second_ = nullptr;
  float* average_ = nullptr;
  float average_decay_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace daf::nerf
