#include "native/shuffle/fold.h"

#include <cstring>

namespace daf {
namespace {
// From so much memory on, the keys that came first, and with them the frequent ones, have a table
// that stays in the caches; those of all others would lie anywhere in a large one, so that nearly
// each access went to memory. They are put aside by their hash instead and folded bucket by bucket.
constexpr size_t kBucketsFrom = 6u << 20;
constexpr size_t kFrequentBytes = 640u << 10;
constexpr size_t kBucketTableBytes = 1280u << 10;
}  // namespace

Status Fold::Init(size_t bytes) {
  if (bytes < kBucketsFrom) return table_.Init(bytes);
  if (bytes > FoldTable::kMaxBytes) return Status(Code::kBadArgument, "a fold has 64 KB to 32 MB");
  DAF_RETURN_IF_ERROR(table_.Init(kFrequentBytes));
  DAF_RETURN_IF_ERROR(bucket_table_.Init(kBucketTableBytes));
  return buckets_.Init(bytes - kFrequentBytes - kBucketTableBytes);
}

void Fold::Clear() {
  table_.Clear();
  if (!buckets_.ready()) return;
  bucket_table_.Clear();
  buckets_.Clear();
}

// A key is either in the table or in a bucket until all is handed on: the table that had no room
// for it once has none later.
bool Fold::PutAside(const FoldKey& key, const uint8_t* value, size_t value_size) {
  if (buckets_.ready()) {
    const size_t bucket = FoldBuckets::BucketOf(key.hash);
    if (buckets_.AddOne(bucket, key, value, value_size)) return true;
    if (!FoldBucketsInPlace()) return false;
    if (buckets_.AddOne(bucket, key, value, value_size)) return true;
  }
  return HandOnAll() && Add(key, value, value_size);
}

// Adds values whose entry has no room for them: those there are combined, get more room, or leave.
bool Fold::AddWithRoom(FoldTable* table, FoldTable::Entry* entry, const uint8_t* value, size_t size,
                       uint32_t times) {
  for (;;) {
    if (table->Add(entry, value, size, times)) return true;
    const bool small = entry->capacity < FoldTable::kCombineFrom;
    if (!small && combines_) {
      if (!CombineEntry(table, entry)) return false;
      // Otherwise the next value or two would bring it here again.
      const bool worked = 2 * size_t{entry->used} <= entry->capacity;
      if (worked && table->Add(entry, value, size, times)) return true;
    }
    if (table->Grow(entry)) continue;
    if (small && combines_) {
      if (!CombineEntry(table, entry)) return false;
      if (table->Add(entry, value, size, times)) return true;
    }
    if (!HandOn(*table, entry, false)) return false;
    if (size + FoldTable::kRunBytes > entry->capacity) {
      uint8_t run[FoldTable::kMaxValue + FoldTable::kRunBytes];
      const size_t bytes = FoldTable::WriteRun(run, value, size, times);
      return port_->HandOn(*entry, run, bytes, false);
    }
  }
}

// Takes the records of a bucket into the table for one bucket, which is empty before.
bool Fold::FoldBucket(size_t bucket) {
  return buckets_.Drain(bucket, [this](const FoldKey& key, const uint8_t* values, size_t size) {
    FoldTable::Entry* entry = bucket_table_.FindOrAdd(key);
    if (entry == nullptr) {
      if (!HandOnTable(&bucket_table_)) return false;
      entry = bucket_table_.FindOrAdd(key);
    }
    for (size_t at = 0; at < size;) {
      FoldTable::Run run;
      at += FoldTable::ReadRun(values + at, &run);
      if (!bucket_table_.Add(entry, run.value, run.size, run.times) &&
          !AddWithRoom(&bucket_table_, entry, run.value, run.size, run.times))
        return false;
    }
    return true;
  });
}

// Leaves what is in every bucket once a key. Where that gives little room, all is handed on: the
// next time would come soon.
bool Fold::FoldBucketsInPlace() {
  for (size_t bucket = 0; bucket < FoldBuckets::kCount; ++bucket) {
    if (!FoldBucket(bucket)) return false;
    for (FoldTable::Entry* entry = bucket_table_.First(); entry != nullptr;
         entry = bucket_table_.Next(*entry)) {
      // One run takes little room however long it is.
      if (bucket_table_.HasRuns(*entry) && !CombineSeveral(&bucket_table_, entry)) return false;
      if (entry->used != 0 &&
          !buckets_.Add(bucket, entry->fold_key(), bucket_table_.Values(*entry), entry->used) &&
          !HandOn(bucket_table_, entry, false))
        return false;
    }
    bucket_table_.Clear();
  }
  return 2 * buckets_.free_chunks() >= buckets_.chunks() || HandOnAll();
}

bool Fold::HandOnKey(const FoldKey& key) {
  if (key.size > FoldTable::kMaxKey) return true;
  FoldTable::Entry* entry = table_.Find(key);
  if (entry != nullptr) return HandOn(table_, entry, true) && port_->Settle();
  return !buckets_.ready() ||
         (FoldBucket(FoldBuckets::BucketOf(key.hash)) && HandOnTable(&bucket_table_));
}

bool Fold::HandOn(const FoldTable& table, FoldTable::Entry* entry, bool last) {
  const size_t used = entry->used;
  entry->used = 0;
  return used == 0 || port_->HandOn(*entry, table.Values(*entry), used, last);
}

bool Fold::HandOnTable(FoldTable* table) {
  for (FoldTable::Entry* entry = table->First(); entry != nullptr; entry = table->Next(*entry)) {
    if (!CombineSeveral(table, entry) || !HandOn(*table, entry, true)) return false;
  }
  table->Clear();
  return port_->Settle();
}

bool Fold::HandOnAll() {
  if (!HandOnTable(&table_)) return false;
  for (size_t bucket = 0; buckets_.ready() && bucket < FoldBuckets::kCount; ++bucket) {
    if (!FoldBucket(bucket) || !HandOnTable(&bucket_table_)) return false;
  }
  return true;
}

bool Fold::CombineSeveral(FoldTable* table, FoldTable::Entry* entry) {
  return !combines_ || !table->HasSeveral(*entry) || CombineEntry(table, entry);
}

// Replaces the values of an entry by what the combiner makes of them.
bool Fold::CombineEntry(FoldTable* table, FoldTable::Entry* entry) {
  folded_.clear();
  if (!port_->Combine(*entry, table->Values(*entry), entry->used, &folded_)) return false;
  entry->used = entry->last = 0;
  if (folded_.size() > entry->capacity) {
    return port_->HandOn(*entry, folded_.data(), folded_.size(), false);
  }
  for (size_t at = 0; at < folded_.size();) {
    FoldTable::Run run;
    at += FoldTable::ReadRun(folded_.data() + at, &run);
    (void)table->Add(entry, run.value, run.size, run.times);  // takes no more than it did there
  }
  return true;
}

}  // namespace daf
