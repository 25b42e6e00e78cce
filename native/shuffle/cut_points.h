// Range partitioning for total order. A cut point is a key and a place: the place breaks ties, so
// that records of one key may span partitions and still leave them in the order they came.
#pragma once

#include <vector>

#include "native/shuffle/buffer.h"
#include "native/shuffle/record.h"

namespace daf {

// Where a record stands among all that a step maps: records of one split by position, splits by
// number.
struct Place {
  uint32_t split = 0;
  uint64_t at = 0;
};
constexpr size_t kPlaceBytes = 12;  // u32 split, u64 position, little endian

class CutPoints {
 public:
  // Packed records in ascending order: the key, and a value that begins with the place. They are
  // copied. Errors: kBadData (not packed, not ascending, a value without a place), kMemory.
  Status Init(const uint8_t* packed, size_t size);
  size_t size() const { return cuts_.size(); }
  // How many cut points stand at or before the record: its partition, 0 … size().
  uint32_t PartitionOf(const uint8_t* key, size_t key_size, const Place& place) const;
  // The partition of every record of a batch from one split. at, out: `count` positions and
  // partitions, one a record. Errors: kBadData, kBadArgument when the batch has not `count`
  // records.
  Status Partition(const uint8_t* batch, size_t size, uint32_t split, const double* at,
                   size_t count, uint32_t* out) const;

 private:
  struct Cut {
    uint64_t prefix;
    const uint8_t* key;
    uint32_t key_size;
    Place place;
  };
  // <0: the cut stands before the record, >0: after it. 0: at it.
  static int Compare(const Cut& cut, uint64_t prefix, const uint8_t* key, size_t key_size,
                     const Place& place);

  ByteBuffer bytes_;
  std::vector<Cut> cuts_;
};

}  // namespace daf
