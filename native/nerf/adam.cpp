#include "native/nerf/adam.h"

#include <cstring>

namespace daf::nerf {
namespace {
constexpr float kBeta1 = 0.9f, kBeta2 = 0.99f, kEpsilon = 1e-15f;
}

Status Adam::Reserve(const Field& field, Arena* arena) {
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  for (float** buffer : {&gradients_, &first_, &second_}) {
    DAF_RETURN_IF_ERROR(arena->Allocate(field.parameter_count(), buffer));
    std::memset(*buffer, 0, field.parameter_count() * sizeof(float));
  }
  power1_ = power2_ = 1;
  return Status::Ok();
}

void Adam::Step(Field* field, float rate, float scale) {
  power1_ *= kBeta1;
  power2_ *= kBeta2;
  for (const ParameterGroup& group : field->groups()) {
    const kernels::AdamArgs args = {field->parameters() + group.begin,
                                    gradients_ + group.begin,
                                    first_ + group.begin,
                                    second_ + group.begin,
                                    group.count,
                                    static_cast<float>(group.rate * rate / (1 - power1_)),
                                    static_cast<float>(1 / (1 - power2_)),
                                    kBeta1,
                                    kBeta2,
                                    kEpsilon,
                                    group.decay,
                                    scale,
                                    group.sparse};
    kernels_->adam(&args);
  }
  field->Pack();
}

}  // namespace daf::nerf
