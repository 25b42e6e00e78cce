// For tests: aligned arrays that notice a write beyond their ends.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "native/base/rng.h"

namespace daf::kernels {

// 64-byte aligned floats with `kGuard` around them.
class Floats {
 public:
  explicit Floats(size_t n, Rng* rng = nullptr, float low = -1, float high = 1)
      : n_(n), all_(n + 48, kGuard) {
    data_ = all_.data() + 16;
    while (reinterpret_cast<uintptr_t>(data_) % 64 != 0) ++data_;
    for (size_t i = 0; i < n; ++i) data_[i] = rng != nullptr ? rng->Uniform(low, high) : 0.0f;
  }
  Floats(const Floats& other) : Floats(other.n_) {
    std::memcpy(data_, other.data_, n_ * sizeof(float));
  }
  Floats& operator=(const Floats&) = delete;
  ~Floats() {
    for (const float& v : all_) {
      if (&v < data_ || &v >= data_ + n_) {
        EXPECT_EQ(v, kGuard) << "written outside";
      }
    }
  }
  float* get() { return data_; }
  // The same memory as words of two bf16 or four bytes.
  uint32_t* words() { return reinterpret_cast<uint32_t*>(data_); }
  float& operator[](size_t i) { return data_[i]; }
  size_t size() const { return n_; }

 private:
  static constexpr float kGuard = 12345.0f;
  size_t n_;
  std::vector<float> all_;
  float* data_;
};

}  // namespace daf::kernels
