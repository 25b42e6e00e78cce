#include "native/shuffle/text.h"

#include <algorithm>
#include <cstring>

#include "native/shuffle/record.h"

namespace daf {

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

Status FormatText(const uint8_t* batch, size_t size, const uint8_t* separator,
                  size_t separator_size, uint8_t* out, size_t capacity, size_t* consumed,
                  size_t* written, size_t* records) {
  *consumed = *written = *records = 0;
  for (size_t at = 0; at < size;) {
    Piece piece;
    DAF_RETURN_IF_ERROR(ParsePiece(batch, size, &at, &piece));
    const size_t need = (piece.continues ? 0 : piece.key_size + separator_size) + piece.value_size +
                        (piece.more ? 0 : 1);
    if (capacity - *written < need) return Status::Ok();
    uint8_t* p = out + *written;
    if (!piece.continues) {
      ++*records;
      std::memcpy(p, piece.key, piece.key_size);
      p += piece.key_size;
      std::memcpy(p, separator, separator_size);
      p += separator_size;
    }
    std::memcpy(p, piece.value, piece.value_size);
    p += piece.value_size;
    if (!piece.more) *p++ = '\n';
    *written += need;
    *consumed = at;
  }
  return Status::Ok();
}

void PackFixed(const uint8_t* data, size_t size, size_t record, size_t key, size_t value,
               uint8_t* out, size_t capacity, size_t* records) {
  const size_t packed = kRecordHeader + key + value;
  const size_t count = std::min(size / record, capacity / packed);
  for (size_t i = 0; i < count; ++i, data += record, out += packed) {
    Store32(out, static_cast<uint32_t>(key));
    Store32(out + 4, static_cast<uint32_t>(value));
    std::memcpy(out + kRecordHeader, data, key + value);
  }
  *records = count;
}

}  // namespace daf
