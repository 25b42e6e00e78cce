// Bytes that every generic job needs at speed: lines of a chunk, text of packed records.
#pragma once

#include <cstddef>
#include <cstdint>

#include "native/base/status.h"

namespace daf {

// The lines of a chunk as pairs (offset, length) without their "\n" or "\r\n". A last line without
// newline counts only when `final`. Stops when `pairs` pairs are full; *consumed is where the next
// call goes on. Returns the number of lines. size < 4 GB.
size_t SplitLines(const uint8_t* chunk, size_t size, bool final, uint32_t* out, size_t pairs,
                  size_t* consumed);

// Packed records as lines `key separator value \n`. Whole pieces only; stops when the next one does
// not fit (a value in pieces is written piece by piece). Errors: kBadData.
Status FormatText(const uint8_t* batch, size_t size, const uint8_t* separator,
                  size_t separator_size, uint8_t* out, size_t capacity, size_t* consumed,
                  size_t* written, size_t* records);

// Fixed-size records as packed records: key bytes [0, key), value bytes [key, key + value) of each;
// what follows, such as a newline, is left out. Stops when `out` is full. *records of them were
// written.
void PackFixed(const uint8_t* data, size_t size, size_t record, size_t key, size_t value,
               uint8_t* out, size_t capacity, size_t* records);

}  // namespace daf
