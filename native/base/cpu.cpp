#include "native/base/cpu.h"

#include <cstdlib>

namespace daf {

const char* IsaName(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kNeon:
      return "neon";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "scalar";
}

bool IsaSupported(Isa isa) {
  if (isa == Isa::kScalar) return true;
#if defined(__x86_64__)
  if (isa == Isa::kNeon) return false;
  if (isa == Isa::kAvx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
  return isa == Isa::kNeon;
#else
  return false;
#endif
}

bool LowPrecisionSupported() {
#if defined(__x86_64__)
  return IsaSupported(Isa::kAvx512) && __builtin_cpu_supports("avx512bf16") &&
         __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

Isa BestIsa() {
  for (Isa isa : {Isa::kAvx512, Isa::kAvx2, Isa::kNeon}) {
    if (IsaSupported(isa)) return isa;
  }
  return Isa::kScalar;
}

std::vector<std::string> CpuFeatures() {
  std::vector<std::string> names;
#if defined(__x86_64__)
#define DAF_FEATURE(builtin, name) \
  if (__builtin_cpu_supports(builtin)) names.emplace_back(name);
  DAF_FEATURE("sse4.2", "sse4_2")
  DAF_FEATURE("avx", "avx")
  DAF_FEATURE("fma", "fma")
  DAF_FEATURE("avx2", "avx2")
  DAF_FEATURE("avx512f", "avx512f")
  DAF_FEATURE("avx512bw", "avx512bw")
  DAF_FEATURE("avx512dq", "avx512dq")
  DAF_FEATURE("avx512vl", "avx512vl")
  DAF_FEATURE("avx512vnni", "avx512_vnni")
  DAF_FEATURE("avx512bf16", "avx512_bf16")
#undef DAF_FEATURE
#endif
  return names;
}

namespace {
struct Choice {
  Isa isa = Isa::kScalar;
  Status status;
};
Choice Choose() {
  Choice choice;
  const char* forced = std::getenv("DAF_FORCE_ISA");
  if (forced == nullptr || *forced == '\0') {
    choice.isa = BestIsa();
    return choice;
  }
  for (Isa isa : kIsas) {
    if (std::string(forced) != IsaName(isa)) continue;
    choice.isa = isa;
    if (!IsaSupported(isa)) {
      choice.status = Status(Code::kUnsupported,
                             std::string("DAF_FORCE_ISA=") + forced + ": this machine lacks it",
                             "unset DAF_FORCE_ISA, or choose one that `daf doctor` lists");
    }
    return choice;
  }
  choice.status = Status(Code::kUnsupported,
                         std::string("DAF_FORCE_ISA=") + forced + " is not an instruction set",
                         "use scalar, neon, avx2 or avx512");
  return choice;
}
}  // namespace

Status ChosenIsa(Isa* out) {
  static const Choice choice = Choose();
  *out = choice.isa;
  return choice.status;
}

}  // namespace daf
