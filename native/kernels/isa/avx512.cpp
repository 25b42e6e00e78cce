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
constexpr int kWeightCache = 3;    // weights are fetched ahead into L1
constexpr uint32_t kGradRows = 6;  // × 4 = 24 accumulators

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
inline void StoreI(int32_t* p, I a) { _mm512_storeu_si512(p, a); }

// base[index], base[index + 1] per lane.
inline void GatherPair(const float* base, I index, F* a, F* b) {
  const __m512 low = _mm512_castpd_ps(_mm512_i32gather_pd(_mm512_castsi512_si256(index), base, 4));
  const __m512 high =
      _mm512_castpd_ps(_mm512_i32gather_pd(_mm512_extracti64x4_epi64(index, 1), base, 4));
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  *a = _mm512_permutex2var_ps(low, even, high);
  *b = _mm512_permutex2var_ps(low, _mm512_add_epi32(even, _mm512_set1_epi32(1)), high);
}
// p[2l] = a[l], p[2l + 1] = b[l].
inline void StorePairs(float* p, F a, F b) {
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  Store(p, _mm512_permutex2var_ps(a, low, b));
  Store(p + 16, _mm512_permutex2var_ps(a, _mm512_add_epi32(low, _mm512_set1_epi32(8)), b));
}
inline void AddPair(float* p, const float* value) {
  const __m128 old = _mm_castpd_ps(_mm_load_sd(reinterpret_cast<const double*>(p)));
  const __m128 add = _mm_castpd_ps(_mm_load_sd(reinterpret_cast<const double*>(value)));
  _mm_store_sd(reinterpret_cast<double*>(p), _mm_castps_pd(_mm_add_ps(old, add)));
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
