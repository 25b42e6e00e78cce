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

// The lines of a chunk, a last one without newline included.
uint64_t CountLines(const uint8_t* chunk, size_t size);

// How records become bytes of a part file: `[key separator] value [\n]`.
struct RecordFormat {
  bool keys = true;
  const uint8_t* separator = nullptr;  // between key and value
  size_t separator_size = 0;
  bool newline = true;
};

// Packed records as formatted bytes. Whole pieces only; stops when the next one does not fit (a
// value in pieces is written piece by piece). Errors: kBadData.
Status FormatRecords(const uint8_t* batch, size_t size, const RecordFormat& format, uint8_t* out,
                     size_t capacity, size_t* consumed, size_t* written, size_t* records);

// Spans (offset, length) of a block as packed records: the first `key` bytes of each are the key
// (0: all of them), the rest the value. Stops when `out` is full; returns how many were written.
// Spans lie within the block.
size_t PackSpans(const uint8_t* data, const uint32_t* spans, size_t count, size_t key, uint8_t* out,
                 size_t capacity, size_t* written);

}  // namespace daf
