#include "native/shuffle/group_packer.h"

#include <algorithm>
#include <cstring>

namespace daf {

void GroupPacker::Start(SortedStream* stream, uint32_t prefix) {
  stream_ = stream;
  prefix_ = prefix;
  has_pending_ = started_ = open_ = false;
}

Status GroupPacker::Advance() { return stream_->Next(&pending_, &has_pending_); }

Status GroupPacker::Peek(const Piece** out) {
  *out = nullptr;
  if (!started_) {
    started_ = true;
    DAF_RETURN_IF_ERROR(Advance());
  }
  if (has_pending_ && !pending_.continues && !SameGroup(pending_)) *out = &pending_;
  return Status::Ok();
}

Status GroupPacker::Skip() {
  ++records_;
  ++groups_;
  open_ = false;
  return Advance();
}

bool GroupPacker::SameGroup(const Piece& piece) const {
  if (!open_) return false;
  const size_t size = prefix_ == 0 ? piece.key_size : std::min(piece.key_size, prefix_);
  return size == group_size_ && SameBytes(piece.key, group_.data(), size);
}

Status GroupPacker::Fill(uint8_t* buffer, size_t capacity, size_t* used) {
  *used = 0;
  if (!started_) {
    started_ = true;
    DAF_RETURN_IF_ERROR(Advance());
  }
  uint8_t* last = nullptr;  // header of the piece packed last
  while (has_pending_) {
    Piece& piece = pending_;
    const bool join = piece.continues && last != nullptr;
    const size_t head = join ? 0 : kRecordHeader + piece.key_size;
    const size_t room = capacity - *used;
    uint32_t take = piece.value_size;
    if (head + take > room) {
      // Only what fits nowhere else is split; a record that would fit into the next buffer waits
      // for it.
      if (*used != 0 && !join) break;
      if (room <= head) {
        if (*used != 0) break;
        return Status(Code::kBadArgument,
                      "a batch buffer must hold a key of 1 MB and 64 KB of its value");
      }
      take = static_cast<uint32_t>(room - head);
    }
    if (join) {
      std::memcpy(buffer + *used, piece.value, take);
      Store32(last + 4, (Load32(last + 4) & kValueMask) + take);
    } else {
      uint32_t key_word = piece.key_size | (piece.continues ? kPiece : 0);
      if (!piece.continues) {
        ++records_;
        if (!SameGroup(piece)) {
          ++groups_;
          key_word |= kFirst;
          group_size_ = prefix_ == 0 ? piece.key_size : std::min(piece.key_size, prefix_);
          DAF_RETURN_IF_ERROR(group_.Reserve(std::max<size_t>(group_size_, 1)));
          if (group_size_ != 0) std::memcpy(group_.data(), piece.key, group_size_);
          open_ = true;
        }
      }
      last = buffer + *used;
      Store32(last, key_word);
      Store32(last + 4, take);
      if (piece.key_size != 0) std::memcpy(last + kRecordHeader, piece.key, piece.key_size);
      if (take != 0) std::memcpy(last + head, piece.value, take);
    }
    *used += head + take;
    const bool split = take < piece.value_size;
    const bool more = split || piece.more;
    if (more) Store32(last + 4, Load32(last + 4) | kMore);
    if (split) {
      piece.value += take;
      piece.value_size -= take;
      piece.continues = true;
      piece.key_size = 0;
      break;
    }
    DAF_RETURN_IF_ERROR(Advance());
    if (!more && (!has_pending_ || !SameGroup(pending_))) Store32(last, Load32(last) | kLast);
  }
  return Status::Ok();
}

}  // namespace daf
