// PluginSession: folds what a map emits with the plugin's own combiner before anything leaves.
#include <cstring>

#include "native/host/callbacks.h"
#include "native/host/session.h"

namespace daf {
namespace {
// An area as large as this is combined before it grows: short ones would call the combiner for
// every other value.
constexpr size_t kCombineFrom = 32;
}  // namespace

Status PluginSession::PrepareFold(const PluginCall& call) {
  fold_ = call.fold_bytes != 0 && plugin_.combine != nullptr &&
          (call.work == PluginWork::kMap || call.work == PluginWork::kMapEnd);
  if (!fold_) return Status::Ok();
  if (!table_.ready()) DAF_RETURN_IF_ERROR(table_.Init(static_cast<size_t>(call.fold_bytes)));
  if (call.begin) {  // what a task left that did not end
    table_.Clear();
    waiting_begin_ = waiting_end_ = 0;
  }
  return Status::Ok();
}

// Takes a value for the table; a few emissions later it is there, once its place has come from
// memory.
bool PluginSession::Fold(const uint8_t* key, size_t key_size, const uint8_t* value,
                         size_t value_size) {
  const uint64_t hash = HashKey(key, key_size);
  if (key_size + value_size > sizeof(Waiting::bytes))
    return FoldWaiting() && FoldNow(hash, key, key_size, value, value_size);
  Waiting& last = waiting_[waiting_end_++ % kWaiting];
  last.hash = hash;
  last.key_size = static_cast<uint8_t>(key_size);
  last.value_size = static_cast<uint8_t>(value_size);
  if (key_size != 0) std::memcpy(last.bytes, key, key_size);
  if (value_size != 0) std::memcpy(last.bytes + key_size, value, value_size);
  table_.FetchSlot(hash);
  const size_t waiting = waiting_end_ - waiting_begin_;
  if (waiting > kWaiting / 2)
    table_.FetchEntry(waiting_[(waiting_end_ - 1 - kWaiting / 2) % kWaiting].hash);
  return waiting < kWaiting || FoldFirst();
}

bool PluginSession::FoldFirst() {
  const Waiting& first = waiting_[waiting_begin_++ % kWaiting];
  return FoldNow(first.hash, first.bytes, first.key_size, first.bytes + first.key_size,
                 first.value_size);
}

bool PluginSession::FoldWaiting() {
  while (waiting_begin_ != waiting_end_) {
    if (!FoldFirst()) return false;
  }
  return true;
}

bool PluginSession::FoldNow(uint64_t hash, const uint8_t* key, size_t key_size,
                            const uint8_t* value, size_t value_size) {
  for (;;) {
    FoldTable::Entry* entry = table_.FindOrAdd(hash, key, key_size);
    if (entry == nullptr) {
      if (!HandOnAll()) return false;
      continue;
    }
    if (table_.Add(entry, value, value_size)) return true;
    if (entry->capacity >= kCombineFrom) {
      if (!CombineEntry(entry)) return false;
      // Otherwise the next value or two would bring it here again.
      const bool worked = 2 * size_t{entry->used} <= entry->capacity;
      if (worked && table_.Add(entry, value, value_size)) return true;
    }
    if (table_.Grow(entry)) continue;
    const bool handed = entry->capacity == FoldTable::kMaxArea ? HandOn(entry) : HandOnAll();
    if (!handed) return false;
  }
}

// Before a value of this key that the table does not take: the order of a key's values stays.
bool PluginSession::HandOnKey(const uint8_t* key, size_t key_size) {
  if (!FoldWaiting()) return false;
  if (key_size > FoldTable::kMaxKey) return true;
  FoldTable::Entry* entry = table_.Find(HashKey(key, key_size), key, key_size);
  return entry == nullptr || HandOn(entry);
}

bool PluginSession::HandOn(FoldTable::Entry* entry) {
  const bool good = HandOnValues(entry->key(), entry->key_size, table_.Values(*entry), entry->used);
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

bool PluginSession::HandOnAll() {
  for (FoldTable::Entry* entry = table_.First(); entry != nullptr; entry = table_.Next(*entry)) {
    const bool several = entry->used != 0 && entry->used > size_t{*table_.Values(*entry)} + 1;
    if ((several && !CombineEntry(entry)) || !HandOn(entry)) return false;
  }
  table_.Clear();
  return true;
}

// Replaces the values of an entry by what the combiner makes of them.
bool PluginSession::CombineEntry(FoldTable::Entry* entry) {
  reduce_.task = reduce_.partition = call_.task;
  reduce_.key_size = entry->key_size;
  reduce_.value = reduce_.value_key = nullptr;
  reduce_.value_size = reduce_.value_key_size = 0;
  reduce_.value_more = false;
  fold_at_ = table_.Values(*entry);
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
  if (!folded_.empty()) std::memcpy(table_.Values(*entry), folded_.data(), folded_.size());
  entry->used = static_cast<uint16_t>(folded_.size());
  return true;
}

bool PluginSession::NextFolded() {
  if (!status_.ok() || fold_at_ == fold_end_) return false;
  reduce_.value_key = folding_->key();
  reduce_.value_key_size = folding_->key_size;
  reduce_.value_size = *fold_at_;
  reduce_.value = reinterpret_cast<const char*>(fold_at_ + 1);
  fold_at_ += 1 + reduce_.value_size;
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
