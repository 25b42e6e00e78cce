#include <algorithm>
#include <cstring>

#include "native/base/crc32c.h"
#include "native/shuffle/segment.h"
#include "native/shuffle/segment_format.h"

namespace daf {

Status SegmentWriter::Create(const std::string& path, uint32_t block_bytes) {
  DAF_RETURN_IF_ERROR(file_.Create(path));
  block_bytes_ = block_bytes;
  limit_ = block_bytes;
  DAF_RETURN_IF_ERROR(block_.Reserve(kBlockHeader + block_bytes));
  DAF_RETURN_IF_ERROR(out_.Reserve(kOutBytes));
  used_ = out_used_ = written_ = number_ = 0;
  in_value_ = false;
  current_ = {};
  index_.clear();
  DAF_RETURN_IF_ERROR(Put(kFileMagic, 8));
  current_.offset = written_;
  return Status::Ok();
}

Status SegmentWriter::Add(const Piece& piece) {
  if (!piece.continues) {
    ++current_.records;
    const size_t need = kRecordHeader + piece.key_size + piece.value_size;
    if (!piece.more && need <= block_bytes_) {
      if (used_ + need > limit_) DAF_RETURN_IF_ERROR(FlushBlock());
      uint8_t* p = block_.data() + kBlockHeader + used_;
      Store32(p, piece.key_size);
      Store32(p + 4, piece.value_size);
      std::memcpy(p + kRecordHeader, piece.key, piece.key_size);
      std::memcpy(p + kRecordHeader + piece.key_size, piece.value, piece.value_size);
      used_ += need;
      return Status::Ok();
    }
    // A record larger than a block starts a fresh one and fills each to the brim, so that the bytes
    // do not depend on the pieces it came in.
    DAF_RETURN_IF_ERROR(FlushBlock());
    const size_t least = kRecordHeader + piece.key_size + kLeastValueRoom;
    if (least > limit_) {
      limit_ = least;
      DAF_RETURN_IF_ERROR(block_.Reserve(kBlockHeader + limit_));
    }
    DAF_RETURN_IF_ERROR(Begin(piece.key_size, piece.key, piece.key_size));
    in_value_ = true;
  }
  DAF_RETURN_IF_ERROR(AppendValue(piece.value, piece.value_size));
  if (!piece.more) in_value_ = false;
  return Status::Ok();
}

Status SegmentWriter::AppendValue(const uint8_t* data, size_t size) {
  while (size != 0) {
    size_t room = limit_ - used_;
    uint8_t* header = block_.data() + kBlockHeader + open_;
    if (room == 0) {
      Store32(header + 4, Load32(header + 4) | kMore);
      DAF_RETURN_IF_ERROR(FlushBlock());
      DAF_RETURN_IF_ERROR(Begin(kPiece, nullptr, 0));
      continue;
    }
    room = std::min(room, size);
    std::memcpy(block_.data() + kBlockHeader + used_, data, room);
    Store32(header + 4, Load32(header + 4) + static_cast<uint32_t>(room));
    used_ += room;
    data += room;
    size -= room;
  }
  return Status::Ok();
}

Status SegmentWriter::Begin(uint32_t key_word, const uint8_t* key, uint32_t key_size) {
  open_ = used_;
  uint8_t* p = block_.data() + kBlockHeader + used_;
  Store32(p, key_word);
  Store32(p + 4, 0);
  if (key_size != 0) std::memcpy(p + kRecordHeader, key, key_size);
  used_ += kRecordHeader + key_size;
  return Status::Ok();
}

Status SegmentWriter::FlushBlock() {
  if (used_ == 0) return Status::Ok();
  uint8_t* head = block_.data();
  Store32(head, kBlockMagic);
  Store32(head + 4, static_cast<uint32_t>(used_));
  Store32(head + 8, number_++);
  Store32(head + 12, BlockCrc(head, head + kBlockHeader, used_));
  const size_t size = kBlockHeader + used_;
  current_.crc = Crc32c(current_.crc, head, size);
  used_ = 0;
  limit_ = block_bytes_;
  return Put(head, size);
}

Status SegmentWriter::EndPartition() {
  if (in_value_)
    return Status(Code::kInternal, "a value in pieces was left open at the end of a partition");
  DAF_RETURN_IF_ERROR(FlushBlock());
  current_.bytes = written_ - current_.offset;
  index_.push_back(current_);
  current_ = {};
  current_.offset = written_;
  number_ = 0;
  return Status::Ok();
}

Status SegmentWriter::Finish() {
  const uint64_t at = written_;
  uint32_t crc = 0;
  for (const SegmentInfo& info : index_) {
    uint8_t entry[kIndexEntry];
    EncodeIndexEntry(info, entry);
    crc = Crc32c(crc, entry, sizeof(entry));
    DAF_RETURN_IF_ERROR(Put(entry, sizeof(entry)));
  }
  uint8_t trailer[kTrailer];
  Store64(trailer, at);
  Store32(trailer + 8, static_cast<uint32_t>(index_.size()));
  Store32(trailer + 12, Crc32c(crc, trailer, 12));
  std::memcpy(trailer + 16, kIndexMagic, 8);
  DAF_RETURN_IF_ERROR(Put(trailer, sizeof(trailer)));
  DAF_RETURN_IF_ERROR(FlushOut());
  file_.Close();
  return Status::Ok();
}

Status SegmentWriter::Put(const void* data, size_t size) {
  written_ += size;
  if (out_used_ + size > kOutBytes) DAF_RETURN_IF_ERROR(FlushOut());
  if (size >= kOutBytes / 8) {
    DAF_RETURN_IF_ERROR(FlushOut());
    return file_.Write(data, size);
  }
  std::memcpy(out_.data() + out_used_, data, size);
  out_used_ += size;
  return Status::Ok();
}

Status SegmentWriter::FlushOut() {
  const size_t size = out_used_;
  out_used_ = 0;
  return size == 0 ? Status::Ok() : file_.Write(out_.data(), size);
}

}  // namespace daf
