// What a map has emitted and not handed on yet: the values of each key, short ones, in one block of
// memory of declared size. Equal values one after another are one run: counts are mostly ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/base/status.h"
#include "native/shuffle/buffer.h"
#include "native/shuffle/fold_key.h"

namespace daf {

class FoldTable {
 public:
  static constexpr size_t kMaxKey = 1024;
  static constexpr size_t kMaxValue = 254;  // a length is one byte
  static constexpr size_t kRunBytes = 3;    // of a run beside its value
  static constexpr size_t kMaxArea = 4096;  // a key's values are handed on rather than held in more
  static constexpr size_t kFirstArea = 16;  // a sum and the value after it
  // An area as large as this is combined before it grows: short ones would call the combiner for
  // every other value.
  static constexpr size_t kCombineFrom = 32;
  // Slots that a key is looked for in. Keys made to have one hash would otherwise be compared with
  // all before them; a key beyond them finds the table full. Others need far fewer.
  static constexpr size_t kMostProbes = 128;
  static constexpr size_t kLeastBytes = 64u << 10;
  static constexpr size_t kMaxBytes = 32u << 20;
  struct Entry {
    uint32_t values;  // where its runs are, [u8 size][bytes][u16 times] each, in the order of
                      // emission
    uint32_t next;    // entry, in the order of first emission; 0: none
    uint16_t key_size;
    uint16_t used;      // bytes of values
    uint16_t capacity;  // up to kMaxArea
    uint16_t last;      // run in values
    // And a NUL. FoldKey::kHead bytes at least, zeros behind a short one. It lies behind the first
    // area: it is read in whole words, and the processor would wait for bytes written a moment ago.
    const char* key() const { return reinterpret_cast<const char*>(this + 1) + kFirstArea; }
    FoldKey fold_key() const {
      return FoldKey::Of(reinterpret_cast<const uint8_t*>(key()), key_size, true);
    }
  };
  // A value that came `times` times in a row.
  struct Run {
    const uint8_t* value;
    size_t size;
    uint32_t times;
  };

  // Takes memory once: kLeastBytes … kMaxBytes. Errors: kMemory, kBadArgument.
  Status Init(size_t bytes);
  bool ready() const { return slots_ != nullptr; }
  void Clear();

  // Null when there is no such key.
  Entry* Find(const FoldKey& key) const {
    const Slot* slot = SlotOf(key);
    return slot == nullptr ? nullptr : At(Place(*slot));
  }
  // Null when the table is full, for this key or for any; it stays so until Clear. key: at most
  // kMaxKey bytes.
  Entry* FindOrAdd(const FoldKey& key) {
    Slot* slot = SlotOf(key);
    if (slot == nullptr) return nullptr;
    if (*slot != 0) return At(Place(*slot));
    return count_ < most_ ? Insert(slot, key) : nullptr;
  }
  // Adds a value `times` times. False when the entry's area has no room. size: at most kMaxValue,
  // times: 1 … 65535.
  bool Add(Entry* entry, const uint8_t* value, size_t size, uint32_t times = 1) {
    uint8_t* const values = Values(*entry);
    uint8_t* const last = values + entry->last;
    if (entry->used != 0 && *last == size && SameValue(last + 1, value, size)) {
      const uint32_t sum = Load16(last + 1 + size) + times;
      if (sum <= UINT16_MAX) {
        Store16(last + 1 + size, sum);
        return true;
      }
    }
    if (entry->used + size + kRunBytes > entry->capacity) return false;
    entry->last = entry->used;
    entry->used =
        static_cast<uint16_t>(entry->used + WriteRun(values + entry->used, value, size, times));
    return true;
  }
  uint8_t* Values(const Entry& entry) const { return memory_.data() + entry.values; }
  bool HasRuns(const Entry& entry) const {  // several
    return entry.used != 0 && entry.used > *Values(entry) + kRunBytes;
  }
  bool HasSeveral(const Entry& entry) const {
    return HasRuns(entry) || (entry.used != 0 && Load16(Values(entry) + 1 + *Values(entry)) > 1);
  }
  // Gives the entry a larger area; false when the table is full or the area as large as it gets.
  bool Grow(Entry* entry);

  Entry* First() const { return At(first_); }
  Entry* Next(const Entry& entry) const { return At(entry.next); }

  // Both return how long the run is: size + kRunBytes.
  static size_t ReadRun(const uint8_t* from, Run* run) {
    *run = {from + 1, *from, Load16(from + 1 + *from)};
    return *from + kRunBytes;
  }
  static size_t WriteRun(uint8_t* to, const uint8_t* value, size_t size, uint32_t times) {
    *to = static_cast<uint8_t>(size);
    if (size == 1) {
      to[1] = *value;
    } else if (size != 0) {
      std::memcpy(to + 1, value, size);
    }
    Store16(to + 1 + size, times);
    return size + kRunBytes;
  }

 private:
  // Ten bits of the hash above the entry's place in units of 8 bytes; 0: empty. Small slots leave
  // the caches to the entries.
  using Slot = uint32_t;
  static constexpr int kPlaceBits = 22;
  static Slot Tag(uint64_t hash) { return static_cast<Slot>(hash >> 32) >> kPlaceBits; }
  static size_t Place(Slot slot) { return (slot & ((1u << kPlaceBits) - 1)) * size_t{8}; }
  static uint32_t Load16(const uint8_t* p) {
    uint16_t v;
    std::memcpy(&v, p, 2);
    return v;
  }
  static void Store16(uint8_t* p, uint32_t value) {
    const uint16_t v = static_cast<uint16_t>(value);
    std::memcpy(p, &v, 2);
  }
  static bool SameValue(const uint8_t* a, const uint8_t* b, size_t size) {
    return size == 1 ? *a == *b : SameBytes(a, b, size);
  }
  Entry* At(size_t place) const {
    return place == 0 ? nullptr : reinterpret_cast<Entry*>(memory_.data() + place);
  }
  // Where the key is, or the empty slot where it would be; null when there is neither.
  Slot* SlotOf(const FoldKey& key) const {
    size_t at = static_cast<size_t>(key.hash) & mask_;
    for (size_t left = kMostProbes; left != 0; --left, at = (at + 1) & mask_) {
      const Slot slot = slots_[at];
      if (slot == 0) return slots_ + at;
      if (slot >> kPlaceBits != Tag(key.hash)) continue;
      const Entry* entry = At(Place(slot));
      if (entry->key_size == key.size && key.Equals(reinterpret_cast<const uint8_t*>(entry->key())))
        return slots_ + at;
    }
    return nullptr;
  }
  Entry* Insert(Slot* slot, const FoldKey& key);
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
