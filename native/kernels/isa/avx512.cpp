// AVX-512 (F, BW, DQ, VL). Compiled for that instruction set alone: no std:: template, no inline
// function of another header may be instantiated here, or the linker could hand it to code for an
// older machine.
#include <immintrin.h>

#include "native/kernels/kernels.h"

namespace daf::kernels {
namespace {

typedef __m512 F;
typedef __m512i I;
typedef __mmask16 M;
constexpr uint32_t kLanes = 16;
constexpr uint32_t kBlockOutputs =
    8;  // × 3 vectors = 24 accumulators, 3 sources, 1 weight: 28 of 32 registers
constexpr uint32_t kSlice =
    256;  // inputs of a pass over the outputs: L2 keeps up with one vector a multiply-add pair
constexpr bool kTogether =
    true;  // a block's weights pass over all tiles: L2 need not hold the layer
constexpr int kWeightCache = 2;     // weights are fetched ahead into L2
constexpr uint32_t kStaggered = 2;  // inputs that are added output by output at the end of a block
constexpr uint32_t kGradRows = 6;   // × 4 = 24 accumulators

inline F Load(const float* p) { return _mm512_loadu_ps(p); }
inline void Store(float* p, F a) { _mm512_storeu_ps(p, a); }
inline F Set(float a) { return _mm512_set1_ps(a); }
inline F Zero() { return _mm512_setzero_ps(); }
inline F Add(F a, F b) { return _mm512_add_ps(a, b); }
inline F Sub(F a, F b) { return _mm512_sub_ps(a, b); }
inline F Mul(F a, F b) { return _mm512_mul_ps(a, b); }
inline F Div(F a, F b) { return _mm512_div_ps(a, b); }
inline F Sqrt(F a) { return _mm512_sqrt_ps(a); }
inline F Fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
// sum += a * b, in this order: g++ 12 otherwise moves accumulators through memory.
inline void AddProduct(F* sum, F a, F b) {
  __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
}
inline F Min(F a, F b) { return _mm512_min_ps(a, b); }
inline F Max(F a, F b) { return _mm512_max_ps(a, b); }
inline M Positive(F a) { return _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_GT_OQ); }
inline M NonZero(F a) { return _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_NEQ_UQ); }
inline bool None(M m) { return m == 0; }
inline F Keep(M m, F a) { return _mm512_maskz_mov_ps(m, a); }
inline F Select(M m, F a, F b) { return _mm512_mask_blend_ps(m, b, a); }
inline M OddBit(I a, int bit) { return _mm512_test_epi32_mask(a, _mm512_set1_epi32(1 << bit)); }
inline I SetI(int32_t a) { return _mm512_set1_epi32(a); }
inline I AddI(I a, I b) { return _mm512_add_epi32(a, b); }
inline I MulI(I a, I b) { return _mm512_mullo_epi32(a, b); }
inline I ShiftI(I a, int by) { return _mm512_sll_epi32(a, _mm_cvtsi32_si128(by)); }
inline I XorI(I a, I b) { return _mm512_xor_si512(a, b); }
inline I AndI(I a, I b) { return _mm512_and_si512(a, b); }
inline I MinI(I a, I b) { return _mm512_min_epi32(a, b); }
inline I MaxI(I a, I b) { return _mm512_max_epi32(a, b); }
inline I Truncate(F a) { return _mm512_cvttps_epi32(a); }
inline I Round(F a) { return _mm512_cvtps_epi32(a); }
inline F ToFloat(I a) { return _mm512_cvtepi32_ps(a); }
inline F PowerOfTwo(I a) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(a, _mm512_set1_epi32(127)), 23));
}
inline I Bits(F a) { return _mm512_castps_si512(a); }
inline I ShiftDownI(I a, int by) { return _mm512_srl_epi32(a, _mm_cvtsi32_si128(by)); }
inline I LoadI(const uint32_t* p) { return _mm512_loadu_si512(p); }
inline F Gather(const float* p, I at) { return _mm512_i32gather_ps(at, p, 4); }
// Three bytes more are read.
inline I GatherBytes(const uint8_t* p, I at) {
  return _mm512_and_si512(_mm512_i32gather_epi32(at, p, 1), _mm512_set1_epi32(255));
}
// Stores the lanes of m in a row; lanes behind them are written too.
inline void StorePacked(float* p, M m, F a) { Store(p, _mm512_maskz_compress_ps(m, a)); }
inline void StorePackedI(uint32_t* p, M m, I a) {
  _mm512_storeu_si512(p, _mm512_maskz_compress_epi32(m, a));
}
inline uint32_t Count(M m) { return static_cast<uint32_t>(__builtin_popcount(m)); }
inline void StoreI(int32_t* p, I a) { _mm512_storeu_si512(p, a); }

// The four floats from base + index[4b] on, in the b-th quarter.
inline F LoadQuads(const float* base, const int32_t* index) {
  F quads = _mm512_castps128_ps512(_mm_loadu_ps(base + index[0]));
  quads = _mm512_mask_broadcast_f32x4(quads, 0x00F0, _mm_loadu_ps(base + index[4]));
  quads = _mm512_mask_broadcast_f32x4(quads, 0x0F00, _mm_loadu_ps(base + index[8]));
  return _mm512_mask_broadcast_f32x4(quads, 0xF000, _mm_loadu_ps(base + index[12]));
}
inline void Transpose(F a, F b, F c, F d, F out[4]) {  // of 4 × 4 lanes, in every quarter
  const F ab0 = _mm512_unpacklo_ps(a, b), ab1 = _mm512_unpackhi_ps(a, b);
  const F cd0 = _mm512_unpacklo_ps(c, d), cd1 = _mm512_unpackhi_ps(c, d);
  out[0] = _mm512_shuffle_ps(ab0, cd0, 0x44);
  out[1] = _mm512_shuffle_ps(ab0, cd0, 0xEE);
  out[2] = _mm512_shuffle_ps(ab1, cd1, 0x44);
  out[3] = _mm512_shuffle_ps(ab1, cd1, 0xEE);
}
template <int kLane>  // of every quarter
inline F SumOfLane(const float* base, const int32_t* index, const F weight[4]) {
  constexpr int kAll = kLane * 0x55;
  F sum = _mm512_mul_ps(_mm512_permute_ps(weight[0], kAll), LoadQuads(base, index + kLane));
#pragma GCC unroll 3
  for (uint32_t e = 1; e < 4; ++e)
    sum = Fma(_mm512_permute_ps(weight[e], kAll), LoadQuads(base, index + e * kTile + kLane), sum);
  return sum;
}
// out[j] of every lane = Σ over e of weight[e · kTile + lane] · base[index[e · kTile + lane] + j].
inline __attribute__((always_inline)) void QuadSums(const float* base, const int32_t* index,
                                                    const float* weight, F out[4]) {
  const F w[4] = {Load(weight), Load(weight + kTile), Load(weight + 2 * kTile),
                  Load(weight + 3 * kTile)};
  Transpose(SumOfLane<0>(base, index, w), SumOfLane<1>(base, index, w),
            SumOfLane<2>(base, index, w), SumOfLane<3>(base, index, w), out);
}
// p[4l + j] = j-th argument of lane l.
inline void StoreQuads(float* p, F a, F b, F c, F d) {
  F quads[4];  // of lanes l, 4 + l, 8 + l, 12 + l
  Transpose(a, b, c, d, quads);
#pragma GCC unroll 4
  for (uint32_t l = 0; l < 4; ++l) {
    _mm_store_ps(p + 4 * l, _mm512_castps512_ps128(quads[l]));
    _mm_store_ps(p + 16 + 4 * l, _mm512_extractf32x4_ps(quads[l], 1));
    _mm_store_ps(p + 32 + 4 * l, _mm512_extractf32x4_ps(quads[l], 2));
    _mm_store_ps(p + 48 + 4 * l, _mm512_extractf32x4_ps(quads[l], 3));
  }
}
// p[j] += weight · quad[j].
inline void AddQuad(float* p, const float* quad, float weight) {
  _mm_storeu_ps(p, _mm_fmadd_ps(_mm_set1_ps(weight), _mm_load_ps(quad), _mm_loadu_ps(p)));
}
// p[k] += sum of the lanes of a_k.
inline void AddSums(float* p, F a0, F a1, F a2, F a3) {
  const __m512 s = _mm512_add_ps(_mm512_unpacklo_ps(a0, a1), _mm512_unpackhi_ps(a0, a1));
  const __m512 t = _mm512_add_ps(_mm512_unpacklo_ps(a2, a3), _mm512_unpackhi_ps(a2, a3));
  const __m512 u = _mm512_add_ps(_mm512_shuffle_ps(s, t, 0x44), _mm512_shuffle_ps(s, t, 0xEE));
  const __m256 v = _mm256_add_ps(_mm512_castps512_ps256(u), _mm512_extractf32x8_ps(u, 1));
  const __m128 w = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  _mm_storeu_ps(p, _mm_add_ps(_mm_loadu_ps(p), w));
}

}  // namespace
}  // namespace daf::kernels

#include "native/kernels/generic/all.h"

namespace daf::kernels {
extern const Table kAvx512Table;
const Table kAvx512Table = MakeTable("avx512");
}  // namespace daf::kernels
