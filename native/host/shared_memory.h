// Memory that a worker shares with its daf-host.
#pragma once

#include <cstddef>
#include <cstdint>

#include "native/base/status.h"

namespace daf {

// An anonymous file of `size` zero bytes and its mapping. The caller closes and unmaps. Errors:
// kIo, kMemory.
Status CreateSharedMemory(size_t size, int* file, uint8_t** base);

}  // namespace daf
