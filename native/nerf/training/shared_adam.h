// Adam for several threads: gradients of each thread, summed in their order, and a share of the
// parameters for each to update. With one thread and a dense gradient it is Adam as in adam.h.
//
// What a field's tables learn is not kept in gradients of each thread, where that would take more
// memory: the derivatives by the samples' encodings wait until all have been found. Then whoever is
// free takes the next level of the table, adds up what all threads found out about it, in their
// order, and updates it, while the gradients of that one level stay in L2.
#pragma once

#include <atomic>
#include <vector>

#include "native/nerf/field.h"

namespace daf::nerf {

class SharedAdam {
 public:
  // `samples`: about as many as a thread takes in a step, or 0 where nothing can be deferred.
  // `average_decay`: of the moving average of the parameters, 0 for none. Errors: kMemory,
  // kUnsupported.
  Status Reserve(const Field& field, uint32_t threads, uint32_t samples, float average_decay,
                 Arena* arena);

  // Zero at the beginning of a step: parameter_count floats, or table_begin() where deltas are
  // deferred.
  float* gradients(uint32_t thread) { return threads_[thread].gradients; }
  // Empty at the beginning of a step; null where nothing is deferred.
  TableDeltas* deltas(uint32_t thread) { return defers_ ? &threads_[thread].deltas : nullptr; }
  // Forgets both.
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
  // Numbers of one step.
  struct Rates {
    std::vector<ParameterGroup> groups;
    float rate, scale, second, blend;
    double first;
  };
  struct Thread {
    float* gradients = nullptr;
    TableDeltas deltas;
    float* level = nullptr;  // gradients of the largest level, zero between uses
  };

  Status ReserveDeltas(const Field& field, uint32_t samples, Arena* arena);
  Rates RatesOf(const Field& field, float rate, float scale) const;
  // Adam for the parameters [begin, end), whose gradients begin at `gradients`.
  void Apply(Field* field, const Rates& rates, size_t begin, size_t end, float* gradients);
  void Sum(size_t begin, size_t end);

  const kernels::Table* kernels_ = nullptr;
  size_t count_ = 0;   // parameters
  size_t summed_ = 0;  // of which threads have gradients of their own
  bool defers_ = false;
  std::vector<Thread> threads_;
  std::atomic<uint32_t> levels_taken_{0};
  float* first_ = nullptr;
  float* second_ = nullptr;
  float* average_ = nullptr;
  float average_decay_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace daf::nerf
