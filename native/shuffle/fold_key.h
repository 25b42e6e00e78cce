// A key on its way through a fold. Most keys are words: their first sixteen bytes lie in two
// registers, so that hashing, comparing and copying them takes no branch on their length.
#pragma once

#include <cstddef>
#include <cstdint>

#include "native/shuffle/record.h"

namespace daf {

struct FoldKey {
  static constexpr size_t kHead = 16;  // bytes of it that lie in `head`

  const uint8_t* bytes = nullptr;
  size_t size = 0;
  uint64_t head[2] = {0, 0};  // the first bytes, zeros behind a shorter key
  uint64_t hash = 0;          // a fold's own: what it is decides no reducer

  // `readable`: kHead bytes may be read at `bytes`, whatever the size.
  static FoldKey Of(const uint8_t* bytes, size_t size, bool readable) {
    FoldKey key;
    key.bytes = bytes;
    key.size = size;
    if (readable) {
      const uint64_t* mask = Mask(size);
      key.head[0] = Load64(bytes) & mask[0];
      key.head[1] = Load64(bytes + 8) & mask[1];
    } else if (size < 8) {
      key.head[0] = LoadTail(bytes, size);
    } else {
      key.head[0] = Load64(bytes);
      key.head[1] = size < kHead ? LoadTail(bytes + 8, size - 8) : Load64(bytes + 8);
    }
    key.hash = Hash(key);
    return key;
  }

  // Whether `other`, of the same size, is what CopyTo wrote for the same key.
  bool Equals(const uint8_t* other) const {
    const uint64_t differ = (Load64(other) ^ head[0]) | (Load64(other + 8) ^ head[1]);
    if (differ != 0) return false;
    return size <= kHead || SameBytes(other + kHead, bytes + kHead, size - kHead);
  }

  // Writes the key, zeros behind a short one: kHead bytes at least.
  void CopyTo(uint8_t* to) const {
    Store64(to, head[0]);
    Store64(to + 8, head[1]);
    if (size > kHead) std::memcpy(to + kHead, bytes + kHead, size - kHead);
  }

 private:
  static const uint64_t* Mask(size_t size) {
    static constexpr uint64_t kAll = ~uint64_t{0};
    static constexpr uint64_t kMasks[kHead + 1][2] = {{0, 0},
                                                      {kAll >> 56, 0},
                                                      {kAll >> 48, 0},
                                                      {kAll >> 40, 0},
                                                      {kAll >> 32, 0},
                                                      {kAll >> 24, 0},
                                                      {kAll >> 16, 0},
                                                      {kAll >> 8, 0},
                                                      {kAll, 0},
                                                      {kAll, kAll >> 56},
                                                      {kAll, kAll >> 48},
                                                      {kAll, kAll >> 40},
                                                      {kAll, kAll >> 32},
                                                      {kAll, kAll >> 24},
                                                      {kAll, kAll >> 16},
                                                      {kAll, kAll >> 8},
                                                      {kAll, kAll}};
    return kMasks[size < kHead ? size : kHead];
  }

  // Multiply and fold, as HashKey does, two words at once; a longer key's other words follow.
  static uint64_t Hash(const FoldKey& key) {
    constexpr uint64_t kA = 0x9E3779B97F4A7C15ull, kB = 0xD6E8FEB86659FD93ull;
    uint64_t h = (key.head[0] + key.size) * kA ^ Turned(key.head[1] * kB);
    for (size_t at = kHead; at < key.size; at += 8) {
      const size_t left = key.size - at;
      h = (h ^ (left < 8 ? LoadTail(key.bytes + at, left) : Load64(key.bytes + at))) * kA;
      h ^= h >> 29;
    }
    h = (h ^ h >> 32) * 0xBF58476D1CE4E5B9ull;
    return h ^ h >> 32;
  }
  static uint64_t Turned(uint64_t word) { return word << 31 | word >> 33; }
};

}  // namespace daf
