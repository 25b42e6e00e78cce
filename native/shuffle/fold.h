// Folds what a map emits before it is sorted: the values of a key gather, a combiner makes fewer of
// them, and only what it leaves goes on. A key's values stay in the order of their emission, and
// where anything leaves depends on what is emitted and on the declared memory alone.
#pragma once

#include <vector>

#include "native/base/status.h"
#include "native/shuffle/fold_buckets.h"
#include "native/shuffle/fold_table.h"

namespace daf {

// Whoever owns a fold. Values are runs, as in a FoldTable's entry.
class FoldPort {
 public:
  virtual ~FoldPort() = default;
  // Writes what the combiner makes of a key's values, as runs, to *folded. False: stop.
  virtual bool Combine(const FoldTable::Entry& entry, const uint8_t* values, size_t size,
                       std::vector<uint8_t>* folded) = 0;
  // Takes values that leave the fold. last: nothing of the key follows before Settle. False: stop.
  virtual bool HandOn(const FoldTable::Entry& entry, const uint8_t* values, size_t size,
                      bool last) = 0;
  // Every key that was handed on as the last is through; it may come again. False: stop.
  virtual bool Settle() { return true; }
};

// Whether a task's fold is worth its work: each record that none takes drives out those that lie
// near it, so a few are borne, many are not. Depends on what was emitted alone.
class FoldGain {
 public:
  void Took() { ++taken_; }
  void Passed(size_t records) {
    passed_ += records;
    if (passed_ >= kFew && passed_ > taken_ / kPart) pays_ = false;
  }
  bool pays() const { return pays_; }

 private:
  static constexpr uint64_t kFew = 64;
  static constexpr uint64_t kPart = 32;
  uint64_t taken_ = 0;
  uint64_t passed_ = 0;
  bool pays_ = true;
};

class Fold {
 public:
  // `port` outlives the fold. combines: false when Combine is never to be called; values then only
  // gather by key.
  Fold(FoldPort* port, bool combines) : port_(port), combines_(combines) {}
  // Takes memory once: FoldTable::kLeastBytes … FoldTable::kMaxBytes. Errors: kMemory,
  // kBadArgument.
  Status Init(size_t bytes);
  bool ready() const { return table_.ready(); }
  // Forgets what is held.
  void Clear();
  // Others have to be handed on by the owner, after HandOnKey.
  static bool Takes(size_t key_size, size_t value_size) {
    return key_size <= FoldTable::kMaxKey && value_size <= FoldTable::kMaxValue;
  }
  // False as soon as the port says so; so do all that follow.
  [[gnu::always_inline]] bool Add(const FoldKey& key, const uint8_t* value, size_t value_size) {
    FoldTable::Entry* entry = table_.FindOrAdd(key);
    if (entry == nullptr) return PutAside(key, value, value_size);
    return table_.Add(entry, value, value_size) ||
           AddWithRoom(&table_, entry, value, value_size, 1);
  }
  // Hands on what is held of a key.
  bool HandOnKey(const FoldKey& key);
  bool HandOnAll();

 private:
  bool PutAside(const FoldKey& key, const uint8_t* value, size_t value_size);
  bool AddWithRoom(FoldTable* table, FoldTable::Entry* entry, const uint8_t* value, size_t size,
                   uint32_t times);
  bool FoldBucket(size_t bucket);
  bool FoldBucketsInPlace();
  bool HandOn(const FoldTable& table, FoldTable::Entry* entry, bool last);
  bool HandOnTable(FoldTable* table);
  bool CombineSeveral(FoldTable* table, FoldTable::Entry* entry);
  bool CombineEntry(FoldTable* table, FoldTable::Entry* entry);

  FoldPort* port_;
  bool combines_;
  FoldTable table_;
  FoldBuckets buckets_;          // of keys that the table had no room for
  FoldTable bucket_table_;       // of one bucket, while it is folded
  std::vector<uint8_t> folded_;  // what a combiner has made
};

}  // namespace daf
