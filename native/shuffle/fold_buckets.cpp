#include "native/shuffle/fold_buckets.h"

#include <algorithm>

namespace daf {

Status FoldBuckets::Init(size_t bytes) {
  if (bytes < kLeastBytes) return Status(Code::kBadArgument, "too little memory for fold buckets");
  DAF_RETURN_IF_ERROR(memory_.Reserve(bytes / kChunk * kChunk));
  free_.reserve(chunks());
  Clear();
  return Status::Ok();
}

void FoldBuckets::Clear() {
  std::fill(tails_, tails_ + kCount, Tail{});
  free_.clear();
  // The first ones go first: memory that is never needed is never touched.
  for (size_t chunk = chunks(); chunk-- != 0;) free_.push_back(static_cast<uint32_t>(chunk));
}

bool FoldBuckets::Extend(Tail* tail) {
  if (free_.empty()) return false;
  const uint32_t chunk = free_.back();
  free_.pop_back();
  uint8_t* base = memory_.data() + size_t{chunk} * kChunk;
  if (tail->last == kNone) {
    tail->first = chunk;
  } else {
    uint8_t* last = memory_.data() + size_t{tail->last} * kChunk;
    Store32(last, chunk);
    Store32(last + 4, static_cast<uint32_t>(tail->at - last));
  }
  Store32(base, kNone);
  tail->last = chunk;
  tail->at = base + kChunkHead;
  tail->left = kChunk - kChunkHead - kSlack;
  return true;
}

}  // namespace daf
