// Gradients of the weights and biases of dense layers.
#pragma once

#include "native/kernels/generic/math.h"

namespace daf::kernels {
namespace {

// kRows rows of delta × 4 rows of src, summed over all tiles in registers, the lanes added at the
// end.
template <uint32_t kRows>
__attribute__((noinline)) void GradientBlock(const WeightGradientArgs& a, uint32_t o, uint32_t i) {
  F sum[kRows][4];
#pragma GCC unroll 8
  for (uint32_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (uint32_t c = 0; c < 4; ++c) sum[r][c] = Zero();
  }
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    const float* delta = a.delta + tile * a.delta_stride + size_t{o} * kTile;
    const float* src = a.src + tile * a.src_stride + size_t{i} * kTile;
    for (uint32_t s = 0; s < kTile; s += kLanes) {
      F x[4];
#pragma GCC unroll 4
      for (uint32_t c = 0; c < 4; ++c) x[c] = Load(src + c * kTile + s);
#pragma GCC unroll 8
      for (uint32_t r = 0; r < kRows; ++r) {
        const F d = Load(delta + r * kTile + s);
#pragma GCC unroll 4
        for (uint32_t c = 0; c < 4; ++c) AddProduct(&sum[r][c], d, x[c]);
      }
    }
  }
#pragma GCC unroll 8
  for (uint32_t r = 0; r < kRows; ++r)
    AddSums(a.grad + (o + r) * a.stride + i, sum[r][0], sum[r][1], sum[r][2], sum[r][3]);
}

void BiasGradient(const WeightGradientArgs& a) {
  for (uint32_t o = 0; o < a.out; ++o) {
    F sum = Zero();
    for (uint32_t tile = 0; tile < a.tiles; ++tile) {
      const float* delta = a.delta + tile * a.delta_stride + size_t{o} * kTile;
      for (uint32_t s = 0; s < kTile; s += kLanes) sum = Add(sum, Load(delta + s));
    }
    float total[4] = {0, 0, 0, 0};
    AddSums(total, sum, Zero(), Zero(), Zero());
    a.bias_grad[o] += total[0];
  }
}

// The gradients of the weights of inputs from … to − 1, for all outputs.
inline __attribute__((always_inline)) void GradientColumns(const WeightGradientArgs& a,
                                                           uint32_t from, uint32_t to) {
  uint32_t o = 0;
  for (; o + kGradRows <= a.out; o += kGradRows) {
    for (uint32_t i = from; i < to; i += 4) GradientBlock<kGradRows>(a, o, i);
  }
  if (kGradRows > 4 && o + 4 <= a.out) {
    for (uint32_t i = from; i < to; i += 4) GradientBlock<4>(a, o, i);
    o += 4;
  }
  for (; o < a.out; ++o) {
    for (uint32_t i = from; i < to; i += 4) GradientBlock<1>(a, o, i);
  }
}

// Bytes of the inputs' rows, all tiles of them, that stay in L1 while all outputs pass over them.
constexpr uint32_t kGradSource = 24576;

void WeightGradient(const WeightGradientArgs* args) {
  const WeightGradientArgs& a = *args;
  const uint32_t rows = kGradSource / (kTile * 4) / (a.tiles > 0 ? a.tiles : 1) / 4 * 4,
                 columns = rows > 4 ? rows : 4;
  for (uint32_t from = 0; from < a.in; from += columns)
    GradientColumns(a, from, a.in - from < columns ? a.in : from + columns);
  if (a.bias_grad != nullptr) BiasGradient(a);
}

}  // namespace
}  // namespace daf::kernels
