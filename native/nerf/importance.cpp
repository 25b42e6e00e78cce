#include "native/nerf/importance.h"

#include <algorithm>

namespace daf::nerf {

void SampleInverse(const float* weights, uint32_t bins, float near, float far, Rng* rng,
                   uint32_t count, float* out) {
  double total = 0;
  for (uint32_t i = 0; i < bins; ++i) total += weights[i];
  const bool uniform = !(total > 0);
  if (uniform) total = bins;
  const auto weight = [&](uint32_t bin) { return uniform ? 1.0 : double{weights[bin]}; };
  const double width = (double{far} - near) / bins;
  double below = 0;  // weight before the current bin
  uint32_t bin = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const double within = rng != nullptr ? rng->Uniform() : 0.5f;
    const double wanted = (i + within) / count * total;
    while (bin + 1 < bins && below + weight(bin) <= wanted) below += weight(bin++);
    const double share = std::min((wanted - below) / std::max(weight(bin), 1e-30), 1.0);
    out[i] = static_cast<float>(near + (bin + share) * width);
  }
}

void MergeAscending(const float* a, uint32_t a_count, const float* b, uint32_t b_count,
                    float* out) {
  uint32_t i = 0, j = 0;
  while (i < a_count && j < b_count) *out++ = a[i] <= b[j] ? a[i++] : b[j++];
  while (i < a_count) *out++ = a[i++];
  while (j < b_count) *out++ = b[j++];
}

void SampleLengths(const float* t, uint32_t count, float near, float far, float* length) {
  float begin = near;
  for (uint32_t i = 0; i < count; ++i) {
    const float end = i + 1 < count ? (t[i] + t[i + 1]) / 2 : far;
    length[i] = end - begin;
    begin = end;
  }
}

void PlaceSamples(const ImportanceCounts& counts, const float* weights, const float* coarse_t,
                  float near, float far, Rng* rng, float* scratch, float* t, float* length) {
  SampleInverse(weights, counts.coarse, near, far, rng, counts.fine, scratch);
  MergeAscending(coarse_t, counts.coarse, scratch, counts.fine, t);
  SampleLengths(t, counts.total(), near, far, length);
}

}  // namespace daf::nerf
