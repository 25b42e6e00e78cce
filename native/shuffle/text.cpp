#include "native/shuffle/text.h"

#include <algorithm>
#include <cstring>

#include "native/shuffle/record.h"

namespace daf {

uint64_t CountLines(const uint8_t* chunk, size_t size) {
  // In stretches whose count fits into a byte: the compiler then counts many bytes at once.
  uint64_t lines = 0;
  for (size_t at = 0; at < size;) {
    const size_t end = size - at < 255 ? size : at + 255;
    uint8_t here = 0;
    for (; at < end; ++at) here = static_cast<uint8_t>(here + (chunk[at] == '\n'));
    lines += here;
  }
  return lines + (size != 0 && chunk[size - 1] != '\n');
}

size_t SplitLines(const uint8_t* chunk, size_t size, bool final, uint32_t* out, size_t pairs,
                  size_t* consumed) {
  size_t at = 0, lines = 0;
  while (at < size && lines < pairs) {
    const void* newline = std::memchr(chunk + at, '\n', size - at);
    if (newline == nullptr && !final) break;
    size_t end = newline == nullptr
                     ? size
                     : static_cast<size_t>(static_cast<const uint8_t*>(newline) - chunk);
    const size_t next = newline == nullptr ? size : end + 1;
    if (newline != nullptr && end > at && chunk[end - 1] == '\r') --end;
    out[2 * lines] = static_cast<uint32_t>(at);
    out[2 * lines + 1] = static_cast<uint32_t>(end - at);
    ++lines;
    at = next;
  }
  *consumed = at;
  return lines;
}

Status FormatRecords(const uint8_t* batch, size_t size, const RecordFormat& format, uint8_t* out,
                     size_t capacity, size_t* consumed, size_t* written, size_t* records) {
  *consumed = *written = *records = 0;
  for (size_t at = 0; at < size;) {
    Piece piece;
    DAF_RETURN_IF_ERROR(ParsePiece(batch, size, &at, &piece));
    const bool key = format.keys && !piece.continues;
    const bool newline = format.newline && !piece.more;
    const size_t need =
        (key ? piece.key_size + format.separator_size : 0) + piece.value_size + (newline ? 1 : 0);
    if (capacity - *written < need) return Status::Ok();
    uint8_t* p = out + *written;
    if (key) {
      std::memcpy(p, piece.key, piece.key_size);
      p += piece.key_size;
      if (format.separator_size != 0) std::memcpy(p, format.separator, format.separator_size);
      p += format.separator_size;
    }
    std::memcpy(p, piece.value, piece.value_size);
    p += piece.value_size;
    if (newline) *p++ = '\n';
    if (!piece.continues) ++*records;
    *written += need;
    *consumed = at;
  }
  return Status::Ok();
}

size_t PackSpans(const uint8_t* data, const uint32_t* spans, size_t count, size_t key, uint8_t* out,
                 size_t capacity, size_t* written) {
  *written = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t size = spans[2 * i + 1];
    if (capacity - *written < kRecordHeader + size) return i;
    const size_t key_size = key == 0 ? size : std::min(key, size);
    uint8_t* p = out + *written;
    Store32(p, static_cast<uint32_t>(key_size));
    Store32(p + 4, static_cast<uint32_t>(size - key_size));
    if (size != 0) std::memcpy(p + kRecordHeader, data + spans[2 * i], size);
    *written += kRecordHeader + size;
  }
  return count;
}

}  // namespace daf
