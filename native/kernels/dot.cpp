#include "native/kernels/dot.h"

#include <algorithm>
#include <cmath>

namespace daf::kernels {

extern const DotTable kScalarDotTable;
#if defined(DAF_KERNELS_X86)
extern const DotTable kAvx512Bf16DotTable;
#endif

const DotTable* DotTableFor(Isa isa) {
  if (isa == Isa::kScalar) return &kScalarDotTable;
#if defined(DAF_KERNELS_X86)
  if (isa == Isa::kAvx512 && LowPrecisionSupported()) return &kAvx512Bf16DotTable;
#endif
  return nullptr;
}

Status ChosenDots(const DotTable** out) {
  Isa isa;
  DAF_RETURN_IF_ERROR(ChosenIsa(&isa));
  *out = DotTableFor(isa);
  if (*out != nullptr) return Status::Ok();
  return Status(
      Code::kUnsupported,
      std::string("bf16 and int8 need AVX-512 with BF16 and VNNI; here runs ") + IsaName(isa),
      "use precision fp32, or a machine whose CPU has avx512_bf16 and avx512_vnni");
}

void PackPairs(const float* weights, uint32_t out, uint32_t in, size_t stride, uint32_t* packed) {
  const auto at = [&](uint32_t o, uint32_t i) {
    return o < out && i < in ? uint32_t{RoundToBf16(weights[o * stride + i])} : 0u;
  };
  for (uint32_t block = 0; block < out; block += 8) {
    for (uint32_t i = 0; i < in; i += 2) {
      for (uint32_t o = block; o < block + 8; ++o) *packed++ = at(o, i + 1) << 16 | at(o, i);
    }
  }
}

void PackQuads(const float* weights, uint32_t out, uint32_t in, size_t stride,
               const float* column_scale, uint32_t* packed, float* unit) {
  for (uint32_t o = 0; o < RoundUp8(out); ++o) {
    float largest = 0;
    for (uint32_t i = 0; o < out && i < in; ++i)
      largest = std::max(largest, std::fabs(weights[o * stride + i] * column_scale[i]));
    unit[o] = largest > 0 ? largest / 127 : 1.0f;
  }
  const auto at = [&](uint32_t o, uint32_t i) {
    if (o >= out || i >= in) return 0u;
    const float value = weights[o * stride + i] * column_scale[i] / unit[o];
    return static_cast<uint32_t>(std::lrint(value)) & 255u;
  };
  for (uint32_t block = 0; block < out; block += 8) {
    for (uint32_t i = 0; i < in; i += 4) {
      for (uint32_t o = block; o < block + 8; ++o)
        *packed++ = at(o, i + 3) << 24 | at(o, i + 2) << 16 | at(o, i + 1) << 8 | at(o, i);
    }
  }
}

}  // namespace daf::kernels
