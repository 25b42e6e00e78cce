// Any bytes as packed records, as plugins hand them over.
#include "native/shuffle/record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace daf;
  uint64_t sum = 0;
  for (size_t at = 0; at < size;) {
    Piece piece;
    const size_t before = at;
    if (!ParsePiece(data, size, &at, &piece).ok()) break;
    if (at <= before || at > size) __builtin_trap();
    sum += KeyPrefix(piece.key, piece.key_size) + HashKey(piece.key, piece.key_size);
    for (uint32_t i = 0; i < piece.value_size; ++i) sum += piece.value[i];
  }
  volatile uint64_t sink = sum;
  (void)sink;
  return 0;
}
