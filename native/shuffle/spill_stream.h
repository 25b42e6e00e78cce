// The sorted records of a full buffer, large values streamed from the side file.
#pragma once

#include <algorithm>

#include "native/shuffle/buffer.h"
#include "native/shuffle/file.h"
#include "native/shuffle/sort.h"
#include "native/shuffle/stream.h"

namespace daf {

class SpillStream final : public SortedStream {
 public:
  // side: the file of large values; see MapWriter::BeginLarge for how the buffer refers to it.
  SpillStream(const uint8_t* buffer, const File* side, const TaskControl& control)
      : buffer_(buffer), side_(side), control_(control) {}

  void Start(const IndexEntry* begin, const IndexEntry* end) {
    at_ = begin;
    end_ = end;
    left_ = 0;
  }

  // Whether the record after the one that Next gave last has this key.
  bool NextHasKey(const uint8_t* key, size_t size) const {
    if (at_ == end_) return false;
    const uint8_t* p = buffer_ + at_->offset;
    const size_t own = Load32(p) & kKeyMask;
    return own == size && SameBytes(p + kRecordHeader, key, size);
  }

  Status Next(Piece* out, bool* more) override {
    if (left_ != 0) {
      *more = true;
      return NextChunk(out);
    }
    *more = at_ != end_;
    if (!*more) return Status::Ok();
    if ((++polls_ & 4095) == 0) DAF_RETURN_IF_ERROR(control_.Check());
    // Sorted order visits the buffer at random: fetch what comes a few records later.
    if (end_ - at_ > kAhead) __builtin_prefetch(buffer_ + at_[kAhead].offset);
    const uint8_t* p = buffer_ + at_->offset;
    ++at_;
    const uint32_t key_word = Load32(p);
    *out = {};
    out->key_size = key_word & kKeyMask;
    out->key = p + kRecordHeader;
    out->value = out->key + out->key_size;
    out->value_size = Load32(p + 4);
    if ((key_word & kPiece) == 0) return Status::Ok();
    position_ = Load64(out->value);
    left_ = Load64(out->value + 8);
    const uint8_t* key = out->key;
    const uint32_t key_size = out->key_size;
    if (left_ == 0) {
      out->value_size = 0;
      return Status::Ok();
    }
    DAF_RETURN_IF_ERROR(NextChunk(out));
    out->key = key;
    out->key_size = key_size;
    out->continues = false;
    return Status::Ok();
  }

 private:
  static constexpr int kAhead = 12;
  static constexpr size_t kChunk = 256u << 10;

  Status NextChunk(Piece* out) {
    DAF_RETURN_IF_ERROR(chunk_.Reserve(kChunk));
    DAF_RETURN_IF_ERROR(control_.Check());
    const size_t ask = static_cast<size_t>(std::min<uint64_t>(kChunk, left_));
    size_t got = 0;
    DAF_RETURN_IF_ERROR(side_->ReadAt(position_, chunk_.data(), ask, &got));
    if (got != ask) return Status(Code::kBadData, side_->path() + ": cut off while it was in use");
    position_ += got;
    left_ -= got;
    *out = {};
    out->continues = true;
    out->more = left_ != 0;
    out->value = chunk_.data();
    out->value_size = static_cast<uint32_t>(got);
    return Status::Ok();
  }

  const uint8_t* buffer_;
  const File* side_;
  TaskControl control_;
  const IndexEntry* at_ = nullptr;
  const IndexEntry* end_ = nullptr;
  uint64_t position_ = 0;
  uint64_t left_ = 0;
  ByteBuffer chunk_;
  uint32_t polls_ = 0;
};

}  // namespace daf
