// Which instruction sets this machine has, and which one DAF's kernels use.
#pragma once

#include <string>
#include <vector>

#include "native/base/status.h"

namespace daf {

enum class Isa { kScalar, kNeon, kAvx2, kAvx512 };  // in order of preference, least first
constexpr Isa kIsas[] = {Isa::kScalar, Isa::kNeon, Isa::kAvx2, Isa::kAvx512};

const char* IsaName(Isa isa);            // "scalar", "neon", "avx2", "avx512"
bool IsaSupported(Isa isa);              // by CPU and operating system
bool LowPrecisionSupported();            // AVX-512 with BF16 and VNNI besides kAvx512
Isa BestIsa();                           // the best supported one
std::vector<std::string> CpuFeatures();  // names as in /proc/cpuinfo, those DAF cares about

// The one in use: DAF_FORCE_ISA if set, else BestIsa(). Chosen once per process.
// Errors: kUnsupported when DAF_FORCE_ISA names one that is unknown or that this machine lacks.
Status ChosenIsa(Isa* out);

}  // namespace daf
