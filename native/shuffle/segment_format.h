// Sizes and small encodings that the writer and the reader of segment files share; see segment.h.
#pragma once

#include "native/base/crc32c.h"
#include "native/shuffle/segment.h"

namespace daf {

constexpr char kFileMagic[9] = "DAFSEG01";
constexpr char kIndexMagic[9] = "DAFSEGIX";
constexpr uint32_t kBlockMagic = 0x42464144u;  // "DAFB"
constexpr size_t kBlockHeader = 16;
constexpr size_t kIndexEntry = 32;
constexpr size_t kTrailer = 24;
constexpr size_t kLeastValueRoom = 4096;  // value bytes that go beside a key as large as a block
constexpr size_t kMaxBlockPayload = (16u << 20) + kMaxKeyBytes;  // beyond it a header is damaged
constexpr size_t kOutBytes = 256u << 10;

inline uint32_t BlockCrc(const uint8_t* header, const uint8_t* payload, size_t size) {
  return Crc32c(Crc32c(0, header + 4, 8), payload, size);
}

inline void EncodeIndexEntry(const SegmentInfo& info, uint8_t* p) {
  Store64(p, info.offset);
  Store64(p + 8, info.bytes);
  Store64(p + 16, info.records);
  Store32(p + 24, info.crc);
  Store32(p + 28, 0);
}

inline SegmentInfo DecodeIndexEntry(const uint8_t* p) {
  return {Load64(p), Load64(p + 8), Load64(p + 16), Load32(p + 24)};
}

}  // namespace daf
