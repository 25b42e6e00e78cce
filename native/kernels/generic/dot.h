// Low-precision layers, written once in terms of the words that an isa/*_dot.cpp defines before
// including this. The register block is that of mlp.h: kBlockOutputs outputs × kVectors vectors of
// samples.
#pragma once

#include "native/kernels/dot.h"

namespace daf::kernels {
namespace {

constexpr uint32_t kVectors = kTile / kLanes >= 3 ? 3 : 1;
constexpr uint32_t kSpan = kVectors * kLanes;

// Sum is F for pairs and I for quads; Dot(sum, x, w) adds the products of their words.
template <typename Sum, uint32_t kOutputs>
inline __attribute__((always_inline)) void Accumulate(const uint32_t* weights, const uint32_t* src,
                                                      uint32_t words, size_t ahead,
                                                      Sum (&sum)[kOutputs][kVectors]) {
  for (uint32_t i = 0; i < words; ++i, weights += 8, src += kTile) {
    __builtin_prefetch(weights + ahead, 0, 3);
    I x[kVectors];
#pragma GCC unroll 3
    for (uint32_t v = 0; v < kVectors; ++v) x[v] = LoadWords(src + v * kLanes);
#pragma GCC unroll 8
    for (uint32_t o = 0; o < kOutputs; ++o) {
      const I w = SetWord(weights[o]);
#pragma GCC unroll 3
      for (uint32_t v = 0; v < kVectors; ++v) Dot(&sum[o][v], x[v], w);
    }
  }
}

// One vector of samples of all outputs of a block, to where it is wanted.
template <uint32_t kOutputs>
inline __attribute__((always_inline)) void StoreOutputs(const DotLayerArgs& a, uint32_t first,
                                                        uint32_t s, F (&y)[kOutputs]) {
  if (a.relu) {
#pragma GCC unroll 8
    for (uint32_t o = 0; o < kOutputs; ++o) y[o] = Max(y[o], Set(0.0f));
  }
  if (a.rows != nullptr) {
#pragma GCC unroll 8
    for (uint32_t o = 0; o < kOutputs; ++o) Store(a.rows + size_t{first + o} * kTile + s, y[o]);
  }
  if (a.pairs != nullptr) {
#pragma GCC unroll 4
    for (uint32_t o = 0; o < kOutputs; o += 2)
      StoreWords(a.pairs + size_t{(first + o) / 2} * kTile + s, Pair(y[o], y[o + 1]));
  }
  if (a.quads != nullptr) {
#pragma GCC unroll 2
    for (uint32_t o = 0; o < kOutputs; o += 4) {
      const float* steps = a.steps + first + o;
      StoreWords(a.quads + size_t{(first + o) / 4} * kTile + s,
                 Quad(Mul(y[o], Set(steps[0])), Mul(y[o + 1], Set(steps[1])),
                      Mul(y[o + 2], Set(steps[2])), Mul(y[o + 3], Set(steps[3]))));
    }
  }
}

// The outputs `first` … first + kOutputs − 1.
template <uint32_t kOutputs>
inline __attribute__((always_inline)) void Bf16Block(const DotLayerArgs& a, uint32_t first) {
  const size_t words = size_t{a.words0} + a.words1;
  const uint32_t* weights = a.weights + first / 8 * 8 * words + first % 8;
  for (uint32_t s = 0; s < kTile; s += kSpan) {
    F sum[kOutputs][kVectors];
#pragma GCC unroll 8
    for (uint32_t o = 0; o < kOutputs; ++o) {
      const F bias = Set(a.bias[first + o]);
#pragma GCC unroll 3
      for (uint32_t v = 0; v < kVectors; ++v) sum[o][v] = bias;
    }
    Accumulate(weights, a.src0 + s, a.words0, words * 8, sum);
    Accumulate(weights + size_t{a.words0} * 8, a.src1 + s, a.words1, words * 8, sum);
#pragma GCC unroll 3
    for (uint32_t v = 0; v < kVectors; ++v) {
      F y[kOutputs];
#pragma GCC unroll 8
      for (uint32_t o = 0; o < kOutputs; ++o) y[o] = sum[o][v];
      StoreOutputs(a, first, s + v * kLanes, y);
    }
  }
}

void Bf16Layer(const DotLayerArgs* args) {
  const DotLayerArgs& a = *args;
  uint32_t first = 0;
  for (; first + kBlockOutputs <= a.out; first += kBlockOutputs) Bf16Block<kBlockOutputs>(a, first);
  if (first < a.out) Bf16Block<4>(a, first);
}

void Int8Layer(const DotLayerArgs* args) {
  const DotLayerArgs& a = *args;
  const size_t words = size_t{a.words0} + a.words1;
  for (uint32_t block = 0; block < a.out; block += 8) {
    for (uint32_t part = 0; part < 8; part += kBlockOutputs) {
      const uint32_t first = block + part;
      const uint32_t* weights = a.weights + block * words + part;
      for (uint32_t s = 0; s < kTile; s += kSpan) {
        I sum[kBlockOutputs][kVectors];
#pragma GCC unroll 8
        for (uint32_t o = 0; o < kBlockOutputs; ++o) {
#pragma GCC unroll 3
          for (uint32_t v = 0; v < kVectors; ++v) sum[o][v] = SetWord(0);
        }
        Accumulate(weights, a.src0 + s, a.words0, words * 8, sum);
        Accumulate(weights + size_t{a.words0} * 8, a.src1 + s, a.words1, words * 8, sum);
#pragma GCC unroll 3
        for (uint32_t v = 0; v < kVectors; ++v) {
          F y[kBlockOutputs];
#pragma GCC unroll 8
          for (uint32_t o = 0; o < kBlockOutputs; ++o)
            y[o] = Fma(ToFloat(sum[o][v]), Set(a.unit[first + o]), Set(a.bias[first + o]));
          if (a.addend != nullptr) {
#pragma GCC unroll 8
            for (uint32_t o = 0; o < kBlockOutputs; ++o)
              y[o] = Add(y[o], Load(a.addend + size_t{first + o} * kTile + s + v * kLanes));
          }
          StoreOutputs(a, first, s + v * kLanes, y);
        }
      }
    }
  }
}

void ToPairs(const float* rows, uint32_t count, uint32_t* pairs) {
  for (uint32_t row = 0; row < count; row += 2, rows += 2 * kTile, pairs += kTile) {
    for (uint32_t s = 0; s < kTile; s += kLanes)
      StoreWords(pairs + s, Pair(Load(rows + s), Load(rows + kTile + s)));
  }
}

template <typename Sum>
inline __attribute__((always_inline)) double Products(uint64_t rounds, uint32_t each, Sum zero,
                                                      float* sink) {
  constexpr uint32_t kChains = 16;
  Sum sum[kChains];
#pragma GCC unroll 16
  for (uint32_t c = 0; c < kChains; ++c) sum[c] = zero;
  const I x = SetWord(0x3f003f00), w = SetWord(0x01010101);
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (uint32_t c = 0; c < kChains; ++c) Dot(&sum[c], x, w);
  }
  alignas(64) float lanes[kLanes];
#pragma GCC unroll 16
  for (uint32_t c = 0; c < kChains; ++c) {
    Store(lanes, AsFloat(sum[c]));
    sink[2] += lanes[0];
  }
  return static_cast<double>(rounds) * kChains * kLanes * each;
}

double Bf16MultiplyAdds(uint64_t rounds, float* sink) {
  return Products(rounds, 2, Set(0.0f), sink);
}
double Int8MultiplyAdds(uint64_t rounds, float* sink) {
  return Products(rounds, 4, SetWord(0), sink);
}

constexpr DotTable MakeDotTable(const char* name) {
  return {name, Bf16Layer, Int8Layer, ToPairs, Bf16MultiplyAdds, Int8MultiplyAdds};
}

}  // namespace
}  // namespace daf::kernels
