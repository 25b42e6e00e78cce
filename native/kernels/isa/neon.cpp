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
constexpr bool kTogether = false;
constexpr uint32_t kStaggered = 0;
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
inline I ShiftI(I a, int by) { return vshlq_s32(a, vdupq_n_s32(by)); }
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
inline I Bits(F a) { return vreinterpretq_s32_f32(a); }
inline I ShiftDownI(I a, int by) {
  return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a), vdupq_n_s32(-by)));
}
inline I LoadI(const uint32_t* p) { return vreinterpretq_s32_u32(vld1q_u32(p)); }
inline F Gather(const float* p, I at) {
  const float values[4] = {p[vgetq_lane_s32(at, 0)], p[vgetq_lane_s32(at, 1)],
                           p[vgetq_lane_s32(at, 2)], p[vgetq_lane_s32(at, 3)]};
  return vld1q_f32(values);
}
inline I GatherBytes(const uint8_t* p, I at) {
  const int32_t values[4] = {p[vgetq_lane_s32(at, 0)], p[vgetq_lane_s32(at, 1)],
                             p[vgetq_lane_s32(at, 2)], p[vgetq_lane_s32(at, 3)]};
  return vld1q_s32(values);
}
// Stores the lanes of m in a row; lanes behind them are written too.
inline void StorePackedI(uint32_t* p, M m, I a) {
  uint32_t values[4], lanes[4];
  vst1q_u32(values, vreinterpretq_u32_s32(a));
  vst1q_u32(lanes, m);
  for (uint32_t l = 0, n = 0; l < 4; ++l) {
    p[n] = values[l];
    n += lanes[l] & 1;
  }
}
inline void StorePacked(float* p, M m, F a) {
  float values[4];
  uint32_t lanes[4];
  vst1q_f32(values, a);
  vst1q_u32(lanes, m);
  for (uint32_t l = 0, n = 0; l < 4; ++l) {
    p[n] = values[l];
    n += lanes[l] & 1;
  }
}
inline uint32_t Count(M m) { return vaddvq_u32(vshrq_n_u32(m, 31)); }
inline void StoreI(int32_t* p, I a) { vst1q_s32(p, a); }

inline void Transpose(F a, F b, F c, F d, F out[4]) {
  const F ab0 = vtrn1q_f32(a, b), ab1 = vtrn2q_f32(a, b);
  const F cd0 = vtrn1q_f32(c, d), cd1 = vtrn2q_f32(c, d);
  out[0] = vcombine_f32(vget_low_f32(ab0), vget_low_f32(cd0));
  out[1] = vcombine_f32(vget_low_f32(ab1), vget_low_f32(cd1));
  out[2] = vcombine_f32(vget_high_f32(ab0), vget_high_f32(cd0));
  out[3] = vcombine_f32(vget_high_f32(ab1), vget_high_f32(cd1));
}
// out[j] of every lane = Σ over e of weight[e · kTile + lane] · base[index[e · kTile + lane] + j].
inline __attribute__((always_inline)) void QuadSums(const float* base, const int32_t* index,
                                                    const float* weight, F out[4]) {
  F sum[4];
#pragma GCC unroll 4
  for (uint32_t l = 0; l < 4; ++l) {
    sum[l] = vmulq_n_f32(Load(base + index[l]), weight[l]);
#pragma GCC unroll 3
    for (uint32_t e = 1; e < 4; ++e)
      sum[l] = vfmaq_n_f32(sum[l], Load(base + index[e * kTile + l]), weight[e * kTile + l]);
  }
  Transpose(sum[0], sum[1], sum[2], sum[3], out);
}
// p[4l + j] = j-th argument of lane l.
inline void StoreQuads(float* p, F a, F b, F c, F d) {
  F quads[4];
  Transpose(a, b, c, d, quads);
#pragma GCC unroll 4
  for (uint32_t l = 0; l < 4; ++l) Store(p + 4 * l, quads[l]);
}
// p[j] += weight · quad[j].
inline void AddQuad(float* p, const float* quad, float weight) {
  Store(p, vfmaq_n_f32(Load(p), Load(quad), weight));
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
