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

HashLevel MakeHashLevel(uint32_t cells, uint32_t log2_entries, uint32_t features, bool parts,
                        size_t offset) {
  const uint64_t side = uint64_t{cells} + 1, most = uint64_t{1} << log2_entries,
                 half = (side + 1) / 2;
  const bool dense = side * side * side <= most;
  const uint64_t begins = parts ? most / 4 : most;
  const uint64_t entries = !dense ? begins + cells : side * (parts ? half * half : side * side);
  const uint64_t part = parts ? (entries + 7) / 8 * 8 : 0;
  return {cells,
          static_cast<uint32_t>(parts ? 4 * part : entries),
          dense ? 1u : 0u,
          features,
          offset,
          static_cast<uint32_t>(begins - 1),
          static_cast<uint32_t>(part)};
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
