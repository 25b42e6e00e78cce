#include "native/shuffle/fold_table.h"

#include <algorithm>
#include <cstring>

namespace daf {
namespace {
constexpr size_t kAlign = 8;
constexpr size_t kGrowth = 4;

size_t Aligned(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }
}  // namespace

Status FoldTable::Init(size_t bytes) {
  if (bytes < kLeastBytes || bytes > kMaxBytes)
    return Status(Code::kBadArgument, "a fold table has 64 KB to 32 MB");
  DAF_RETURN_IF_ERROR(memory_.Reserve(bytes));
  // An entry of a short key with its values takes about 40 bytes, a slot 4. Two in three stay
  // empty: most keys are looked for in vain, and each slot passed by is a branch mispredicted.
  size_t slots = 1;
  while (slots * 2 * sizeof(Slot) <= bytes / 3) slots *= 2;
  slots_ = reinterpret_cast<Slot*>(memory_.data());
  mask_ = slots - 1;
  most_ = slots / 3;
  begin_ = slots * sizeof(Slot);
  count_ = 1;  // the slots were never cleared
  Clear();
  return Status::Ok();
}

void FoldTable::Clear() {
  if (count_ != 0) std::memset(slots_, 0, (mask_ + 1) * sizeof(Slot));
  used_ = begin_;
  count_ = 0;
  first_ = last_ = 0;
}

FoldTable::Entry* FoldTable::Insert(Slot* slot, const FoldKey& key) {
  const size_t room = key.size < FoldKey::kHead ? FoldKey::kHead : key.size + 1;
  const size_t place = Take(sizeof(Entry) + kFirstArea + room);
  if (place == 0) return nullptr;
  Entry* entry = At(place);
  *entry = {static_cast<uint32_t>(place + sizeof(Entry)),
            0,
            static_cast<uint16_t>(key.size),
            0,
            kFirstArea,
            0};
  uint8_t* own = reinterpret_cast<uint8_t*>(entry + 1) + kFirstArea;
  key.CopyTo(own);
  if (key.size >= FoldKey::kHead) own[key.size] = '\0';
  *slot = Tag(key.hash) << kPlaceBits | static_cast<Slot>(place / kAlign);
  ++count_;
  (last_ == 0 ? first_ : At(last_)->next) = static_cast<uint32_t>(place);
  last_ = static_cast<uint32_t>(place);
  return entry;
}

bool FoldTable::Grow(Entry* entry) {
  if (entry->capacity == kMaxArea) return false;
  const size_t capacity = std::min<size_t>(
      kMaxArea, entry->capacity < kCombineFrom ? kCombineFrom : entry->capacity * kGrowth);
  const size_t place = Take(capacity);
  if (place == 0) return false;
  std::memcpy(memory_.data() + place, Values(*entry), entry->used);
  entry->values = static_cast<uint32_t>(place);
  entry->capacity = static_cast<uint16_t>(capacity);
  return true;
}

size_t FoldTable::Take(size_t bytes) {
  const size_t need = Aligned(bytes);
  if (memory_.size() - used_ < need) return 0;
  const size_t place = used_;
  used_ += need;
  return place;
}

}  // namespace daf
