#include "native/shuffle/map_fold.h"

#include <cstring>

namespace daf {

Status MapFold::Init(size_t bytes, uint8_t* out, size_t out_size) {
  if (out_size < kRecordHeader + FoldTable::kMaxKey + FoldTable::kMaxValue)
    return Status(Code::kBadArgument, "the memory for groups is too small");
  out_ = out;
  out_size_ = out_size;
  return fold_.Init(bytes);
}

Status MapFold::Add(const uint8_t* batch, size_t size, const Sink& sink, size_t* taken,
                    size_t* pass) {
  sink_ = &sink;
  status_ = Status::Ok();
  *pass = 0;
  for (size_t at = 0; at < size;) {
    *taken = at;
    Piece piece;
    DAF_RETURN_IF_ERROR(ParsePiece(batch, size, &at, &piece));
    const bool readable = size - static_cast<size_t>(piece.key - batch) >= FoldKey::kHead;
    const FoldKey key = FoldKey::Of(piece.key, piece.key_size, readable);
    if (!piece.more && !piece.continues && Fold::Takes(piece.key_size, piece.value_size)) {
      if (!fold_.Add(key, piece.value, piece.value_size)) return status_;
      continue;
    }
    if (!piece.continues && !(fold_.HandOnKey(key) && Flush())) return status_;
    while (piece.more && at < size) DAF_RETURN_IF_ERROR(ParsePiece(batch, size, &at, &piece));
    *pass = at - *taken;
    return Status::Ok();
  }
  *taken = size;
  return Status::Ok();
}

Status MapFold::HandOnAll(const Sink& sink) {
  sink_ = &sink;
  status_ = Status::Ok();
  return fold_.HandOnAll() && Flush() ? Status::Ok() : status_;
}

bool MapFold::HandOn(const FoldTable::Entry& entry, const uint8_t* values, size_t size) {
  const size_t key_size = entry.key_size;
  uint8_t* open = nullptr;  // the group's last record
  for (size_t at = 0; at < size;) {
    FoldTable::Run run;
    at += FoldTable::ReadRun(values + at, &run);
    for (uint32_t i = 0; i < run.times; ++i) {
      // Only the first record of a group needs the key.
      size_t own = open == nullptr ? key_size : 0;
      if (out_size_ - used_ < kRecordHeader + own + run.size) {
        if (open != nullptr) Store32(open, Load32(open) | kLast);
        if (!Flush()) return false;
        open = nullptr;
        own = key_size;
      }
      uint8_t* p = out_ + used_;
      Store32(p, static_cast<uint32_t>(own) | (open == nullptr ? kFirst : 0));
      Store32(p + 4, static_cast<uint32_t>(run.size));
      if (own != 0) std::memcpy(p + kRecordHeader, entry.key(), own);
      if (run.size != 0) std::memcpy(p + kRecordHeader + own, run.value, run.size);
      used_ += kRecordHeader + own + run.size;
      open = p;
    }
  }
  if (open != nullptr) Store32(open, Load32(open) | kLast);
  return true;
}

bool MapFold::Flush() {
  if (used_ == 0) return true;
  const size_t used = used_;
  used_ = 0;
  status_ = (*sink_)(used);
  return status_.ok();
}

}  // namespace daf
