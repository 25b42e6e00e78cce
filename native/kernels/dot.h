// Dense layers in low precision, for inference: dot products of bf16 pairs and of 8-bit quads,
// which few instruction sets have, in a table of their own.
//
// Layout. A *word* is 32 bits of one sample: two consecutive inputs as bf16 (*pair*) or four as
// unsigned bytes (*quad*), the first in the low bits. A tile of words is word-major like a tile of
// floats: tile[word * kTile + sample]. Weights are words too, packed per 8 outputs by PackPairs and
// PackQuads; sums, biases and activations are fp32. Every pointer is 64-byte aligned.
#pragma once

#include <string.h>

#include "native/kernels/kernels.h"

namespace daf::kernels {

// To nearest, ties to even. Finite values only.
static inline uint16_t RoundToBf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// Outputs of one tile: y = W · [src0; src1] + bias (+ addend), clamped from below by 0 where
// `relu`. They are written wherever a destination is not null.
struct DotLayerArgs {
  const uint32_t* weights;
  const float* bias;     // [out]
  const float* unit;     // 8 bits only, [out]: what 1 of an output's integer sum is worth
  const float* addend;   // 8 bits only: [out][kTile], added before the activation; or null
  const uint32_t* src0;  // words0 ≥ 1 words
  uint32_t words0;
  const uint32_t* src1;  // a second source (skip, direction code); words1 may be 0
  uint32_t words1;
  uint32_t out;  // a multiple of 4; 8 bits: of 8
  bool relu;
  float* rows;         // [out][kTile]
  uint32_t* pairs;     // [out / 2][kTile]
  uint32_t* quads;     // [out / 4][kTile]: round(y · steps), clamped to 0…255
  const float* steps;  // [out]: steps of a byte per unit of y; null where quads is
};

struct DotTable {
  const char* name;
  void (*bf16_layer)(const DotLayerArgs* args);
  void (*int8_layer)(const DotLayerArgs* args);
  // Rounds one tile of an even number of rows to nearest, ties to even.
  void (*to_pairs)(const float* rows, uint32_t count, uint32_t* pairs);
  // As Table::multiply_adds, for the limit of bf16 and of 8-bit products.
  double (*bf16_multiply_adds)(uint64_t rounds, float* sink);
  double (*int8_multiply_adds)(uint64_t rounds, float* sink);
};

// The table that goes with an instruction set: the scalar one is the reference. Null where this
// build or this machine has none.
const DotTable* DotTableFor(Isa isa);

// The one of ChosenIsa(). Errors: kUnsupported where there is none.
Status ChosenDots(const DotTable** out);

// Row-major [out][in] (row stride `stride`) → [out8 / 8][in2 / 2][8] pairs; rows up to the next
// multiple of 8 and an odd last input are filled with zeros.
void PackPairs(const float* weights, uint32_t out, uint32_t in, size_t stride, uint32_t* packed);
// The same in signed bytes, [out8 / 8][in4 / 4][8] quads: row o times column_scale[in] is divided
// by unit[o], which is chosen so that its largest weight becomes ±127. unit[out8].
void PackQuads(const float* weights, uint32_t out, uint32_t in, size_t stride,
               const float* column_scale, uint32_t* packed, float* unit);
constexpr uint32_t PairsOf(uint32_t inputs) { return (inputs + 1) / 2; }
constexpr uint32_t QuadsOf(uint32_t inputs) { return (inputs + 3) / 4; }

}  // namespace daf::kernels
