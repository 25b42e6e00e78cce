// A small colour model: a mixture of axis-aligned normal distributions over RGB.
#pragma once

#include <cstddef>
#include <cstdint>

namespace daf::head {

struct Mixture {
  static constexpr int kParts = 6;
  float mean[kParts][3] = {};
  float inverse_variance[kParts][3] = {};
  float log_weight[kParts] = {};  // of the share, normalisation included; −inf for an empty part
  bool empty = true;

  // From colours[count][3], 0–255: k-means from spread-out seeds, then each cluster's variance.
  // Deterministic.
  void Learn(const uint8_t* colours, size_t count);
  float LogLikelihood(const uint8_t colour[3]) const;
};

}  // namespace daf::head
