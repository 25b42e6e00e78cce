#include "native/nerf/distance_field.h"

#include <cmath>

namespace daf::nerf {
namespace {

// One row of cells, `stride` apart.
class Row {
 public:
  explicit Row(uint32_t cells)
      : cells_(cells), value_(cells), from_(cells), apex_(cells), begin_(cells + 1) {}

  void Run(float* values, uint32_t* source, size_t stride) {
    int last = -1;  // of the envelope
    for (uint32_t i = 0; i < cells_; ++i) {
      value_[i] = values[i * stride];
      if (source != nullptr) from_[i] = source[i * stride];
      if (!std::isfinite(value_[i])) continue;
      float meet = -INFINITY;
      while (last >= 0) {
        meet = Meet(apex_[static_cast<size_t>(last)], i);
        if (meet > begin_[static_cast<size_t>(last)]) break;
        --last;
      }
      ++last;
      apex_[static_cast<size_t>(last)] = i;
      begin_[static_cast<size_t>(last)] = last == 0 ? -INFINITY : meet;
    }
    if (last < 0) return;
    int at = 0;
    for (uint32_t i = 0; i < cells_; ++i) {
      while (at < last && begin_[static_cast<size_t>(at) + 1] <= static_cast<float>(i)) ++at;
      const uint32_t apex = apex_[static_cast<size_t>(at)];
      const float off = static_cast<float>(i) - static_cast<float>(apex);
      values[i * stride] = value_[apex] + off * off;
      if (source != nullptr) source[i * stride] = from_[apex];
    }
  }

 private:
  // Where the parabola of `a` rises above that of the later `b`.
  float Meet(uint32_t a, uint32_t b) const {
    const float fa = static_cast<float>(a), fb = static_cast<float>(b);
    return ((value_[b] + fb * fb) - (value_[a] + fa * fa)) / (2 * (fb - fa));
  }

  const uint32_t cells_;
  std::vector<float> value_;
  std::vector<uint32_t> from_, apex_;
  std::vector<float> begin_;
};

}  // namespace

Status LeastParabola(uint32_t cells, const TaskControl& control, float* values, uint32_t* source) {
  const size_t n = cells, all = n * n * n;
  if (source != nullptr) {
    for (size_t i = 0; i < all; ++i) source[i] = static_cast<uint32_t>(i);
  }
  Row row(cells);
  for (int axis = 0; axis < 3; ++axis) {
    const size_t stride = axis == 0 ? 1 : axis == 1 ? n : n * n;
    for (size_t k = 0; k < n; ++k) {
      DAF_RETURN_IF_ERROR(control.Check());
      for (size_t j = 0; j < n; ++j) {
        const size_t first = axis == 0 ? (k * n + j) * n : axis == 1 ? k * n * n + j : k * n + j;
        row.Run(values + first, source == nullptr ? nullptr : source + first, stride);
      }
    }
  }
  return Status::Ok();
}

}  // namespace daf::nerf
