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

// One input of a register block: all its outputs' weights with all its samples.
template <uint32_t kOutputs>
inline __attribute__((always_inline)) void AddInput(const float* weights, const float* src,
                                                    F (&sum)[kOutputs][kVectors]) {
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

// One register block over `in` inputs of one source. Weights advance by 8 per input (the packing),
// whatever kBlockOutputs is. With kFetch those `ahead` floats further are asked for meanwhile, two
// inputs' to a cache line. Unrolled, for a core that has neither ports nor places to spare for the
// counting: an eighth of the time where the layers are small.
template <bool kFetch, uint32_t kOutputs>
inline __attribute__((always_inline)) void Accumulate(const float* weights, const float* src,
                                                      uint32_t in, size_t ahead,
                                                      F (&sum)[kOutputs][kVectors]) {
  constexpr uint32_t kUnroll = 4;
  uint32_t i = 0;
  for (; i + kUnroll <= in; i += kUnroll) {
#pragma GCC unroll 4
    for (uint32_t u = 0; u < kUnroll; ++u, weights += 8, src += kTile) {
      if (kFetch && u % 2 == 0) __builtin_prefetch(weights + ahead, 0, kWeightCache);
      AddInput<kOutputs>(weights, src, sum);
    }
  }
  for (; i < in; ++i, weights += 8, src += kTile) AddInput<kOutputs>(weights, src, sum);
}

// Some inputs of one source, few enough that their rows stay in L1 while all outputs pass over
// them.
struct Slice {
  const float* weights;  // of the first block of outputs
  const float* src;
  uint32_t in;
  bool first, last;  // begins with the bias; ends with the activation
  bool wide;         // of a layer whose weights are not in a near cache when they are read
};

// Weights of a layer from which on they are fetched ahead: those of a wide network come from L3, in
// runs that end before the hardware has seen their pattern. Those of a small one stay in L1, and
// every fetch would be in the way.
constexpr size_t kWide = 16384;

// The outputs `first` … first + kOutputs − 1 of a slice. A function of its own: inlined next to
// others, g++ 12 moves accumulators from register to register in the innermost loop.
template <uint32_t kActivation, uint32_t kOutputs, bool kFetch>
__attribute__((noinline)) void AddBlock(const LayerArgs& a, const Slice& slice, uint32_t first) {
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
    Accumulate<kFetch>(slice.weights + first / 8 * 8 * in + first % 8, slice.src + s, slice.in,
                       in * 8, sum);
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
  for (; first + kBlockOutputs <= a.out; first += kBlockOutputs) {
    // The next 8 outputs' weights, once for all blocks of these 8.
    if (slice.wide && first % 8 == 0 && first + 8 < a.out)
      AddBlock<kActivation, kBlockOutputs, true>(a, slice, first);
    else
      AddBlock<kActivation, kBlockOutputs, false>(a, slice, first);
  }
  if (first < a.out) AddBlock<kActivation, 4, false>(a, slice, first);
}

template <uint32_t kActivation>
void LayerAs(const LayerArgs& a) {
  const uint32_t in = a.in0 + a.in1;
  for (uint32_t from = 0; from < in;) {
    const bool second = from >= a.in0;
    const uint32_t left = (second ? in : a.in0) - from, count = left < kSlice ? left : kSlice;
    const Slice slice = {
        a.weights + size_t{from} * 8,
        second ? a.src1 + size_t{from - a.in0} * kTile : a.src0 + size_t{from} * kTile,
        count,
        from == 0,
        from + count == in,
        size_t{in} * a.out > kWide};
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
