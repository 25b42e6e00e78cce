#include "native/nerf/training/shared_adam.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace daf::nerf {
namespace {

constexpr float kBeta1 = 0.9f, kBeta2 = 0.99f, kEpsilon = 1e-15f;
constexpr size_t kBlock = 64;          // floats that are summed or skipped together
constexpr size_t kSpan = 16 * kBlock;  // of one call of the kernel: stays in L1
constexpr uint64_t kAverageEvery = 8;  // steps: the average changes slowly, and reads everything

bool AllZero(const float* values) {
  uint32_t any = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    any |= bits;
  }
  return any == 0;
}

}  // namespace

Status SharedAdam::Reserve(const Field& field, uint32_t threads, float average_decay,
                           Arena* arena) {
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  count_ = field.parameter_count();
  const auto zeroed = [&](float** out) {
    DAF_RETURN_IF_ERROR(arena->Allocate(count_, out));
    std::memset(*out, 0, count_ * sizeof(float));
    return Status::Ok();
  };
  gradients_.resize(threads);
  for (float*& gradients : gradients_) DAF_RETURN_IF_ERROR(zeroed(&gradients));
  DAF_RETURN_IF_ERROR(zeroed(&first_));
  DAF_RETURN_IF_ERROR(zeroed(&second_));
  average_decay_ = average_decay;
  if (average_decay > 0) DAF_RETURN_IF_ERROR(zeroed(&average_));
  return Status::Ok();
}

void SharedAdam::ClearGradients(uint32_t thread) {
  std::memset(gradients_[thread], 0, count_ * sizeof(float));
}

void SharedAdam::Update(uint32_t thread, Field* field, float rate, float scale) {
  const uint64_t step = steps_ + 1;
  const double power1 = std::pow(double{kBeta1}, static_cast<double>(step)),
               power2 = std::pow(double{kBeta2}, static_cast<double>(step));
  const float blend = average_ == nullptr || step % kAverageEvery != 0
                          ? 0.0f
                          : 1 - std::pow(average_decay_, static_cast<float>(kAverageEvery));
  const size_t threads = gradients_.size(), blocks = (count_ + kBlock - 1) / kBlock;
  const size_t begin = blocks * thread / threads * kBlock,
               end = std::min(count_, blocks * (thread + 1) / threads * kBlock);
  for (const ParameterGroup& group : field->groups()) {
    const size_t from = std::max(begin, group.begin), to = std::min(end, group.begin + group.count);
    for (size_t at = from; at < to; at += kSpan) {
      const size_t n = std::min(kSpan, to - at);
      Sum(at, at + n);
      const kernels::AdamArgs args = {field->parameters() + at,
                                      gradients_[0] + at,
                                      first_ + at,
                                      second_ + at,
                                      n,
                                      static_cast<float>(group.rate * rate / (1 - power1)),
                                      static_cast<float>(1 / (1 - power2)),
                                      kBeta1,
                                      kBeta2,
                                      kEpsilon,
                                      group.decay,
                                      scale,
                                      group.sparse};
      kernels_->adam(&args);
      if (blend == 0) continue;
      const float* values = field->parameters();
      for (size_t i = at; i < at + n; ++i) average_[i] += blend * (values[i] - average_[i]);
    }
  }
}

// All threads' gradients into the first's; the others' are zero afterwards.
void SharedAdam::Sum(size_t begin, size_t end) {
  float* sum = gradients_[0];
  for (size_t other = 1; other < gradients_.size(); ++other) {
    float* add = gradients_[other];
    for (size_t at = begin; at < end; at += kBlock) {
      const size_t n = std::min(kBlock, end - at);
      if (n == kBlock && AllZero(add + at)) continue;
      for (size_t i = at; i < at + n; ++i) {
        sum[i] += add[i];
        add[i] = 0;
      }
    }
  }
}

void SharedAdam::Finish(Field* field) {
  ++steps_;
  field->Pack();
}

bool SharedAdam::Average(float* out) const {
  if (average_ == nullptr || steps_ < kAverageEvery) return false;
  const double kept = std::pow(static_cast<double>(average_decay_),
                               static_cast<double>(steps_ / kAverageEvery * kAverageEvery));
  const float scale = static_cast<float>(1 / (1 - kept));
  for (size_t i = 0; i < count_; ++i) out[i] = average_[i] * scale;
  return true;
}

}  // namespace daf::nerf
