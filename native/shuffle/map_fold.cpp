#include "native/shuffle/map_fold.h"

#include <algorithm>
#include <cstring>

namespace daf {

Status MapFold::Init(size_t bytes, uint8_t* out, size_t out_size) {
  half_ = out_size / 2;
  if (half_ < kRecordHeader + FoldTable::kMaxKey + FoldTable::kMaxValue)
    return Status(Code::kBadArgument, "the memory for groups is too small");
  out_ = out;
  return fold_.Init(bytes);
}

Status MapFold::Add(const uint8_t* batch, size_t size, const Sink& sink, size_t* taken,
                    size_t* pass) {
  sink_ = &sink;
  status_ = Status::Ok();
  *taken = *pass = 0;
  size_t at = 0, passed_from = size;
  while (at < size && gain_.pays()) {
    const size_t begin = at;
    Piece piece;
    DAF_RETURN_IF_ERROR(ParsePiece(batch, size, &at, &piece));
    if (piece.continues) {
      passed_from = std::min(passed_from, begin);
      continue;
    }
    const bool readable = size - static_cast<size_t>(piece.key - batch) >= FoldKey::kHead;
    const FoldKey key = FoldKey::Of(piece.key, piece.key_size, readable);
    if (!piece.more && Fold::Takes(piece.key_size, piece.value_size)) {
      if (passed_from != size) {
        at = begin;
        break;
      }
      if (!fold_.Add(key, piece.value, piece.value_size)) return status_;
      gain_.Took();
      continue;
    }
    if (!(fold_.HandOnKey(key) && Flush())) return status_;
    passed_from = std::min(passed_from, begin);
    gain_.Passed(1);
    if (!gain_.pays() && !(fold_.HandOnAll() && Flush())) return status_;
  }
  if (!gain_.pays()) {
    passed_from = std::min(passed_from, at);
    at = size;
  }
  *taken = passed_from;
  *pass = at - passed_from;
  return Status::Ok();
}

Status MapFold::HandOnAll(const Sink& sink) {
  sink_ = &sink;
  status_ = Status::Ok();
  return fold_.HandOnAll() && Flush() ? Status::Ok() : status_;
}

bool MapFold::HandOn(const FoldTable::Entry& entry, const uint8_t* values, size_t size, bool last) {
  const size_t key_size = entry.key_size;
  uint8_t* open = nullptr;  // the group's last record
  for (size_t at = 0; at < size;) {
    FoldTable::Run run;
    at += FoldTable::ReadRun(values + at, &run);
    // Whatever else of the key is in this batch lies among the groups, which go first.
    if (last && at == size && run.times == 1 && open == nullptr) return HandOnSingle(entry, run);
    for (uint32_t i = 0; i < run.times; ++i) {
      // Only the first record of a group needs the key.
      size_t own = open == nullptr ? key_size : 0;
      if (half_ - groups_ < kRecordHeader + own + run.size) {
        if (open != nullptr) Store32(open, Load32(open) | kLast);
        if (!Flush()) return false;
        open = nullptr;
        own = key_size;
      }
      uint8_t* p = out_ + groups_;
      Store32(p, static_cast<uint32_t>(own) | (open == nullptr ? kFirst : 0));
      Store32(p + 4, static_cast<uint32_t>(run.size));
      if (own != 0) std::memcpy(p + kRecordHeader, entry.key(), own);
      if (run.size != 0) std::memcpy(p + kRecordHeader + own, run.value, run.size);
      groups_ += kRecordHeader + own + run.size;
      open = p;
    }
  }
  if (open != nullptr) Store32(open, Load32(open) | kLast);
  return true;
}

bool MapFold::HandOnSingle(const FoldTable::Entry& entry, const FoldTable::Run& run) {
  const size_t need = kRecordHeader + entry.key_size + run.size;
  if (half_ - singles_ < need && !Flush()) return false;
  uint8_t* p = out_ + half_ + singles_;
  Store32(p, entry.key_size);
  Store32(p + 4, static_cast<uint32_t>(run.size));
  if (entry.key_size != 0) std::memcpy(p + kRecordHeader, entry.key(), entry.key_size);
  if (run.size != 0) std::memcpy(p + kRecordHeader + entry.key_size, run.value, run.size);
  singles_ += need;
  return true;
}

bool MapFold::Flush() {
  if (groups_ == 0 && singles_ == 0) return true;
  const size_t groups = groups_, singles = singles_;
  groups_ = singles_ = 0;
  status_ = (*sink_)(groups, singles);
  return status_.ok();
}

}  // namespace daf
