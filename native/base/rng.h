// PCG32 (O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good
// Algorithms"). Small, seedable by (seed, stream), the same on every machine: every random choice
// of DAF comes from here.
#pragma once

#include <cmath>
#include <cstdint>

namespace daf {

class Rng {
 public:
  explicit Rng(uint64_t seed, uint64_t stream = 0) : increment_((stream << 1) | 1) {
    Next();
    state_ += seed;
    Next();
  }
  // What a generator of the same stream continues from.
  uint64_t state() const { return state_; }
  void Restore(uint64_t state) { state_ = state; }
  uint32_t Next() {
    const uint64_t old = state_;
    state_ = old * 6364136223846793005ull + increment_;
    const uint32_t shifted = static_cast<uint32_t>(((old >> 18) ^ old) >> 27);
    const uint32_t rot = static_cast<uint32_t>(old >> 59);
    return (shifted >> rot) | (shifted << ((32 - rot) & 31));
  }
  // Uniform in [0, 1).
  float Uniform() { return static_cast<float>(Next() >> 8) * (1.0f / 16777216.0f); }
  float Uniform(float low, float high) { return low + (high - low) * Uniform(); }
  // Uniform integer in [0, bound), bound > 0 (multiply-shift: bias below 2^-32 · bound).
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>((uint64_t{Next()} * bound) >> 32); }
  // Standard normal (Box-Muller, one of the pair).
  float Normal() {
    const float u = 1.0f - Uniform();
    return std::sqrt(-2.0f * std::log(u)) * std::cos(6.28318530718f * Uniform());
  }

 private:
  uint64_t state_ = 0;
  uint64_t increment_;
};

}  // namespace daf
