// PluginSession: folds what a map emits with the plugin's own combiner before anything leaves.
#include <cstring>

#include "native/host/session.h"

namespace daf {
namespace {
// Bytes that a combiner may make of one key's values before they are handed on.
constexpr size_t kMostFolded = 64u << 10;
}  // namespace

Status PluginSession::PrepareFold(const PluginCall& call) {
  if (call.begin) gain_ = {};
  folds_ = call.fold_bytes != 0 && plugin_.combine != nullptr && gain_.pays() &&
           (call.work == PluginWork::kMap || call.work == PluginWork::kMapEnd);
  if (!folds_) return Status::Ok();
  if (!fold_.ready()) DAF_RETURN_IF_ERROR(fold_.Init(static_cast<size_t>(call.fold_bytes)));
  if (call.begin) fold_.Clear();  // what a task left that did not end
  return Status::Ok();
}

bool PluginSession::FoldWhileItPays() {
  gain_.Passed(1);
  if (gain_.pays()) return true;
  const bool good = fold_.HandOnAll();
  folds_ = false;
  SetOpen();
  return good;
}

bool PluginSession::Combine(const FoldTable::Entry& entry, const uint8_t* values, size_t size,
                            std::vector<uint8_t>* folded) {
  reduce_.task = reduce_.partition = call_.task;
  reduce_.key_size = entry.key_size;
  reduce_.value = nullptr;
  reduce_.value_size = 0;
  reduce_.value_key = entry.key();
  reduce_.value_key_size = entry.key_size;
  reduce_.value_more = false;
  fold_at_ = values;
  fold_end_ = values + size;
  fold_run_.times = 0;
  folding_ = &entry;
  open_ = false;
  folded_ = folded;
  fold_scratch_.Reset();
  const bool good = plugin_.combine(entry.key(), &reduce_);
  folding_ = nullptr;
  SetOpen();
  if (!status_.ok()) return false;
  if (value_open_) return Stop(Failed("CombineMain left a value in parts without its last part"));
  return good ||
         Stop(Failed(message_.empty() ? "CombineMain failed and did not say why" : message_));
}

bool PluginSession::HandOn(const FoldTable::Entry& entry, const uint8_t* values, size_t size,
                           bool) {
  const uint8_t* key = reinterpret_cast<const uint8_t*>(entry.key());
  for (size_t at = 0; at < size;) {
    FoldTable::Run run;
    at += FoldTable::ReadRun(values + at, &run);
    for (uint32_t i = 0; i < run.times; ++i) {
      const size_t need = kRecordHeader + entry.key_size + run.size;
      if (!Room(need)) return false;
      if (plugin_.partition == nullptr && run.size < 8 &&
          memory_.output_size - used_ >= need + FoldKey::kHead) {
        // What most records are: a short key and a short value, copied in whole words.
        uint8_t* p = memory_.output + used_;
        Store32(p, entry.key_size);
        Store32(p + 4, static_cast<uint32_t>(run.size));
        std::memcpy(p + kRecordHeader, key, FoldKey::kHead);
        if (entry.key_size > FoldKey::kHead) std::memcpy(p + kRecordHeader, key, entry.key_size);
        Store64(p + kRecordHeader + entry.key_size, LoadTail(run.value, run.size));
        used_ += need;
        ++count_;
      } else if (!Append(key, entry.key_size, run.value, run.size, false, false)) {
        return false;
      }
    }
  }
  return true;
}

bool PluginSession::OwnsKey(const void* key, size_t key_size) const {
  return key_size == folding_->key_size &&
         (key == folding_->key() || std::memcmp(key, folding_->key(), key_size) == 0);
}

// A value that the combiner emits for the entry being folded; false: the caller writes it itself.
bool PluginSession::KeepFolded(const uint8_t* value, size_t value_size) {
  const size_t at = folded_->size();
  if (value_size > FoldTable::kMaxValue || at >= kMostFolded) return false;
  folded_->resize(at + value_size + FoldTable::kRunBytes);
  (void)FoldTable::WriteRun(folded_->data() + at, value, value_size, 1);
  return true;
}

// What the combiner emitted before a value that the fold does not take.
bool PluginSession::HandOnFolded() {
  const bool good = HandOn(*folding_, folded_->data(), folded_->size(), false);
  folded_->clear();
  return good;
}

}  // namespace daf
