// What a map has emitted and not handed on yet: the values of each key, short ones, in one block of
// memory of declared size. A combiner turns the values of a key into fewer whenever their area is
// full, so that what leaves a map are its survivors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/base/status.h"
#include "native/shuffle/buffer.h"
#include "native/shuffle/record.h"

namespace daf {

class FoldTable {
 public:
  static constexpr size_t kMaxKey = 1024;
  static constexpr size_t kMaxValue = 254;  // a length is one byte
  static constexpr size_t kMaxArea = 4096;  // a key's values are handed on rather than held in more
  // An area as large as this is combined before it grows: short ones would call the combiner for
  // every other value.
  static constexpr size_t kCombineFrom = 32;
  static constexpr size_t kLeastBytes = 64u << 10;
  static constexpr size_t kMaxBytes = 32u << 20;
  struct Entry {
    uint32_t values;  // where they are: [u8 size][bytes] for each, in the order of emission
    uint32_t next;    // entry, in the order of first emission; 0: none
    uint16_t key_size;
    uint16_t used;                                                               // bytes of values
    uint16_t capacity;                                                           // up to kMaxArea
    const char* key() const { return reinterpret_cast<const char*>(this + 1); }  // and a NUL
  };

  // Takes memory once: kLeastBytes … kMaxBytes. Errors: kMemory, kBadArgument.
  Status Init(size_t bytes);
  bool ready() const { return slots_ != nullptr; }
  void Clear();

  // `hash`: HashKey of the key.
  // Null when there is no such key.
  Entry* Find(uint64_t hash, const uint8_t* key, size_t size) const {
    return At(Place(slots_[SlotOf(hash, key, size)]));
  }
  // Null when the table is full. key: at most kMaxKey bytes.
  Entry* FindOrAdd(uint64_t hash, const uint8_t* key, size_t size) {
    Slot& slot = slots_[SlotOf(hash, key, size)];
    if (slot != 0) return At(Place(slot));
    return count_ < most_ ? Insert(&slot, hash, key, size) : nullptr;
  }
  // False when the entry's area has no room. size: at most kMaxValue.
  bool Add(Entry* entry, const uint8_t* value, size_t size) {
    if (entry->used + 1 + size > entry->capacity) return false;
    uint8_t* p = Values(*entry) + entry->used;
    *p = static_cast<uint8_t>(size);
    if (size == 1) {
      p[1] = *value;
    } else if (size != 0) {
      std::memcpy(p + 1, value, size);
    }
    entry->used = static_cast<uint16_t>(entry->used + 1 + size);
    return true;
  }
  uint8_t* Values(const Entry& entry) const { return memory_.data() + entry.values; }
  // Gives the entry a larger area; false when the table is full or the area as large as it gets.
  bool Grow(Entry* entry);

  Entry* First() const { return At(first_); }
  Entry* Next(const Entry& entry) const { return At(entry.next); }

 private:
  // Ten bits of the hash above the entry's place in units of 8 bytes; 0: empty. Small slots leave
  // the caches to the entries.
  using Slot = uint32_t;
  static constexpr int kPlaceBits = 22;
  static Slot Tag(uint64_t hash) { return static_cast<Slot>(hash >> 32) >> kPlaceBits; }
  static size_t Place(Slot slot) { return (slot & ((1u << kPlaceBits) - 1)) * size_t{8}; }
  Entry* At(size_t place) const {
    return place == 0 ? nullptr : reinterpret_cast<Entry*>(memory_.data() + place);
  }
  // Where the key is, or the empty slot where it would be.
  size_t SlotOf(uint64_t hash, const uint8_t* key, size_t size) const {
    for (size_t at = static_cast<size_t>(hash) & mask_;; at = (at + 1) & mask_) {
      const Slot slot = slots_[at];
      if (slot == 0) return at;
      if (slot >> kPlaceBits != Tag(hash)) continue;
      const Entry* entry = At(Place(slot));
      if (entry->key_size == size &&
          SameBytes(reinterpret_cast<const uint8_t*>(entry->key()), key, size))
        return at;
    }
  }
  Entry* Insert(Slot* slot, uint64_t hash, const uint8_t* key, size_t size);
  size_t Take(size_t bytes);  // its place; 0: full

  ByteBuffer memory_;
  Slot* slots_ = nullptr;
  size_t mask_ = 0;
  size_t begin_ = 0;  // of entries and areas in memory_
  size_t used_ = 0;   // up to where they go
  size_t count_ = 0;
  size_t most_ = 0;  // keys
  uint32_t first_ = 0;
  uint32_t last_ = 0;
};

}  // namespace daf
