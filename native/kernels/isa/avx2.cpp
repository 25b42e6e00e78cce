// AVX2 with FMA. The rules of avx512.cpp hold here too.
#include <immintrin.h>

#include "native/kernels/kernels.h"

namespace daf::kernels {
namespace {

typedef __m256 F;
typedef __m256i I;
typedef __m256 M;
constexpr uint32_t kLanes = 8;
constexpr uint32_t kBlockOutputs =
    4;  // × 3 vectors = 12 accumulators, 3 sources, 1 weight: all 16 registers
constexpr uint32_t kSlice =
    128;  // inputs of a pass over the outputs: 24 KB of a tile, and L1 holds 32
constexpr bool kTogether = false;   // the slice of one tile that L1 holds passes under all outputs
constexpr int kWeightCache = 2;     // weights are fetched ahead into L2: L1 is full of the tile
constexpr uint32_t kStaggered = 0;  // no register is left for a second input's sources
constexpr uint32_t kGradRows = 2;   // × 4 = 8 accumulators

inline F Load(const float* p) { return _mm256_loadu_ps(p); }
inline void Store(float* p, F a) { _mm256_storeu_ps(p, a); }
inline F Set(float a) { return _mm256_set1_ps(a); }
inline F Zero() { return _mm256_setzero_ps(); }
inline F Add(F a, F b) { return _mm256_add_ps(a, b); }
inline F Sub(F a, F b) { return _mm256_sub_ps(a, b); }
inline F Mul(F a, F b) { return _mm256_mul_ps(a, b); }
inline F Div(F a, F b) { return _mm256_div_ps(a, b); }
inline F Sqrt(F a) { return _mm256_sqrt_ps(a); }
inline F Fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
// sum += a * b, in this order: g++ 12 otherwise moves accumulators through memory.
inline void AddProduct(F* sum, F a, F b) {
  __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
}
inline F Min(F a, F b) { return _mm256_min_ps(a, b); }
inline F Max(F a, F b) { return _mm256_max_ps(a, b); }
inline M Positive(F a) { return _mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_GT_OQ); }
inline M NonZero(F a) { return _mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_NEQ_UQ); }
inline bool None(M m) { return _mm256_movemask_ps(m) == 0; }
inline F Keep(M m, F a) { return _mm256_and_ps(m, a); }
inline F Select(M m, F a, F b) { return _mm256_blendv_ps(b, a, m); }
inline M OddBit(I a, int bit) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(a, 31 - bit));
}  // blendv looks at the sign
inline I SetI(int32_t a) { return _mm256_set1_epi32(a); }
inline I AddI(I a, I b) { return _mm256_add_epi32(a, b); }
inline I MulI(I a, I b) { return _mm256_mullo_epi32(a, b); }
inline I ShiftI(I a, int by) { return _mm256_sll_epi32(a, _mm_cvtsi32_si128(by)); }
inline I XorI(I a, I b) { return _mm256_xor_si256(a, b); }
inline I AndI(I a, I b) { return _mm256_and_si256(a, b); }
inline I MinI(I a, I b) { return _mm256_min_epi32(a, b); }
inline I MaxI(I a, I b) { return _mm256_max_epi32(a, b); }
inline I Truncate(F a) { return _mm256_cvttps_epi32(a); }
inline I Round(F a) { return _mm256_cvtps_epi32(a); }
inline F ToFloat(I a) { return _mm256_cvtepi32_ps(a); }
inline F PowerOfTwo(I a) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(a, _mm256_set1_epi32(127)), 23));
}
inline I Bits(F a) { return _mm256_castps_si256(a); }
inline I ShiftDownI(I a, int by) { return _mm256_srl_epi32(a, _mm_cvtsi32_si128(by)); }
inline I LoadI(const uint32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
inline F Gather(const float* p, I at) { return _mm256_i32gather_ps(p, at, 4); }
// Three bytes more are read.
inline I GatherBytes(const uint8_t* p, I at) {
  return _mm256_and_si256(_mm256_i32gather_epi32(reinterpret_cast<const int*>(p), at, 1),
                          _mm256_set1_epi32(255));
}
// Stores the lanes of m in a row; lanes behind them are written too.
inline void StorePacked(float* p, M m, F a) {
  const int lanes = _mm256_movemask_ps(m);
  alignas(32) float values[8];
  _mm256_store_ps(values, a);
  for (int l = 0, n = 0; l < 8; ++l) {
    p[n] = values[l];
    n += (lanes >> l) & 1;
  }
}
inline void StorePackedI(uint32_t* p, M m, I a) {
  StorePacked(reinterpret_cast<float*>(p), m, _mm256_castsi256_ps(a));
}
inline uint32_t Count(M m) {
  return static_cast<uint32_t>(__builtin_popcount(static_cast<unsigned>(_mm256_movemask_ps(m))));
}
inline void StoreI(int32_t* p, I a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a); }

// The four floats from base + index[4b] on, in the b-th half.
inline F LoadQuads(const float* base, const int32_t* index) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(base + index[0])),
                              _mm_loadu_ps(base + index[4]), 1);
}
inline void Transpose(F a, F b, F c, F d, F out[4]) {  // of 4 × 4 lanes, in both halves
  const F ab0 = _mm256_unpacklo_ps(a, b), ab1 = _mm256_unpackhi_ps(a, b);
  const F cd0 = _mm256_unpacklo_ps(c, d), cd1 = _mm256_unpackhi_ps(c, d);
  out[0] = _mm256_shuffle_ps(ab0, cd0, 0x44);
  out[1] = _mm256_shuffle_ps(ab0, cd0, 0xEE);
  out[2] = _mm256_shuffle_ps(ab1, cd1, 0x44);
  out[3] = _mm256_shuffle_ps(ab1, cd1, 0xEE);
}
template <int kLane>  // of both halves
inline F SumOfLane(const float* base, const int32_t* index, const F weight[4]) {
  constexpr int kAll = kLane * 0x55;
  F sum = _mm256_mul_ps(_mm256_permute_ps(weight[0], kAll), LoadQuads(base, index + kLane));
#pragma GCC unroll 3
  for (uint32_t e = 1; e < 4; ++e)
    sum = Fma(_mm256_permute_ps(weight[e], kAll), LoadQuads(base, index + e * kTile + kLane), sum);
  return sum;
}
inline __attribute__((always_inline)) void QuadSums(const float* base, const int32_t* index,
                                                    const float* weight, F out[4]) {
  const F w[4] = {Load(weight), Load(weight + kTile), Load(weight + 2 * kTile),
                  Load(weight + 3 * kTile)};
  Transpose(SumOfLane<0>(base, index, w), SumOfLane<1>(base, index, w),
            SumOfLane<2>(base, index, w), SumOfLane<3>(base, index, w), out);
}
inline void StoreQuads(float* p, F a, F b, F c, F d) {
  F quads[4];  // of lanes l and 4 + l
  Transpose(a, b, c, d, quads);
#pragma GCC unroll 4
  for (uint32_t l = 0; l < 4; ++l) {
    _mm_store_ps(p + 4 * l, _mm256_castps256_ps128(quads[l]));
    _mm_store_ps(p + 16 + 4 * l, _mm256_extractf128_ps(quads[l], 1));
  }
}
inline void AddQuad(float* p, const float* quad, float weight) {
  _mm_storeu_ps(p, _mm_fmadd_ps(_mm_set1_ps(weight), _mm_load_ps(quad), _mm_loadu_ps(p)));
}
inline void AddSums(float* p, F a0, F a1, F a2, F a3) {
  const __m256 u = _mm256_hadd_ps(_mm256_hadd_ps(a0, a1), _mm256_hadd_ps(a2, a3));
  const __m128 w = _mm_add_ps(_mm256_castps256_ps128(u), _mm256_extractf128_ps(u, 1));
  _mm_storeu_ps(p, _mm_add_ps(_mm_loadu_ps(p), w));
}

}  // namespace
}  // namespace daf::kernels

#include "native/kernels/generic/all.h"

namespace daf::kernels {
extern const Table kAvx2Table;
const Table kAvx2Table = MakeTable("avx2");
}  // namespace daf::kernels
