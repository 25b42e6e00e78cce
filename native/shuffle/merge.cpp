#include "native/shuffle/merge.h"

#include <utility>

namespace daf {
namespace {
// Of keys whose prefixes agree. Those that end inside the prefix differ in their length alone.
int CompareBehindPrefix(const Piece& x, const Piece& y) {
  if (x.key_size <= kPrefixBytes || y.key_size <= kPrefixBytes)
    return x.key_size < y.key_size ? -1 : x.key_size > y.key_size ? 1 : 0;
  return CompareKeys(x.key + kPrefixBytes, x.key_size - kPrefixBytes, y.key + kPrefixBytes,
                     y.key_size - kPrefixBytes);
}
}  // namespace

SegmentReader& MergeStream::Reader(size_t i) {
  while (sources_.size() <= i) sources_.push_back(std::make_unique<Source>());
  return sources_[i]->reader;
}

Status MergeStream::Load(size_t i) {
  Source& source = *sources_[i];
  bool more = false;
  const Status status = source.reader.Next(&source.piece, &more);
  if (!status.ok()) {
    failed_ = static_cast<int>(i);
    return status;
  }
  source.done = !more;
  if (more && !source.piece.continues)
    source.prefix = KeyPrefix(source.piece.key, source.piece.key_size);
  return Status::Ok();
}

// Is source a's piece due before b's? An exhausted source comes after every other.
bool MergeStream::Before(size_t a, size_t b) const {
  const Source& x = *sources_[a];
  const Source& y = *sources_[b];
  if (x.done || y.done) return x.done == y.done ? a < b : y.done;
  if (x.prefix != y.prefix) return x.prefix < y.prefix;
  const int order = CompareBehindPrefix(x.piece, y.piece);
  return order != 0 ? order < 0 : a < b;
}

Status MergeStream::Start(size_t count) {
  count_ = count;
  advance_ = false;
  failed_ = -1;
  winner_ = 0;
  for (size_t i = 0; i < count; ++i) DAF_RETURN_IF_ERROR(Load(i));
  // A tournament bottom-up: leaves are count … 2·count − 1, node n plays the winners of 2n and 2n
  // + 1.
  losers_.assign(count, 0);
  std::vector<uint32_t> winners(2 * count);
  for (size_t i = 0; i < count; ++i) winners[count + i] = static_cast<uint32_t>(i);
  for (size_t n = count; n-- > 1;) {
    const uint32_t a = winners[2 * n], b = winners[2 * n + 1];
    const bool a_wins = Before(a, b);
    winners[n] = a_wins ? a : b;
    losers_[n] = a_wins ? b : a;
  }
  if (count > 0) winner_ = winners[1];
  return Status::Ok();
}

void MergeStream::Replay(size_t i) {
  uint32_t champion = static_cast<uint32_t>(i);
  for (size_t n = (count_ + i) / 2; n >= 1; n /= 2) {
    if (Before(losers_[n], champion)) std::swap(losers_[n], champion);
  }
  winner_ = champion;
}

Status MergeStream::Next(Piece* out, bool* more) {
  if (count_ == 0) {
    *more = false;
    return Status::Ok();
  }
  if ((++polls_ & 4095) == 0) DAF_RETURN_IF_ERROR(control_.Check());
  if (advance_) {
    const bool whole = !sources_[winner_]->piece.more;
    DAF_RETURN_IF_ERROR(Load(winner_));
    // A value in pieces is streamed from its source before anybody else plays.
    if (!whole && (sources_[winner_]->done || !sources_[winner_]->piece.continues)) {
      failed_ = static_cast<int>(winner_);
      return Status(Code::kBadData, "a value in pieces has no end");
    }
    if (whole && count_ > 1) Replay(winner_);
  }
  const Source& best = *sources_[winner_];
  advance_ = !best.done;
  *more = !best.done;
  if (*more) *out = best.piece;
  return Status::Ok();
}

}  // namespace daf
