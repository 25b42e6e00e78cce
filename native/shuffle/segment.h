// The segment file: the sorted records of one map task (or of one spill), one segment per
// partition.
//
//   "DAFSEG01"                                             8 bytes
//   segments, partition 0 first, each a sequence of blocks
//     block: [u32 "DAFB"][u32 payload bytes][u32 number in the segment][u32 crc32c] payload
//     the checksum covers the eight bytes before it (size, number) and the payload; a payload holds
//     whole pieces
//   index: partitions × [u64 offset][u64 bytes][u64 records][u32 crc32c of the segment][u32 0]
//   trailer: [u64 index offset][u32 partitions][u32 crc32c of index and the 12 bytes
//   before]["DAFSEGIX"]
//
// The same records give the same bytes, however often they were spilled on the way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "native/shuffle/buffer.h"
#include "native/shuffle/file.h"
#include "native/shuffle/stream.h"

namespace daf {

constexpr uint32_t kDefaultBlock = 64u << 10;

struct SegmentInfo {
  uint64_t offset = 0;  // in the file
  uint64_t bytes = 0;   // blocks included; 0 for an empty partition
  uint64_t records = 0;
  uint32_t crc = 0;  // crc32c of the bytes, for transfers; reading verifies block by block
};

// Writes a segment file, partition after partition. Call order: Create, then per partition (all of
// them, ascending) Add… EndPartition, then Finish. Errors: kIo, kMemory.
class SegmentWriter {
 public:
  Status Create(const std::string& path, uint32_t block_bytes = kDefaultBlock);
  // Pieces of one record follow each other. first/last are ignored.
  Status Add(const Piece& piece);
  Status EndPartition();
  Status Finish();
  const std::vector<SegmentInfo>& index() const { return index_; }
  uint64_t bytes() const { return written_; }

 private:
  Status AppendValue(const uint8_t* data, size_t size);
  Status Begin(uint32_t key_word, const uint8_t* key, uint32_t key_size);
  Status FlushBlock();
  Status Put(const void* data, size_t size);
  Status FlushOut();

  File file_;
  uint32_t block_bytes_ = kDefaultBlock;
  ByteBuffer block_;       // header and payload of the block being filled
  size_t used_ = 0;        // payload bytes in it
  size_t limit_ = 0;       // payload bytes it may take; grows for a key that alone is larger
  size_t open_ = 0;        // payload position of the header of the piece being extended
  bool in_value_ = false;  // a value in pieces is being written
  uint32_t number_ = 0;    // of the block in the segment
  ByteBuffer out_;         // small blocks are gathered before they are written
  size_t out_used_ = 0;
  uint64_t written_ = 0;
  SegmentInfo current_;
  std::vector<SegmentInfo> index_;
};

// Streams one segment and verifies every block. The file must stay open and outlive the reader.
class SegmentReader final : public SortedStream {
 public:
  // window: bytes read at a time; at least one block is held anyway.
  void Open(const File* file, uint64_t offset, uint64_t bytes, size_t window = 2 * kDefaultBlock);
  // Errors: kBadData naming file and block when the segment is truncated or a checksum differs.
  Status Next(Piece* out, bool* more) override;

 private:
  Status LoadBlock();
  Status Ensure(size_t bytes);
  Status Damaged(const std::string& what) const;

  const File* file_ = nullptr;
  uint64_t position_ = 0;  // next byte of the file to read
  uint64_t end_ = 0;
  size_t window_ = 0;
  ByteBuffer raw_;
  size_t raw_begin_ = 0;
  size_t raw_end_ = 0;
  const uint8_t* payload_ = nullptr;
  size_t payload_size_ = 0;
  size_t at_ = 0;
  uint32_t number_ = 0;
};

// The index of a segment file, verified. Errors: kBadData when it is none or was cut off, kIo.
Status ReadSegmentIndex(const File& file, std::vector<SegmentInfo>* out);

// Reads and checks every block of a segment. Errors: as SegmentReader::Next, and kBadData when
// `info.crc` differs.
Status VerifySegment(const File& file, const SegmentInfo& info);

}  // namespace daf
