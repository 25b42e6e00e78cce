// One lane: the reference that every other table is compared with, and what runs where no other
// does.
#include <math.h>
#include <string.h>

#include "native/kernels/kernels.h"

namespace daf::kernels {
namespace {

typedef float F;
typedef int32_t I;
typedef bool M;
constexpr uint32_t kLanes = 1;
constexpr uint32_t kBlockOutputs = 4;
constexpr uint32_t kSlice = 128;
constexpr int kWeightCache = 2;
constexpr bool kTogether = false;
constexpr uint32_t kStaggered = 0;
constexpr uint32_t kGradRows = 2;

inline F Load(const float* p) { return *p; }
inline void Store(float* p, F a) { *p = a; }
inline F Set(float a) { return a; }
inline F Zero() { return 0.0f; }
inline F Add(F a, F b) { return a + b; }
inline F Sub(F a, F b) { return a - b; }
inline F Mul(F a, F b) { return a * b; }
inline F Div(F a, F b) { return a / b; }
inline F Sqrt(F a) { return sqrtf(a); }
inline F Fma(F a, F b, F c) { return a * b + c; }
inline void AddProduct(F* sum, F a, F b) { *sum = a * b + *sum; }
inline F Min(F a, F b) { return a < b ? a : b; }
inline F Max(F a, F b) { return a > b ? a : b; }
inline M Positive(F a) { return a > 0.0f; }
inline M NonZero(F a) { return a != 0.0f; }
inline bool None(M m) { return !m; }
inline F Keep(M m, F a) { return m ? a : 0.0f; }
inline F Select(M m, F a, F b) { return m ? a : b; }
inline M OddBit(I a, int bit) { return ((a >> bit) & 1) != 0; }
inline I SetI(int32_t a) { return a; }
inline I AddI(I a, I b) {
  return static_cast<I>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
inline I MulI(I a, I b) {
  return static_cast<I>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}
inline I ShiftI(I a, int by) { return static_cast<I>(static_cast<uint32_t>(a) << by); }
inline I XorI(I a, I b) { return a ^ b; }
inline I AndI(I a, I b) { return a & b; }
inline I MinI(I a, I b) { return a < b ? a : b; }
inline I MaxI(I a, I b) { return a > b ? a : b; }
inline I Truncate(F a) {
  return a > -2147483648.0f && a < 2147483648.0f ? static_cast<I>(a) : INT32_MIN;
}
inline I Round(F a) { return Truncate(rintf(a)); }
inline F ToFloat(I a) { return static_cast<F>(a); }
inline F PowerOfTwo(I a) {
  const uint32_t bits = static_cast<uint32_t>(a + 127) << 23;
  float out;
  memcpy(&out, &bits, 4);
  return out;
}
inline I Bits(F a) {
  I out;
  memcpy(&out, &a, 4);
  return out;
}
inline I ShiftDownI(I a, int by) { return static_cast<I>(static_cast<uint32_t>(a) >> by); }
inline I LoadI(const uint32_t* p) { return static_cast<I>(*p); }
inline F Gather(const float* p, I at) { return p[at]; }
inline I GatherBytes(const uint8_t* p, I at) { return p[at]; }
// Stores the lanes of m in a row; lanes behind them may be written too.
inline void StorePacked(float* p, M, F a) { *p = a; }
inline void StorePackedI(uint32_t* p, M, I a) { *p = static_cast<uint32_t>(a); }
inline uint32_t Count(M m) { return m ? 1 : 0; }
inline void StoreI(int32_t* p, I a) { *p = a; }
inline void QuadSums(const float* base, const int32_t* index, const float* weight, F out[4]) {
  for (uint32_t j = 0; j < 4; ++j) {
    out[j] = 0;
    for (uint32_t e = 0; e < 4; ++e) out[j] += weight[e * kTile] * base[index[e * kTile] + j];
  }
}
inline void StoreQuads(float* p, F a, F b, F c, F d) {
  p[0] = a;
  p[1] = b;
  p[2] = c;
  p[3] = d;
}
inline void AddQuad(float* p, const float* quad, float weight) {
  for (uint32_t j = 0; j < 4; ++j) p[j] += weight * quad[j];
}
inline void AddSums(float* p, F a0, F a1, F a2, F a3) {
  p[0] += a0;
  p[1] += a1;
  p[2] += a2;
  p[3] += a3;
}

}  // namespace
}  // namespace daf::kernels

#include "native/kernels/generic/all.h"

namespace daf::kernels {
extern const Table kScalarTable;
const Table kScalarTable = MakeTable("scalar");
}  // namespace daf::kernels
