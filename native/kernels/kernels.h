// The inner loops of the fields, once per instruction set: one table of functions, chosen once.
//
// Layout. A *tile* is 48 samples of some features, feature-major: tile[feature * kTile + sample].
// Tiles of a batch follow each other at a stride in floats. 48 = 3 vectors of 16 = 2 × 3 vectors of
// 8, which is what the register blocks eat; a tile of a 64-wide layer is 12 KB, so a whole small
// network stays in L1 and a 256-wide one in L2. Every pointer is 64-byte aligned.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "native/base/cpu.h"

namespace daf::kernels {

constexpr uint32_t kTile = 48;

enum Activation : uint32_t {
  kLinear,
  kRelu,
  kReluMask,  // backward: keeps a row's value where `mask` (the forward output) is positive
};

// dst[out] = activation(bias + W · [src0; src1]) for one or more tiles. W is packed by PackWeights;
// `out` is a multiple of 4.
struct LayerArgs {
  const float* weights;
  const float* bias;  // [out], or null for zero
  const float* src0;
  uint32_t in0;       // at least 1
  const float* src1;  // a second source (skip, direction code); in1 may be 0
  uint32_t in1;
  float* dst;
  const float* mask;
  uint32_t out;
  uint32_t activation;
  uint32_t tiles = 1;
  size_t stride0 = 0, stride1 = 0;  // floats from tile to tile of the sources
  size_t dst_stride = 0;            // of dst and mask
};

// grad[o * stride + i] += Σ delta[o] · src[i] over all samples of `tiles` tiles; bias_grad[o] += Σ
// delta[o] unless null. `in` is a multiple of 4; `out` is any.
struct WeightGradientArgs {
  const float* delta;
  size_t delta_stride;  // floats from tile to tile
  uint32_t out;
  const float* src;
  size_t src_stride;
  uint32_t in;
  uint32_t tiles;
  float* grad;
  size_t stride;
  float* bias_grad;
};

// One level of the hash grid. `size` entries of `features` floats begin at `offset` floats into the
// table.
struct HashLevel {
  uint32_t cells;     // along the unit cube; vertices 0…cells
  uint32_t size;      // entries; hashed: a power of two of places where a row begins, and `cells`
  uint32_t dense;     // 1: index x + y·(cells+1) + z·(cells+1)²; 0: x + hash of y and z
  uint32_t features;  // 2, 4 or 8
  size_t offset;
};

// Points in the unit cube as three arrays of tiles · kTile floats.
struct HashArgs {
  HashLevel level;
  const float* x;
  const float* y;
  const float* z;
  uint32_t tiles;
  const float* table;  // forward
  float* grad;         // backward: added to
  float* rows;         // forward: written, backward: read; `features` rows of the first tile
  size_t rows_stride;  // floats from tile to tile
  // Forward, in place of `rows`: two features of a sample as bf16 (to nearest, ties to even; finite
  // values only), the first in the low bits, as dot.h's layers read them; rows_stride words from
  // tile to tile.
  uint32_t* pairs = nullptr;
};

// Derivatives by the points, from those by their encoding.
struct HashPositionArgs {
  HashArgs hash;  // `table` as in forward, `rows` as in backward
  float* d[3];    // x, y, z: tiles · kTile floats, added to
};

struct AdamArgs {
  float* parameters;
  float* gradients;  // zeroed
  float* first;
  float* second;
  size_t count;
  float rate;        // already divided by 1 − beta1^t
  float correction;  // 1 / (1 − beta2^t)
  float beta1, beta2, epsilon;
  float decay;  // of the parameter itself, added to the gradient
  float scale;  // of the gradient
  bool sparse;  // parameters whose gradient is exactly 0 are left alone, moments too
};

// Compositing of rays front to back. Ray r owns samples first[r] … first[r + 1] − 1, at least 0 of
// them.
struct CompositeArgs {
  uint32_t rays;
  const uint32_t* first;  // [rays + 1]
  const float* density;   // per sample, 1/length
  const float* step;      // per sample, length
  const float* r;         // colour per sample; r null: weights only
  const float* g;
  const float* b;
  const float* t;  // distance per sample
  float* alpha;    // per sample, written by forward, read by backward
  float* weight;   // per sample, likewise
  float* out;      // [rays][6] r g b opacity depth(Σ w t) transmittance
  // Backward. d_out[rays][4]: loss by r g b and by opacity; d_weight: further loss by each weight
  // (null for none).
  const float* d_out;
  const float* d_weight;
  float* d_density;  // written, per sample
  float* d_r;
  float* d_g;
  float* d_b;
};

// Rays through cells some of which are occupied. Every ray has its own lattice of points, first +
// step · k up to `end`, those of them in occupied cells being its samples. Positions are those of
// the unit cube.
struct MarchArgs {
  float step;
  // By cell, x fastest, 3 more bytes readable behind them. 0: it is occupied; d: all cells nearer
  // than d, in the maximum norm, are empty. Null: everything is occupied.
  const uint8_t* distance;
  float cells;  // along each axis
  // By ray: where it starts, its position per distance, and back, neither of the two zero.
  const float* origin[3];
  const float* slope[3];
  const float* inverse[3];
  const float* first;
  const float* end;
  float* next;     // k of the next point, updated
  uint32_t* rays;  // [count, up to a multiple of 16]: which rays; those with samples are kept
  uint32_t count;  // likewise
  uint32_t run;    // samples of each ray, at most
  // Written, in the order of the distance along each ray; room for count · run and 16 more.
  float* x;
  float* y;
  float* z;
  float* t;
  uint32_t* ray;
  uint32_t samples;
};

struct Table {
  const char* name;
  void (*layer)(const LayerArgs* args);
  void (*weight_gradient)(const WeightGradientArgs* args);
  void (*hash_forward)(const HashArgs* args);
  void (*hash_backward)(const HashArgs* args);
  void (*hash_position)(const HashPositionArgs* args);
  // 16 rows of real spherical harmonics (degrees 0…3) of unit directions, tile by tile.
  void (*harmonics)(const float* x, const float* y, const float* z, uint32_t tiles, float* rows,
                    size_t stride);
  // 3 + 6·frequencies rows: p, then sin(2^k p), cos(2^k p) for k = 0…, p = scale·point + shift by
  // axis.
  void (*frequencies)(const float* x, const float* y, const float* z, const float scale[3],
                      const float shift[3], uint32_t frequencies, uint32_t tiles, float* rows,
                      size_t stride);
  void (*exponential)(const float* in, float* out,
                      size_t n);  // exp(clamp(in, ±15)); n a multiple of 16
  void (*sigmoid)(const float* in, float* out, size_t n);  // n a multiple of 16
  void (*adam)(const AdamArgs* args);
  void (*composite)(const CompositeArgs* args);  // per-sample arrays are padded to a multiple of 16
                                                 // and may be read and written there
  void (*composite_backward)(const CompositeArgs* args);
  // The next samples of rays: `samples` of them, and the rays that have any.
  void (*march)(MarchArgs* args);
  // Independent fused multiply-adds in registers, for measuring the machine's limit. Returns the
  // multiply-adds done.
  double (*multiply_adds)(uint64_t rounds, float* sink);
};

// Null where this build has none.
const Table* TableFor(Isa isa);

// The table of ChosenIsa(). Errors: kUnsupported as ChosenIsa.
Status Chosen(const Table** out);

// Row-major [out][in] (row stride `stride`) → [out8 / 8][in][8], zero rows added up to out8 = next
// multiple of 8.
void PackWeights(const float* weights, uint32_t out, uint32_t in, size_t stride, float* packed);
// The same for the transpose: inputs become outputs.
void PackTransposed(const float* weights, uint32_t out, uint32_t in, size_t stride, float* packed);
constexpr uint32_t RoundUp4(uint32_t n) { return (n + 3) / 4 * 4; }
constexpr uint32_t RoundUp8(uint32_t n) { return (n + 7) / 8 * 8; }
constexpr size_t PackedSize(uint32_t out, uint32_t in) { return size_t{RoundUp8(out)} * in; }

}  // namespace daf::kernels
