// The kernels, written once in terms of the vector words that an isa/*.cpp defines before including
// this (F, I, M, kLanes, Load, Fma, …). Everything is in an anonymous namespace: each instruction
// set has its own copy and exports nothing but its table.
#include "native/kernels/generic/adam.h"
#include "native/kernels/generic/composite.h"
#include "native/kernels/generic/encode.h"
#include "native/kernels/generic/gradient.h"
#include "native/kernels/generic/hash.h"
#include "native/kernels/generic/hash_position.h"
#include "native/kernels/generic/march.h"
#include "native/kernels/generic/math.h"
#include "native/kernels/generic/mlp.h"

namespace daf::kernels {
namespace {

constexpr Table MakeTable(const char* name) {
  return {name,         Layer,     WeightGradient,    HashForward, HashBackward,
          HashPosition, Harmonics, Frequencies,       ExpValues,   SigmoidValues,
          Adam,         Composite, CompositeBackward, March,       MultiplyAdds};
}

}  // namespace
}  // namespace daf::kernels
