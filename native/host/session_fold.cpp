// PluginSession: folds what a map emits with the plugin's own combiner before anything leaves.
#include <cstring>

#include "native/host/callbacks.h"
#include "native/host/session.h"

namespace daf {
namespace {
// From so much memory on, the keys that came first, and with them the frequent ones, have a table
// that stays in the caches; those of all others would lie anywhere in a large one, so that nearly
// each access went to memory. They are put aside by their hash instead and folded bucket by bucket.
constexpr size_t kBucketsFrom = 6u << 20;
constexpr size_t kFrequentBytes = 512u << 10;
constexpr size_t kBucketTableBytes = 2u << 20;
}  // namespace

Status PluginSession::PrepareFold(const PluginCall& call) {
  fold_ = call.fold_bytes != 0 && plugin_.combine != nullptr &&
          (call.work == PluginWork::kMap || call.work == PluginWork::kMapEnd);
  if (!fold_) return Status::Ok();
  if (!table_.ready()) {
    const size_t bytes = static_cast<size_t>(call.fold_bytes);
    if (bytes < kBucketsFrom) {
      DAF_RETURN_IF_ERROR(table_.Init(bytes));
    } else {
      DAF_RETURN_IF_ERROR(table_.Init(kFrequentBytes));
      DAF_RETURN_IF_ERROR(bucket_table_.Init(kBucketTableBytes));
      DAF_RETURN_IF_ERROR(buckets_.Init(bytes - kFrequentBytes - kBucketTableBytes));
    }
  }
  if (call.begin) {  // what a task left that did not end
    table_.Clear();
    if (buckets_.ready()) {
      bucket_table_.Clear();
      buckets_.Clear();
    }
  }
  return Status::Ok();
}

// A key is either in the table or in a bucket until all is handed on: the table that had no room
// for it once has none later.
bool PluginSession::Fold(const uint8_t* key, size_t key_size, const uint8_t* value,
                         size_t value_size) {
  const uint64_t hash = HashKey(key, key_size);
  FoldTable::Entry* entry = table_.FindOrAdd(hash, key, key_size);
  if (entry != nullptr)
    return table_.Add(entry, value, value_size) || AddWithRoom(&table_, entry, value, value_size);
  if (buckets_.ready()) {
    uint8_t values[1 + FoldTable::kMaxValue];
    values[0] = static_cast<uint8_t>(value_size);
    if (value_size != 0) std::memcpy(values + 1, value, value_size);
    const size_t bucket = FoldBuckets::BucketOf(hash);
    if (buckets_.Add(bucket, key, key_size, values, 1 + value_size)) return true;
    if (!FoldBucketsInPlace()) return false;
    if (buckets_.Add(bucket, key, key_size, values, 1 + value_size)) return true;
  }
  return HandOnAll() && Fold(key, key_size, value, value_size);
}

// Adds a value whose entry has no room for it: its values are combined, get more room, or leave.
bool PluginSession::AddWithRoom(FoldTable* table, FoldTable::Entry* entry, const uint8_t* value,
                                size_t value_size) {
  for (;;) {
    if (table->Add(entry, value, value_size)) return true;
    const bool small = entry->capacity < FoldTable::kCombineFrom;
    if (!small) {
      if (!CombineEntry(table, entry)) return false;
      // Otherwise the next value or two would bring it here again.
      const bool worked = 2 * size_t{entry->used} <= entry->capacity;
      if (worked && table->Add(entry, value, value_size)) return true;
    }
    if (table->Grow(entry)) continue;
    if (small) {
      if (!CombineEntry(table, entry)) return false;
      if (table->Add(entry, value, value_size)) return true;
    }
    if (!HandOn(*table, entry)) return false;
    if (1 + value_size > entry->capacity) {
      const uint8_t* key = reinterpret_cast<const uint8_t*>(entry->key());
      return Room(kRecordHeader + entry->key_size + value_size) &&
             Append(key, entry->key_size, value, value_size, false, false);
    }
  }
}

// Takes the records of a bucket into the table for one bucket, which is empty before.
bool PluginSession::FoldBucket(size_t bucket) {
  return buckets_.Drain(
      bucket, [this](const uint8_t* key, size_t key_size, const uint8_t* values, size_t size) {
        const uint64_t hash = HashKey(key, key_size);
        FoldTable::Entry* entry = bucket_table_.FindOrAdd(hash, key, key_size);
        if (entry == nullptr) {
          if (!HandOnTable(&bucket_table_)) return false;
          entry = bucket_table_.FindOrAdd(hash, key, key_size);
        }
        for (size_t at = 0; at < size; at += 1 + size_t{values[at]}) {
          if (!bucket_table_.Add(entry, values + at + 1, values[at]) &&
              !AddWithRoom(&bucket_table_, entry, values + at + 1, values[at]))
            return false;
        }
        return true;
      });
}

// Leaves what the combiner makes of it in every bucket. Where that gives little room, all is handed
// on: the next time would come soon.
bool PluginSession::FoldBucketsInPlace() {
  for (size_t bucket = 0; bucket < FoldBuckets::kCount; ++bucket) {
    if (!FoldBucket(bucket)) return false;
    for (FoldTable::Entry* entry = bucket_table_.First(); entry != nullptr;
         entry = bucket_table_.Next(*entry)) {
      if (!CombineSeveral(&bucket_table_, entry)) return false;
      if (entry->used != 0 &&
          !buckets_.Add(bucket, entry->key(), entry->key_size, bucket_table_.Values(*entry),
                        entry->used) &&
          !HandOn(bucket_table_, entry))
        return false;
    }
    bucket_table_.Clear();
  }
  return 2 * buckets_.free_chunks() >= buckets_.chunks() || HandOnAll();
}

// Before a value of this key that the table does not take: the order of a key's values stays.
bool PluginSession::HandOnKey(const uint8_t* key, size_t key_size) {
  if (key_size > FoldTable::kMaxKey) return true;
  const uint64_t hash = HashKey(key, key_size);
  FoldTable::Entry* entry = table_.Find(hash, key, key_size);
  if (entry != nullptr) return HandOn(table_, entry);
  return !buckets_.ready() ||
         (FoldBucket(FoldBuckets::BucketOf(hash)) && HandOnTable(&bucket_table_));
}

bool PluginSession::HandOn(const FoldTable& table, FoldTable::Entry* entry) {
  const bool good = HandOnValues(entry->key(), entry->key_size, table.Values(*entry), entry->used);
  entry->used = 0;
  return good;
}

bool PluginSession::HandOnValues(const char* key, size_t key_size, const uint8_t* values,
                                 size_t size) {
  const uint8_t* k = reinterpret_cast<const uint8_t*>(key);
  for (size_t at = 0; at < size;) {
    const size_t length = values[at];
    const bool room = Room(kRecordHeader + key_size + length);
    if (!room || !Append(k, key_size, values + at + 1, length, false, false)) return false;
    at += 1 + length;
  }
  return true;
}

bool PluginSession::HandOnTable(FoldTable* table) {
  for (FoldTable::Entry* entry = table->First(); entry != nullptr; entry = table->Next(*entry)) {
    if (!CombineSeveral(table, entry) || !HandOn(*table, entry)) return false;
  }
  table->Clear();
  return true;
}

bool PluginSession::HandOnAll() {
  if (!HandOnTable(&table_)) return false;
  for (size_t bucket = 0; buckets_.ready() && bucket < FoldBuckets::kCount; ++bucket) {
    if (!FoldBucket(bucket) || !HandOnTable(&bucket_table_)) return false;
  }
  return true;
}

bool PluginSession::CombineSeveral(FoldTable* table, FoldTable::Entry* entry) {
  const bool several = entry->used != 0 && entry->used > size_t{*table->Values(*entry)} + 1;
  return !several || CombineEntry(table, entry);
}

// Replaces the values of an entry by what the combiner makes of them.
bool PluginSession::CombineEntry(FoldTable* table, FoldTable::Entry* entry) {
  reduce_.task = reduce_.partition = call_.task;
  reduce_.key_size = entry->key_size;
  reduce_.value = reduce_.value_key = nullptr;
  reduce_.value_size = reduce_.value_key_size = 0;
  reduce_.value_more = false;
  fold_at_ = table->Values(*entry);
  fold_end_ = fold_at_ + entry->used;
  folding_ = entry;
  folded_.clear();
  fold_scratch_.Reset();
  const bool good = plugin_.combine(entry->key(), &reduce_);
  folding_ = nullptr;
  if (!status_.ok()) return false;
  if (!good) {
    return Stop(Failed(message_.empty() ? "CombineMain failed and did not say why" : message_));
  }
  if (folded_.size() > entry->capacity) {
    entry->used = 0;
    return HandOnValues(entry->key(), entry->key_size, folded_.data(), folded_.size());
  }
  if (!folded_.empty()) std::memcpy(table->Values(*entry), folded_.data(), folded_.size());
  entry->used = static_cast<uint16_t>(folded_.size());
  return true;
}

bool PluginSession::OwnsKey(const void* key, size_t key_size) const {
  return key_size == folding_->key_size &&
         (key == folding_->key() || std::memcmp(key, folding_->key(), key_size) == 0);
}

// A value that the combiner emits for the entry being folded; false: the caller writes it itself.
bool PluginSession::KeepFolded(const uint8_t* value, size_t value_size) {
  if (value_size > FoldTable::kMaxValue) return false;
  folded_.push_back(static_cast<uint8_t>(value_size));
  folded_.insert(folded_.end(), value, value + value_size);
  return true;
}

// What the combiner emitted before a value that the table does not take.
bool PluginSession::HandOnFolded() {
  const bool good =
      HandOnValues(folding_->key(), folding_->key_size, folded_.data(), folded_.size());
  folded_.clear();
  return good;
}

}  // namespace daf
