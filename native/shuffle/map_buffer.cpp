// MapWriter: records into the buffer, and the buffer into sorted order.
#include <algorithm>
#include <cstring>

#include "native/shuffle/map_writer.h"
#include "native/shuffle/spill_stream.h"

namespace daf {
namespace {
constexpr size_t kIndexBytes =
    2 * sizeof(IndexEntry);             // the entry and its place in the sort's scratch
constexpr size_t kLargeReference = 16;  // [u64 position in the side file][u64 length]
}  // namespace

Status MapWriter::Init(const MapWriterOptions& options, const TaskControl& control) {
  const auto bad = [](const char* what) { return Status(Code::kBadArgument, what); };
  if (options.path.empty()) return bad("a map output needs a path");
  if (options.partitions < 1 || options.partitions > 65536)
    return bad("partitions must be 1 to 65536");
  if (options.buffer_bytes < (64u << 10) || options.buffer_bytes > (size_t{2} << 30)) {
    return bad("the sort buffer must have 64 KB to 2 GB");
  }
  if (options.fan_in < 2 || options.fan_in > 512) return bad("the fan-in must be 2 to 512");
  if (options.block_bytes < 256 || options.block_bytes > (16u << 20))
    return bad("a block must have 256 bytes to 16 MB");
  options_ = options;
  control_ = control;
  large_value_ = std::min<size_t>(kMaxInlineValue, options.buffer_bytes / 4);
  prefix_bytes_ = options.custom_partitions ? 4 : 0;
  return buffer_.Reserve(options.buffer_bytes);
}

bool MapWriter::Fits(size_t record_bytes) const {
  return data_used_ + record_bytes + sizeof(IndexEntry) + kIndexBytes * (count_ + 1) <=
         options_.buffer_bytes;
}

void MapWriter::Place(const Piece& piece, uint32_t partition) {
  uint8_t* p = buffer_.data() + data_used_;
  if (prefix_bytes_ != 0) Store32(p, partition);
  p += prefix_bytes_;
  Store32(p, piece.key_size);
  Store32(p + 4, piece.value_size);
  std::memcpy(p + kRecordHeader, piece.key, size_t{piece.key_size} + piece.value_size);
  data_used_ += prefix_bytes_ + kRecordHeader + piece.key_size + piece.value_size;
  ++count_;
}

// A value that comes in pieces or is large goes to the side file; the buffer keeps the key and,
// flagged by kPiece, where the value lies. The reference is placed first, so no spill can come in
// between.
Status MapWriter::BeginLarge(const Piece& piece, uint32_t partition) {
  if (!side_.is_open()) DAF_RETURN_IF_ERROR(side_.Create(options_.path + ".side"));
  uint8_t* p = buffer_.data() + data_used_;
  if (prefix_bytes_ != 0) Store32(p, partition);
  p += prefix_bytes_;
  Store32(p, piece.key_size | kPiece);
  Store32(p + 4, kLargeReference);
  std::memcpy(p + kRecordHeader, piece.key, piece.key_size);
  uint8_t* reference = p + kRecordHeader + piece.key_size;
  Store64(reference, side_used_);
  Store64(reference + 8, 0);
  open_large_ = reference + 8;
  data_used_ += prefix_bytes_ + kRecordHeader + piece.key_size + kLargeReference;
  ++count_;
  return Status::Ok();
}

Status MapWriter::AddLarge(const Piece& piece) {
  DAF_RETURN_IF_ERROR(side_.Write(piece.value, piece.value_size));
  side_used_ += piece.value_size;
  Store64(open_large_, Load64(open_large_) + piece.value_size);
  if (!piece.more) open_large_ = nullptr;
  return Status::Ok();
}

Status MapWriter::Append(const uint8_t* batch, size_t size, const uint32_t* partitions,
                         size_t partition_count, size_t* consumed, size_t* records) {
  *consumed = *records = 0;
  if (finished_ || in_pass_ || buffer_.data() == nullptr)
    return Status(Code::kBadArgument, "append after the last combine pass or inside one");
  if ((partitions != nullptr) != options_.custom_partitions) {
    return Status(Code::kBadArgument, "partitions go with customPartitions, and only with it");
  }
  DAF_RETURN_IF_ERROR(control_.Check());
  size_t at = 0;
  while (at < size) {
    const size_t begin = at;
    Piece piece;
    DAF_RETURN_IF_ERROR(ParsePiece(batch, size, &at, &piece));
    if (piece.continues) {
      if (open_large_ == nullptr) return Status(Code::kBadData, "a piece continues no value");
      DAF_RETURN_IF_ERROR(AddLarge(piece));
      *consumed = at;
      continue;
    }
    if (open_large_ != nullptr) return Status(Code::kBadData, "a value in pieces has no end");
    uint32_t partition = 0;
    if (partitions != nullptr) {
      if (*records >= partition_count || partitions[*records] >= options_.partitions) {
        return Status(Code::kBadArgument,
                      "a record has no partition below the number of partitions");
      }
      partition = partitions[*records];
    }
    const bool large = piece.more || piece.value_size > large_value_;
    const size_t need = prefix_bytes_ + kRecordHeader + piece.key_size +
                        (large ? kLargeReference : piece.value_size);
    if (!Fits(need)) {
      if (count_ == 0) {
        return Status(Code::kBadArgument,
                      "a key of " + std::to_string(piece.key_size) +
                          " bytes does not fit into the sort buffer",
                      "raise the sort buffer above two times the longest key");
      }
      if (options_.combine) return Status::Ok();
      DAF_RETURN_IF_ERROR(Spill());
      at = begin;
      continue;
    }
    if (large) {
      DAF_RETURN_IF_ERROR(BeginLarge(piece, partition));
      DAF_RETURN_IF_ERROR(AddLarge(piece));
    } else {
      Place(piece, partition);
    }
    ++*records;
    ++records_in_;
    *consumed = at;
  }
  return Status::Ok();
}

Status MapWriter::SortBuffer() {
  const size_t align = sizeof(IndexEntry);
  entries_ =
      reinterpret_cast<IndexEntry*>(buffer_.data() + (data_used_ + align - 1) / align * align);
  const uint8_t* base = buffer_.data();
  size_t at = 0;
  for (size_t i = 0; i < count_; ++i) {
    uint32_t partition = 0;
    if (prefix_bytes_ != 0) partition = Load32(base + at);
    at += prefix_bytes_;
    const uint32_t key_size = Load32(base + at) & kKeyMask;
    const uint8_t* key = base + at + kRecordHeader;
    if (prefix_bytes_ == 0)
      partition = PartitionOf(key, key_size, options_.partitions, options_.group_prefix);
    entries_[i] = {KeyPrefix(key, key_size), static_cast<uint32_t>(at),
                   static_cast<uint16_t>(partition), IndexKeySize(key_size)};
    at += kRecordHeader + key_size + Load32(base + at + 4);
  }
  return SortIndex(entries_, entries_ + count_, count_, base, options_.partitions, control_,
                   &bounds_);
}

void MapWriter::ClearBuffer() {
  data_used_ = count_ = 0;
  entries_ = nullptr;
  if (side_used_ != 0) {
    side_.Close();
    RemoveFile(options_.path + ".side");
    side_used_ = 0;
  }
}

}  // namespace daf
