// Dense layers on tiles. A register block is kBlockOutputs outputs × 3 vectors of samples,
// accumulated over all inputs without a store; per input it costs 3 source loads and kBlockOutputs
// broadcasts for 3·kBlockOutputs multiply-adds, which leaves the load ports idle a third of the
// time.
#pragma once

#include "native/kernels/generic/math.h"

namespace daf::kernels {
namespace {

constexpr uint32_t kVectors = kTile / kLanes >= 3 ? 3 : 1;
constexpr uint32_t kSpan = kVectors * kLanes;  // samples of a register block

// One register block over `in` inputs of one source. Weights advance by 8 per input (the packing),
// whatever kBlockOutputs is. Those of a wide network come from L3 in runs that end before the
// hardware has seen their pattern: the ones `ahead` floats further, which are next, are fetched
// meanwhile.
template <uint32_t kOutputs>
inline __attribute__((always_inline)) void Accumulate(const float* weights, const float* src,
                                                      uint32_t in, size_t ahead,
                                                      F (&sum)[kOutputs][kVectors]) {
  for (uint32_t i = 0; i < in; ++i, weights += 8, src += kTile) {
    __builtin_prefetch(weights + ahead, 0, kWeightCache);
    F x[kVectors];
#pragma GCC unroll 3
    for (uint32_t v = 0; v < kVectors; ++v) x[v] = Load(src + v * kLanes);
#pragma GCC unroll 8
    for (uint32_t o = 0; o < kOutputs; ++o) {
      const F w = Set(weights[o]);
#pragma GCC unroll 3
      for (uint32_t v = 0; v < kVectors; ++v) AddProduct(&sum[o][v], w, x[v]);
    }
  }
}

// Some inputs of one source, few enough that their rows stay in L1 while all outputs pass over
// them.
struct Slice {
  const float* weights;  // of the first block of outputs
  const float* src;
  uint32_t in;
  bool first, last;  // begins with the bias; ends with the activation
};

// The outputs `first` … first + kOutputs − 1 of a slice.
template <uint32_t kActivation, uint32_t kOutputs>
inline __attribute__((always_inline)) void AddBlock(const LayerArgs& a, const Slice& slice,
                                                    uint32_t first) {
  const size_t in = size_t{a.in0} + a.in1;
  for (uint32_t s = 0; s < kTile; s += kSpan) {
    float* dst = a.dst + size_t{first} * kTile + s;
    F sum[kOutputs][kVectors];
#pragma GCC unroll 8
    for (uint32_t o = 0; o < kOutputs; ++o) {
      const F bias = slice.first && a.bias != nullptr ? Set(a.bias[first + o]) : Zero();
#pragma GCC unroll 3
      for (uint32_t v = 0; v < kVectors; ++v)
        sum[o][v] = slice.first ? bias : Load(dst + o * kTile + v * kLanes);
    }
    Accumulate(slice.weights + first / 8 * 8 * in + first % 8, slice.src + s, slice.in, in * 8,
               sum);
#pragma GCC unroll 8
    for (uint32_t o = 0; o < kOutputs; ++o) {
#pragma GCC unroll 3
      for (uint32_t v = 0; v < kVectors; ++v) {
        const size_t at = o * kTile + v * kLanes;
        F y = sum[o][v];
        if (slice.last && kActivation == kRelu) y = Max(y, Zero());
        if (slice.last && kActivation == kReluMask)
          y = Keep(Positive(Load(a.mask + size_t{first} * kTile + s + at)), y);
        Store(dst + at, y);
      }
    }
  }
}

template <uint32_t kActivation>
inline __attribute__((always_inline)) void AddSlice(const LayerArgs& a, const Slice& slice) {
  uint32_t first = 0;
  for (; first + kBlockOutputs <= a.out; first += kBlockOutputs)
    AddBlock<kActivation, kBlockOutputs>(a, slice, first);
  if (first < a.out) AddBlock<kActivation, 4>(a, slice, first);
}

template <uint32_t kActivation>
void LayerAs(const LayerArgs& a) {
  const uint32_t in = a.in0 + a.in1;
  for (uint32_t from = 0; from < in;) {
    const bool second = from >= a.in0;
    const uint32_t left = (second ? in : a.in0) - from, count = left < kSlice ? left : kSlice;
    const Slice slice = {
        a.weights + size_t{from} * 8,
        second ? a.src1 + size_t{from - a.in0} * kTile : a.src0 + size_t{from} * kTile, count,
        from == 0, from + count == in};
    AddSlice<kActivation>(a, slice);
    from += count;
  }
}

void Layer(const LayerArgs* args) {
  switch (args->activation) {
    case kRelu:
      return LayerAs<kRelu>(*args);
    case kReluMask:
      return LayerAs<kReluMask>(*args);
    default:
      return LayerAs<kLinear>(*args);
  }
}

// kRows rows of delta × 4 rows of src, summed over all tiles in registers, the lanes added at the
// end.
template <uint32_t kRows>
inline __attribute__((always_inline)) void GradientBlock(const WeightGradientArgs& a, uint32_t o,
                                                         uint32_t i) {
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
        for (uint32_t c = 0; c < 4; ++c) sum[r][c] = Fma(d, x[c], sum[r][c]);
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

void WeightGradient(const WeightGradientArgs* args) {
  const WeightGradientArgs& a = *args;
  uint32_t o = 0;
  for (; o + kGradRows <= a.out; o += kGradRows) {
    for (uint32_t i = 0; i < a.in; i += 4) GradientBlock<kGradRows>(a, o, i);
  }
  if (kGradRows > 4 && o + 4 <= a.out) {
    for (uint32_t i = 0; i < a.in; i += 4) GradientBlock<4>(a, o, i);
    o += 4;
  }
  for (; o < a.out; ++o) {
    for (uint32_t i = 0; i < a.in; i += 4) GradientBlock<1>(a, o, i);
  }
  if (a.bias_grad != nullptr) BiasGradient(a);
}

double MultiplyAdds(uint64_t rounds, float* sink) {
  constexpr uint32_t kChains = kLanes == 8 ? 12 : kLanes == 1 ? 12 : 24;
  F sum[kChains];
#pragma GCC unroll 24
  for (uint32_t c = 0; c < kChains; ++c) sum[c] = Set(static_cast<float>(c) * 0.25f);
  const F a = Set(sink[0]), b = Set(sink[1]);
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (uint32_t c = 0; c < kChains; ++c) sum[c] = Fma(a, sum[c], b);
  }
  F total = Zero();
#pragma GCC unroll 24
  for (uint32_t c = 0; c < kChains; ++c) total = Add(total, sum[c]);
  float out[4] = {0, 0, 0, 0};
  AddSums(out, total, Zero(), Zero(), Zero());
  sink[2] = out[0];
  return static_cast<double>(rounds) * kChains * kLanes;
}

}  // namespace
}  // namespace daf::kernels
