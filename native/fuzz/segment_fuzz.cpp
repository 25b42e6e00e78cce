// Any bytes as a segment file: as they are, and with the checksums of its index and of each
// segment's first block made right, so that what lies behind them is reached too.
#include <algorithm>
#include <vector>

#include "native/base/crc32c.h"
#include "native/fuzz/input_file.h"
#include "native/shuffle/segment.h"
#include "native/shuffle/segment_format.h"

namespace daf {
namespace {

std::vector<SegmentInfo> Read(const std::vector<uint8_t>& bytes) {
  const fuzz::InputFile input(bytes.data(), bytes.size());
  File file;
  std::vector<SegmentInfo> index;
  if (!file.OpenRead(input.path()).ok() || !ReadSegmentIndex(file, &index).ok()) return {};
  for (const SegmentInfo& info : index) (void)VerifySegment(file, info).ok();
  return index;
}

void RepairIndex(std::vector<uint8_t>* bytes) {
  if (bytes->size() < kTrailer) return;
  uint8_t* trailer = bytes->data() + bytes->size() - kTrailer;
  const uint64_t index = Load64(trailer);
  if (index > bytes->size() - kTrailer) return;
  Store32(trailer + 12, Crc32c(0, bytes->data() + index, bytes->size() - kTrailer - index + 12));
}

void RepairBlock(uint64_t at, std::vector<uint8_t>* bytes) {
  if (bytes->size() < kBlockHeader || at > bytes->size() - kBlockHeader) return;
  uint8_t* head = bytes->data() + at;
  const size_t size = std::min<size_t>(Load32(head + 4), bytes->size() - at - kBlockHeader);
  Store32(head + 12, BlockCrc(head, head + kBlockHeader, size));
}

}  // namespace
}  // namespace daf

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace daf;
  Budget::Process().SetLimit(size_t{256} << 20);
  std::vector<uint8_t> bytes(data, data + size);
  (void)Read(bytes);
  RepairIndex(&bytes);
  for (const SegmentInfo& info : Read(bytes)) RepairBlock(info.offset, &bytes);
  RepairIndex(&bytes);
  (void)Read(bytes);
  return 0;
}
