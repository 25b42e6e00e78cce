// Records put aside by the hash of their key: written one after another, and read again bucket by
// bucket, each with few enough keys for a table that stays in the caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "native/base/status.h"
#include "native/shuffle/buffer.h"
#include "native/shuffle/fold_table.h"

namespace daf {

class FoldBuckets {
 public:
  static constexpr size_t kCount = 64;
  static constexpr size_t kChunk = 8u << 10;  // takes the longest key with its values
  static constexpr size_t kLeastBytes = 2 * kCount * kChunk;

  // Takes memory once. Errors: kMemory, kBadArgument (below kLeastBytes).
  Status Init(size_t bytes);
  bool ready() const { return memory_.size() != 0; }
  void Clear();
  // Bits that neither a FoldTable's slots nor its tags are chosen by.
  static size_t BucketOf(uint64_t hash) { return (hash >> 24) % kCount; }

  // `values`: as in a FoldTable's entry. The record has to fit into a chunk. False when there is no
  // room for it.
  bool Add(size_t bucket, const FoldKey& key, const void* values, size_t size) {
    uint8_t* p = Room(bucket, key, size);
    if (p == nullptr) return false;
    if (size != 0) std::memcpy(p, values, size);
    return true;
  }
  // The same for one value.
  bool AddOne(size_t bucket, const FoldKey& key, const uint8_t* value, size_t value_size) {
    uint8_t* p = Room(bucket, key, value_size + FoldTable::kRunBytes);
    if (p == nullptr) return false;
    (void)FoldTable::WriteRun(p, value, value_size, 1);
    return true;
  }

  // Calls visit(FoldKey, values, size) for the records of a bucket in their order and leaves
  // it empty, its memory free for others after each chunk. False as soon as visit says so.
  template <typename Visit>
  bool Drain(size_t bucket, Visit visit) {
    const Tail tail = tails_[bucket];
    tails_[bucket] = {};
    for (uint32_t chunk = tail.first; chunk != kNone;) {
      uint8_t* base = memory_.data() + size_t{chunk} * kChunk;
      const uint32_t next = Load32(base);
      const uint8_t* end = next == kNone ? tail.at : base + Load32(base + 4);
      for (const uint8_t* p = base + kChunkHead; p != end;) {
        const size_t key_size = Load32(p) & 0xFFFF, size = Load32(p) >> 16;
        const uint8_t* key = p + kHead;
        if (!visit(FoldKey::Of(key, key_size, true), key + key_size, size)) return false;
        p = key + key_size + size;
      }
      free_.push_back(chunk);
      chunk = next;
    }
    return true;
  }

  size_t free_chunks() const { return free_.size(); }
  size_t chunks() const { return memory_.size() / kChunk; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kHead = 4;       // [u16 key size][u16 size of the values]
  static constexpr size_t kChunkHead = 8;  // [u32 next chunk][u32 bytes used, once there is one]
  static constexpr size_t kSlack = FoldKey::kHead;  // at a chunk's end, read and written with a key
  struct Tail {
    uint8_t* at = nullptr;
    size_t left = 0;
    uint32_t first = kNone;
    uint32_t last = kNone;
  };
  bool Extend(Tail* tail);
  // Writes the head and the key of a record; returns where its values go, null for no room.
  uint8_t* Room(size_t bucket, const FoldKey& key, size_t size) {
    const size_t need = kHead + key.size + size;
    Tail& tail = tails_[bucket];
    if (tail.left < need && !Extend(&tail)) return nullptr;
    uint8_t* p = tail.at;
    Store32(p, static_cast<uint32_t>(key.size | size << 16));
    key.CopyTo(p + kHead);
    tail.at += need;
    tail.left -= need;
    return p + kHead + key.size;
  }

  ByteBuffer memory_;
  std::vector<uint32_t> free_;
  Tail tails_[kCount];
};

}  // namespace daf
