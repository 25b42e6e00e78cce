// The packed record, the one format of records between JavaScript, plugins, buffers and segment
// files:
//
//   [u32 key size | flags][u32 value size | more][key][value]      little endian, no padding
//
// A value may come in pieces: every piece but the last has kMore in its value word, every piece but
// the first has kPiece and an empty key. Streams of groups mark the first piece of a group with
// kFirst and its last piece with kLast, so a reader needs neither look ahead nor hold the values of
// a key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/base/status.h"

namespace daf {

constexpr uint32_t kMaxKeyBytes = 1u << 20;  // 1 MB
constexpr uint32_t kMaxInlineValue = 8u
                                     << 20;  // above this a value is kept outside the sort buffer
constexpr size_t kRecordHeader = 8;

constexpr uint32_t kFirst = 1u << 31;  // key word: opens a group
constexpr uint32_t kLast = 1u << 30;   // key word: closes a group
constexpr uint32_t kPiece = 1u << 29;  // key word: continues the value of the record before
constexpr uint32_t kKeyMask = kPiece - 1;
constexpr uint32_t kMore = 1u << 31;  // value word: the value goes on in the next piece
constexpr uint32_t kValueMask = kMore - 1;

// A view of one piece; valid as long as the bytes it was parsed from.
struct Piece {
  const uint8_t* key = nullptr;
  const uint8_t* value = nullptr;
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  bool continues = false;  // kPiece
  bool more = false;       // kMore
  bool first = false;      // kFirst
  bool last = false;       // kLast
};

inline uint32_t Load32(const uint8_t* p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}
inline uint64_t Load64(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}
inline void Store32(uint8_t* p, uint32_t v) { std::memcpy(p, &v, 4); }
inline void Store64(uint8_t* p, uint64_t v) { std::memcpy(p, &v, 8); }

// n < 8 bytes as a little-endian number, without reading past them.
inline uint64_t LoadTail(const uint8_t* p, size_t n) {
  if (n >= 4) return uint64_t{Load32(p)} | uint64_t{Load32(p + n - 4)} << (8 * (n - 4));
  if (n == 0) return 0;
  return uint64_t{p[0]} | uint64_t{p[n >> 1]} << (8 * (n >> 1)) |
         uint64_t{p[n - 1]} << (8 * (n - 1));
}

// Whether two stretches of n bytes agree. For keys, most of which are short: a call of memcmp would
// cost more than the comparison.
inline bool SameBytes(const uint8_t* a, const uint8_t* b, size_t n) {
  if (n < 8) return LoadTail(a, n) == LoadTail(b, n);
  for (size_t i = 0; i + 8 < n; i += 8) {
    if (Load64(a + i) != Load64(b + i)) return false;
  }
  return Load64(a + n - 8) == Load64(b + n - 8);
}

// The first eight bytes of a key as a number that orders as memcmp does, shorter keys padded with
// zeros (so equal prefixes still need the lengths compared).
constexpr uint32_t kPrefixBytes = 8;
inline uint64_t KeyPrefix(const uint8_t* key, size_t size) {
  return __builtin_bswap64(size >= 8 ? Load64(key) : LoadTail(key, size));
}

// memcmp order; a key that is a prefix of the other comes first. <0, 0, >0.
inline int CompareKeys(const uint8_t* a, size_t a_size, const uint8_t* b, size_t b_size) {
  const size_t n = a_size < b_size ? a_size : b_size;
  const int order = n == 0 ? 0 : std::memcmp(a, b, n);
  if (order != 0) return order;
  return a_size < b_size ? -1 : a_size > b_size ? 1 : 0;
}

// Reads the piece at data[*pos] and moves *pos behind it. Errors: kBadData when it does not fit
// into `size` or its key is longer than kMaxKeyBytes; *pos is then unchanged.
inline Status ParsePiece(const uint8_t* data, size_t size, size_t* pos, Piece* out) {
  const size_t left = size - *pos;
  if (left < kRecordHeader)
    return Status(Code::kBadData, "a packed record is cut off in its header");
  const uint8_t* p = data + *pos;
  const uint32_t key_word = Load32(p);
  const uint32_t value_word = Load32(p + 4);
  out->key_size = key_word & kKeyMask;
  out->value_size = value_word & kValueMask;
  out->continues = (key_word & kPiece) != 0;
  out->first = (key_word & kFirst) != 0;
  out->last = (key_word & kLast) != 0;
  out->more = (value_word & kMore) != 0;
  if (out->key_size > kMaxKeyBytes) return Status(Code::kBadData, "a key is longer than 1 MB");
  if (left - kRecordHeader < size_t{out->key_size} + out->value_size) {
    return Status(Code::kBadData, "a packed record is cut off");
  }
  out->key = p + kRecordHeader;
  out->value = out->key + out->key_size;
  *pos += kRecordHeader + out->key_size + out->value_size;
  return Status::Ok();
}

// Stable 64-bit hash of a key: the same on every machine and in every version, because it decides
// which reducer sees a key. Multiply-and-fold over 8-byte words, the last one zero-padded, then a
// finaliser.
inline uint64_t HashKey(const uint8_t* key, size_t size) {
  constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15ull;
  uint64_t h = kMultiplier ^ (uint64_t{size} * 0xD6E8FEB86659FD93ull);
  size_t n = size;
  for (; n >= 8; n -= 8, key += 8) {
    h = (h ^ Load64(key)) * kMultiplier;
    h ^= h >> 29;
  }
  if (n != 0) {
    h = (h ^ LoadTail(key, n)) * kMultiplier;
    h ^= h >> 29;
  }
  h *= 0xBF58476D1CE4E5B9ull;
  h ^= h >> 32;
  return h;
}

// The reducer of a key: HashKey scaled to [0, partitions). Grouping by the first `prefix` bytes (0:
// whole key) hashes those alone, so that a group stays together.
inline uint32_t PartitionOf(const uint8_t* key, size_t size, uint32_t partitions,
                            uint32_t prefix = 0) {
  if (partitions == 1) return 0;
  if (prefix != 0 && size > prefix) size = prefix;
  return static_cast<uint32_t>(((HashKey(key, size) >> 32) * partitions) >> 32);
}

}  // namespace daf
