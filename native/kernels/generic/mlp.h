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

// Some inputs of one source, few enough that their rows stay in L1 while all outputs pass over
// them.
struct Slice {
  const float* weights;  // of the first block of outputs
  const float* src;      // of the first tile
  size_t stride;         // floats from tile to tile
  uint32_t in;
  bool first, last;  // begins with the bias; ends with the activation
  bool wide;         // of a layer whose weights are not in a near cache when they are read
};

// Weights of a layer from which on they are fetched ahead: those of a wide network come from L3, in
// runs that end before the hardware has seen their pattern. Those of a small one stay in L1, and
// every fetch would be in the way.
constexpr size_t kWide = 16384;

// The last kLast inputs of a register block, output by output, each stored as soon as it is whole:
// stores that all come at the end keep the next block's work out of the core's scheduler, a
// fortieth of the time where there are 64 inputs.
template <uint32_t kActivation, uint32_t kOutputs, uint32_t kLast>
inline __attribute__((always_inline)) void Finish(const float* weights, const float* src,
                                                  const float* mask, bool last, float* dst,
                                                  F (&sum)[kOutputs][kVectors]) {
  F x[kLast > 0 ? kLast : 1][kVectors];
#pragma GCC unroll 2
  for (uint32_t i = 0; i < kLast; ++i) {
#pragma GCC unroll 3
    for (uint32_t v = 0; v < kVectors; ++v) x[i][v] = Load(src + i * kTile + v * kLanes);
  }
#pragma GCC unroll 8
  for (uint32_t o = 0; o < kOutputs; ++o) {
#pragma GCC unroll 2
    for (uint32_t i = 0; i < kLast; ++i) {
      const F w = Set(weights[i * 8 + o]);
#pragma GCC unroll 3
      for (uint32_t v = 0; v < kVectors; ++v) AddProduct(&sum[o][v], w, x[i][v]);
    }
#pragma GCC unroll 3
    for (uint32_t v = 0; v < kVectors; ++v) {
      const size_t at = o * kTile + v * kLanes;
      F y = sum[o][v];
      if (kActivation == kRelu) y = last ? Max(y, Zero()) : y;
      if (kActivation == kReluMask) y = last ? Keep(Positive(Load(mask + at)), y) : y;
      Store(dst + at, y);
    }
  }
}

// The outputs `first` … first + kOutputs − 1 of a slice for one tile; kFours: of a multiple of 4
// inputs, four of which are counted at once (an eighth of the time where the layers are small).
// With kFetch the next 8 outputs' weights are asked for meanwhile, two inputs' to a cache line. A
// function of its own: inlined next to others, g++ 12 moves accumulators from register to register
// in the innermost loop; so it does where a loop over what is left of four follows.
template <uint32_t kActivation, uint32_t kOutputs, bool kFetch, bool kFours>
__attribute__((noinline)) void AddBlock(const LayerArgs& a, const Slice& slice, uint32_t first,
                                        uint32_t tile) {
  const size_t in = size_t{a.in0} + a.in1;
  for (uint32_t s = 0; s < kTile; s += kSpan) {
    float* dst = a.dst + tile * a.dst_stride + size_t{first} * kTile + s;
    F sum[kOutputs][kVectors];
#pragma GCC unroll 8
    for (uint32_t o = 0; o < kOutputs; ++o) {
      const F bias = slice.first && a.bias != nullptr ? Set(a.bias[first + o]) : Zero();
#pragma GCC unroll 3
      for (uint32_t v = 0; v < kVectors; ++v)
        sum[o][v] = slice.first ? bias : Load(dst + o * kTile + v * kLanes);
    }
    const float* weights = slice.weights + first / 8 * 8 * in + first % 8;
    const float* src = slice.src + tile * slice.stride + s;
    const float* mask = kActivation == kReluMask
                            ? a.mask + tile * a.dst_stride + size_t{first} * kTile + s
                            : nullptr;
    constexpr uint32_t kLast = kStaggered == 0 || kFours ? kStaggered : 1;
    uint32_t left = slice.in - kLast;
    if (kFours) {
#pragma GCC unroll 2
      for (uint32_t u = 0; u < kLast; ++u, --left, weights += 8, src += kTile)
        AddInput<kOutputs>(weights, src, sum);
      for (; left > 0; left -= 4) {
#pragma GCC unroll 4
        for (uint32_t u = 0; u < 4; ++u, weights += 8, src += kTile) {
          if (kFetch && u % 2 == 0) __builtin_prefetch(weights + in * 8, 0, kWeightCache);
          AddInput<kOutputs>(weights, src, sum);
        }
      }
    } else {
      for (; left > 0; --left, weights += 8, src += kTile) AddInput<kOutputs>(weights, src, sum);
    }
    Finish<kActivation, kOutputs, kLast>(weights, src, mask, slice.last, dst, sum);
  }
}

template <uint32_t kActivation, bool kFours>
inline __attribute__((always_inline)) void AddSlice(const LayerArgs& a, const Slice& slice) {
  uint32_t first = 0;
  for (; first + kBlockOutputs <= a.out; first += kBlockOutputs) {
    uint32_t tile = 0;
    // The next 8 outputs' weights, once for all blocks of these 8.
    if (slice.wide && first % 8 == 0 && first + 8 < a.out)
      AddBlock<kActivation, kBlockOutputs, true, kFours>(a, slice, first, tile++);
    for (; tile < a.tiles; ++tile)
      AddBlock<kActivation, kBlockOutputs, false, kFours>(a, slice, first, tile);
  }
  if (first < a.out) {
    for (uint32_t tile = 0; tile < a.tiles; ++tile)
      AddBlock<kActivation, 4, false, kFours>(a, slice, first, tile);
  }
}

template <uint32_t kActivation>
void AddTiles(const LayerArgs& a) {
  const uint32_t in = a.in0 + a.in1;
  for (uint32_t from = 0; from < in;) {
    const bool second = from >= a.in0;
    const uint32_t left = (second ? in : a.in0) - from, count = left < kSlice ? left : kSlice;
    const Slice slice = {
        a.weights + size_t{from} * 8,
        second ? a.src1 + size_t{from - a.in0} * kTile : a.src0 + size_t{from} * kTile,
        second ? a.stride1 : a.stride0,
        count,
        from == 0,
        from + count == in,
        size_t{in} * a.out > kWide};
    if (count % 4 == 0)
      AddSlice<kActivation, true>(a, slice);
    else
      AddSlice<kActivation, false>(a, slice);
    from += count;
  }
}

template <uint32_t kActivation>
void LayerAs(const LayerArgs& a) {
  if (kTogether) return AddTiles<kActivation>(a);
  LayerArgs one = a;
  one.tiles = 1;
  for (uint32_t tile = 0; tile < a.tiles; ++tile) {
    AddTiles<kActivation>(one);
    one.src0 += a.stride0;
    if (one.src1 != nullptr) one.src1 += a.stride1;
    one.dst += a.dst_stride;
    if (one.mask != nullptr) one.mask += a.dst_stride;
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
