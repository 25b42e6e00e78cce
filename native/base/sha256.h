// SHA-256 (FIPS 180-4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace daf {

// The digest's 32 bytes of `size` bytes.
std::array<uint8_t, 32> Sha256(const void* data, size_t size);

}  // namespace daf
