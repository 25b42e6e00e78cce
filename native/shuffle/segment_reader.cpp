#include <algorithm>
#include <cstring>

#include "native/base/crc32c.h"
#include "native/shuffle/segment.h"
#include "native/shuffle/segment_format.h"

namespace daf {

void SegmentReader::Open(const File* file, uint64_t offset, uint64_t bytes, size_t window) {
  file_ = file;
  position_ = offset;
  end_ = offset + bytes;
  window_ = window;
  raw_begin_ = raw_end_ = 0;
  payload_size_ = at_ = 0;
  number_ = 0;
}

Status SegmentReader::Next(Piece* out, bool* more) {
  while (at_ == payload_size_) {
    if (position_ == end_ && raw_begin_ == raw_end_) {
      *more = false;
      return Status::Ok();
    }
    DAF_RETURN_IF_ERROR(LoadBlock());
  }
  *more = true;
  // The block's checksum held, so this can only fail when the writer was wrong.
  return ParsePiece(payload_, payload_size_, &at_, out);
}

Status SegmentReader::LoadBlock() {
  DAF_RETURN_IF_ERROR(Ensure(kBlockHeader));
  const uint8_t* head = raw_.data() + raw_begin_;
  const size_t size = Load32(head + 4);
  if (Load32(head) != kBlockMagic || size == 0 || size > kMaxBlockPayload ||
      Load32(head + 8) != number_) {
    return Damaged("its header is damaged");
  }
  DAF_RETURN_IF_ERROR(Ensure(kBlockHeader + size));
  head = raw_.data() + raw_begin_;
  if (BlockCrc(head, head + kBlockHeader, size) != Load32(head + 12))
    return Damaged("its checksum differs");
  payload_ = head + kBlockHeader;
  payload_size_ = size;
  at_ = 0;
  raw_begin_ += kBlockHeader + size;
  ++number_;
  return Status::Ok();
}

// Makes `bytes` contiguous bytes available at raw_begin_.
Status SegmentReader::Ensure(size_t bytes) {
  const size_t have = raw_end_ - raw_begin_;
  if (have >= bytes) return Status::Ok();
  if (have + (end_ - position_) < bytes) return Damaged("the segment ends inside it");
  const size_t want = std::max(window_, bytes);
  if (raw_begin_ != 0) {
    if (have != 0) std::memmove(raw_.data(), raw_.data() + raw_begin_, have);
    raw_begin_ = 0;
    raw_end_ = have;
  }
  DAF_RETURN_IF_ERROR(
      raw_.Reserve(static_cast<size_t>(std::min<uint64_t>(want, have + (end_ - position_))), have));
  const size_t ask = static_cast<size_t>(std::min<uint64_t>(raw_.size() - have, end_ - position_));
  size_t got = 0;
  DAF_RETURN_IF_ERROR(file_->ReadAt(position_, raw_.data() + have, ask, &got));
  position_ += got;
  raw_end_ = have + got;
  if (raw_end_ < bytes) return Damaged("the file ends inside it");
  return Status::Ok();
}

Status SegmentReader::Damaged(const std::string& what) const {
  return Status(Code::kBadData,
                "segment in " + file_->path() + ", block " + std::to_string(number_) + ": " + what,
                "run the map task that wrote it again");
}

Status ReadSegmentIndex(const File& file, std::vector<SegmentInfo>* out) {
  const auto bad = [&](const char* what) {
    return Status(Code::kBadData, file.path() + ": " + what);
  };
  uint64_t size = 0;
  DAF_RETURN_IF_ERROR(file.Size(&size));
  uint8_t trailer[kTrailer];
  size_t got = 0;
  if (size < 8 + kTrailer) return bad("too short for a segment file");
  DAF_RETURN_IF_ERROR(file.ReadAt(size - kTrailer, trailer, kTrailer, &got));
  if (got != kTrailer || std::memcmp(trailer + 16, kIndexMagic, 8) != 0)
    return bad("not a whole segment file");
  const uint64_t at = Load64(trailer);
  const uint64_t partitions = Load32(trailer + 8);
  if (at < 8 || at > size || size - at != partitions * kIndexEntry + kTrailer)
    return bad("its index is damaged");
  std::vector<uint8_t> bytes(static_cast<size_t>(partitions * kIndexEntry));
  DAF_RETURN_IF_ERROR(file.ReadAt(at, bytes.data(), bytes.size(), &got));
  if (got != bytes.size() ||
      Crc32c(Crc32c(0, bytes.data(), got), trailer, 12) != Load32(trailer + 12)) {
    return bad("its index has a wrong checksum");
  }
  out->clear();
  for (uint64_t p = 0; p < partitions; ++p)
    out->push_back(DecodeIndexEntry(bytes.data() + p * kIndexEntry));
  return Status::Ok();
}

Status VerifySegment(const File& file, const SegmentInfo& info) {
  ByteBuffer buffer;
  constexpr size_t kChunk = 256u << 10;
  DAF_RETURN_IF_ERROR(buffer.Reserve(kChunk));
  uint32_t crc = 0;
  for (uint64_t done = 0; done < info.bytes;) {
    const size_t ask = static_cast<size_t>(std::min<uint64_t>(kChunk, info.bytes - done));
    size_t got = 0;
    DAF_RETURN_IF_ERROR(file.ReadAt(info.offset + done, buffer.data(), ask, &got));
    if (got == 0) break;
    crc = Crc32c(crc, buffer.data(), got);
    done += got;
  }
  if (crc != info.crc) {
    // The blocks say which one is wrong; only when each holds is the sum itself to blame.
    SegmentReader reader;
    reader.Open(&file, info.offset, info.bytes);
    Piece piece;
    for (bool more = true; more;) DAF_RETURN_IF_ERROR(reader.Next(&piece, &more));
    return Status(Code::kBadData,
                  "segment in " + file.path() + ": its checksum differs from the index");
  }
  return Status::Ok();
}

}  // namespace daf
