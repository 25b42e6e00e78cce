// One lane: the reference of the low precisions.
#include <math.h>
#include <string.h>

#include "native/kernels/dot.h"

namespace daf::kernels {
namespace {

typedef float F;
typedef int32_t I;
constexpr uint32_t kLanes = 1;
constexpr uint32_t kBlockOutputs = 4;

inline F Load(const float* p) { return *p; }
inline void Store(float* p, F a) { *p = a; }
inline F Set(float a) { return a; }
inline F Add(F a, F b) { return a + b; }
inline F Mul(F a, F b) { return a * b; }
inline F Fma(F a, F b, F c) { return a * b + c; }
inline F Max(F a, F b) { return a > b ? a : b; }
inline F ToFloat(I a) { return static_cast<F>(a); }
inline F AsFloat(F a) { return a; }
inline F AsFloat(I a) { return static_cast<F>(a); }
inline I LoadWords(const uint32_t* p) { return static_cast<I>(*p); }
inline void StoreWords(uint32_t* p, I a) { *p = static_cast<uint32_t>(a); }
inline I SetWord(uint32_t a) { return static_cast<I>(a); }

inline F Half(I word, bool second) {
  const uint32_t bits =
      second ? static_cast<uint32_t>(word) & 0xffff0000u : static_cast<uint32_t>(word) << 16;
  F out;
  memcpy(&out, &bits, 4);
  return out;
}
inline void Dot(F* sum, I x, I w) {
  *sum = Half(x, true) * Half(w, true) + *sum;
  *sum = Half(x, false) * Half(w, false) + *sum;
}
inline void Dot(I* sum, I x, I w) {  // x unsigned, w signed
  for (int byte = 0; byte < 4; ++byte) {
    const int32_t a = (static_cast<uint32_t>(x) >> (8 * byte)) & 255;
    *sum += a * static_cast<int8_t>(static_cast<uint32_t>(w) >> (8 * byte));
  }
}

inline I Pair(F first, F second) {
  return static_cast<I>(uint32_t{RoundToBf16(second)} << 16 | RoundToBf16(first));
}
inline uint32_t Byte(F a) {
  return a > 0 ? (a < 255 ? static_cast<uint32_t>(rintf(a)) : 255u) : 0u;
}
inline I Quad(F a, F b, F c, F d) {
  return static_cast<I>(Byte(a) | Byte(b) << 8 | Byte(c) << 16 | Byte(d) << 24);
}

}  // namespace
}  // namespace daf::kernels

#include "native/kernels/generic/dot.h"

namespace daf::kernels {
extern const DotTable kScalarDotTable;
const DotTable kScalarDotTable = MakeDotTable("scalar");
}  // namespace daf::kernels
