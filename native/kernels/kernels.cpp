#include "native/kernels/kernels.h"

namespace daf::kernels {

extern const Table kScalarTable;
#if defined(DAF_KERNELS_X86)
extern const Table kAvx2Table;
extern const Table kAvx512Table;
#elif defined(DAF_KERNELS_NEON)
extern const Table kNeonTable;
#endif

const Table* TableFor(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return &kScalarTable;
#if defined(DAF_KERNELS_X86)
    case Isa::kAvx2:
      return &kAvx2Table;
    case Isa::kAvx512:
      return &kAvx512Table;
#elif defined(DAF_KERNELS_NEON)
    case Isa::kNeon:
      return &kNeonTable;
#endif
    default:
      return nullptr;
  }
}

Status Chosen(const Table** out) {
  Isa isa;
  DAF_RETURN_IF_ERROR(ChosenIsa(&isa));
  *out = TableFor(isa);
  return *out != nullptr ? Status::Ok()
                         : Status(Code::kUnsupported,
                                  std::string("this build has no kernels for ") + IsaName(isa));
}

void PackWeights(const float* weights, uint32_t out, uint32_t in, size_t stride, float* packed) {
  for (uint32_t block = 0; block < out; block += 8) {
    for (uint32_t i = 0; i < in; ++i) {
      for (uint32_t o = block; o < block + 8; ++o)
        *packed++ = o < out ? weights[o * stride + i] : 0.0f;
    }
  }
}

void PackTransposed(const float* weights, uint32_t out, uint32_t in, size_t stride, float* packed) {
  for (uint32_t block = 0; block < in; block += 8) {
    for (uint32_t o = 0; o < out; ++o) {
      for (uint32_t i = block; i < block + 8; ++i)
        *packed++ = i < in ? weights[o * stride + i] : 0.0f;
    }
  }
}

}  // namespace daf::kernels
