// The optimiser of a field: Adam over its parameter groups, state in an arena.
#pragma once

#include "native/nerf/field.h"

namespace daf::nerf {

class Adam {
 public:
  // Moments and gradients, zeroed; three floats a parameter. Errors: kMemory, kUnsupported.
  Status Reserve(const Field& field, Arena* arena);
  float* gradients() { return gradients_; }
  // One step with the gradients times `scale`; the gradients are zero afterwards and the field is
  // packed anew.
  void Step(Field* field, float rate, float scale);

 private:
  const kernels::Table* kernels_ = nullptr;
  float* gradients_ = nullptr;
  float* first_ = nullptr;
  float* second_ = nullptr;
  double power1_ = 1, power2_ = 1;
};

}  // namespace daf::nerf
