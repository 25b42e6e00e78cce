// Sorts the index of a record buffer by (partition, key, emission order).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "native/base/control.h"
#include "native/base/status.h"

namespace daf {

// 16 bytes per record: most comparisons are decided without touching the record.
struct IndexEntry {
  uint64_t prefix;     // KeyPrefix of the key
  uint32_t offset;     // of the record in the buffer; grows with emission order
  uint16_t partition;  // < partitions
  uint16_t
      key_size;  // of the key, or kLongKey for that and more: short keys are never looked at again
};
constexpr uint16_t kLongKey = 0xFFFF;
inline uint16_t IndexKeySize(uint32_t size) {
  return static_cast<uint16_t>(size < kLongKey ? size : kLongKey);
}

// Stable MSD radix sort on the prefix, then on further eight-byte stretches of the key, insertion
// sort on small buckets. entries and scratch: count elements each; entries come in emission order
// and end sorted. bounds gets partitions + 1 positions: partition p is entries[bounds[p] ..
// bounds[p + 1]). Errors: kCancelled.
Status SortIndex(IndexEntry* entries, IndexEntry* scratch, size_t count, const uint8_t* buffer,
                 uint32_t partitions, const TaskControl& control, std::vector<size_t>* bounds);

}  // namespace daf
