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
constexpr int kWeightCache = 2;    // weights are fetched ahead into L2: L1 is full of the tile
constexpr uint32_t kGradRows = 2;  // × 4 = 8 accumulators

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
inline void StoreI(int32_t* p, I a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a); }

inline void GatherPair(const float* base, I index, F* a, F* b) {
  const double* pairs = reinterpret_cast<const double*>(base);
  const __m256 low = _mm256_castpd_ps(_mm256_i32gather_pd(pairs, _mm256_castsi256_si128(index), 4));
  const __m256 high =
      _mm256_castpd_ps(_mm256_i32gather_pd(pairs, _mm256_extracti128_si256(index, 1), 4));
  *a = _mm256_castpd_ps(
      _mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(low, high, 0x88)), 0xD8));
  *b = _mm256_castpd_ps(
      _mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(low, high, 0xDD)), 0xD8));
}
inline void StorePairs(float* p, F a, F b) {
  const __m256 low = _mm256_unpacklo_ps(a, b), high = _mm256_unpackhi_ps(a, b);
  Store(p, _mm256_permute2f128_ps(low, high, 0x20));
  Store(p + 8, _mm256_permute2f128_ps(low, high, 0x31));
}
inline void AddPair(float* p, const float* value) {
  const __m128 old = _mm_castpd_ps(_mm_load_sd(reinterpret_cast<const double*>(p)));
  const __m128 add = _mm_castpd_ps(_mm_load_sd(reinterpret_cast<const double*>(value)));
  _mm_store_sd(reinterpret_cast<double*>(p), _mm_castps_pd(_mm_add_ps(old, add)));
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
