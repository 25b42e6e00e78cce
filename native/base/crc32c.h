// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as in RFC 3720. Hardware where the machine
// has it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace daf {

// Continues `crc` (0 to begin) over `size` bytes. Crc32c(0, "123456789", 9) == 0xE3069283.
uint32_t Crc32c(uint32_t crc, const void* data, size_t size);

}  // namespace daf
