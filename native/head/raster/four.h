// Four bytes of a picture, one after the other, as one vector.
#pragma once

#include <cstdint>
#include <cstring>

namespace daf::head {

typedef float FourFloats __attribute__((vector_size(16)));

// Each as it is, 0 ... 255.
inline FourFloats LoadFour(const uint8_t* bytes) {
  typedef uint8_t FourBytes __attribute__((vector_size(4)));
  FourBytes four;
  std::memcpy(&four, bytes, sizeof four);
  return __builtin_convertvector(four, FourFloats);
}

}  // namespace daf::head
