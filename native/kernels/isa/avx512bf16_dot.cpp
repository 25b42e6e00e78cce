// AVX-512 with BF16 and VNNI. The rules of avx512.cpp hold here too.
#include <immintrin.h>

#include "native/kernels/dot.h"

namespace daf::kernels {
namespace {

typedef __m512 F;
typedef __m512i I;
constexpr uint32_t kLanes = 16;
constexpr uint32_t kBlockOutputs = 8;  // × 3 vectors = 24 accumulators, as in avx512.cpp

inline F Load(const float* p) { return _mm512_loadu_ps(p); }
inline void Store(float* p, F a) { _mm512_storeu_ps(p, a); }
inline F Set(float a) { return _mm512_set1_ps(a); }
inline F Add(F a, F b) { return _mm512_add_ps(a, b); }
inline F Mul(F a, F b) { return _mm512_mul_ps(a, b); }
inline F Fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
inline F Max(F a, F b) { return _mm512_max_ps(a, b); }
inline F ToFloat(I a) { return _mm512_cvtepi32_ps(a); }
inline F AsFloat(F a) { return a; }
inline F AsFloat(I a) { return _mm512_cvtepi32_ps(a); }
inline I LoadWords(const uint32_t* p) { return _mm512_loadu_si512(p); }
inline void StoreWords(uint32_t* p, I a) { _mm512_storeu_si512(p, a); }
inline I SetWord(uint32_t a) { return _mm512_set1_epi32(static_cast<int32_t>(a)); }

// In assembly, in this order: g++ 12 moves the accumulators of the intrinsics through memory.
inline void Dot(F* sum, I x, I w) {
  __asm__ volatile("vdpbf16ps %2, %1, %0" : "+v"(*sum) : "v"(x), "v"(w));
}
inline void Dot(I* sum, I x, I w) {  // x unsigned, w signed
  __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(x), "v"(w));
}

inline I Pair(F first, F second) {
  const __m512i halves = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
  // Words of 16 bits: 0…15 are first's, 16…31 second's.
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, halves);
}
// Rounded and clamped to 0…255: the two packing steps saturate.
inline I Quad(F a, F b, F c, F d) {
  const __m512i ab = _mm512_packs_epi32(_mm512_cvtps_epi32(a), _mm512_cvtps_epi32(b));
  const __m512i cd = _mm512_packs_epi32(_mm512_cvtps_epi32(c), _mm512_cvtps_epi32(d));
  const __m512i order =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  return _mm512_shuffle_epi8(_mm512_packus_epi16(ab, cd), order);
}

}  // namespace
}  // namespace daf::kernels

#include "native/kernels/generic/dot.h"

namespace daf::kernels {
extern const DotTable kAvx512Bf16DotTable;
const DotTable kAvx512Bf16DotTable = MakeDotTable("avx512bf16");
}  // namespace daf::kernels
