// NEON of 64-bit ARM. The rules of avx512.cpp hold here too.
#include <arm_neon.h>

#include "native/kernels/kernels.h"

namespace daf::kernels {
namespace {

typedef float32x4_t F;
typedef int32x4_t I;
typedef uint32x4_t M;
constexpr uint32_t kLanes = 4;
constexpr uint32_t kBlockOutputs =
    8;  // × 3 vectors = 24 accumulators, 3 sources, 1 weight: 28 of 32 registers
constexpr uint32_t kSlice = 128;  // inputs of a pass over the outputs: 24 KB of a tile, as in L1
constexpr int kWeightCache = 2;
constexpr uint32_t kGradRows = 6;  // × 4 = 24 accumulators

inline F Load(const float* p) { return vld1q_f32(p); }
inline void Store(float* p, F a) { vst1q_f32(p, a); }
inline F Set(float a) { return vdupq_n_f32(a); }
inline F Zero() { return vdupq_n_f32(0.0f); }
inline F Add(F a, F b) { return vaddq_f32(a, b); }
inline F Sub(F a, F b) { return vsubq_f32(a, b); }
inline F Mul(F a, F b) { return vmulq_f32(a, b); }
inline F Div(F a, F b) { return vdivq_f32(a, b); }
inline F Sqrt(F a) { return vsqrtq_f32(a); }
inline F Fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
inline void AddProduct(F* sum, F a, F b) { *sum = vfmaq_f32(*sum, a, b); }
inline F Min(F a, F b) { return vminnmq_f32(a, b); }
inline F Max(F a, F b) { return vmaxnmq_f32(a, b); }
inline M Positive(F a) { return vcgtzq_f32(a); }
inline M NonZero(F a) { return vmvnq_u32(vceqzq_f32(a)); }
inline bool None(M m) { return vmaxvq_u32(m) == 0; }
inline F Select(M m, F a, F b) { return vbslq_f32(m, a, b); }
inline F Keep(M m, F a) { return Select(m, a, Zero()); }
inline M OddBit(I a, int bit) { return vtstq_s32(a, vdupq_n_s32(1 << bit)); }
inline I SetI(int32_t a) { return vdupq_n_s32(a); }
inline I AddI(I a, I b) { return vaddq_s32(a, b); }
inline I MulI(I a, I b) { return vmulq_s32(a, b); }
inline I XorI(I a, I b) { return veorq_s32(a, b); }
inline I AndI(I a, I b) { return vandq_s32(a, b); }
inline I MinI(I a, I b) { return vminq_s32(a, b); }
inline I MaxI(I a, I b) { return vmaxq_s32(a, b); }
inline I Truncate(F a) { return vcvtq_s32_f32(a); }
inline I Round(F a) { return vcvtnq_s32_f32(a); }
inline F ToFloat(I a) { return vcvtq_f32_s32(a); }
inline F PowerOfTwo(I a) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(a, vdupq_n_s32(127)), 23));
}
inline void StoreI(int32_t* p, I a) { vst1q_s32(p, a); }

// base[index], base[index + 1] per lane.
inline void GatherPair(const float* base, I index, F* a, F* b) {
  const float32x4_t low = vcombine_f32(vld1_f32(base + vgetq_lane_s32(index, 0)),
                                       vld1_f32(base + vgetq_lane_s32(index, 1)));
  const float32x4_t high = vcombine_f32(vld1_f32(base + vgetq_lane_s32(index, 2)),
                                        vld1_f32(base + vgetq_lane_s32(index, 3)));
  *a = vuzp1q_f32(low, high);
  *b = vuzp2q_f32(low, high);
}
// p[2l] = a[l], p[2l + 1] = b[l].
inline void StorePairs(float* p, F a, F b) {
  Store(p, vzip1q_f32(a, b));
  Store(p + 4, vzip2q_f32(a, b));
}
inline void AddPair(float* p, const float* value) {
  vst1_f32(p, vadd_f32(vld1_f32(p), vld1_f32(value)));
}
// p[k] += sum of the lanes of a_k.
inline void AddSums(float* p, F a0, F a1, F a2, F a3) {
  Store(p, vaddq_f32(Load(p), vpaddq_f32(vpaddq_f32(a0, a1), vpaddq_f32(a2, a3))));
}

}  // namespace
}  // namespace daf::kernels

#include "native/kernels/generic/all.h"

namespace daf::kernels {
extern const Table kNeonTable;
const Table kNeonTable = MakeTable("neon");
}  // namespace daf::kernels
