#include "native/base/arena.h"

namespace daf {
namespace {
constexpr size_t kAlign = 64;
size_t RoundUp(size_t n, size_t to) { return (n + to - 1) / to * to; }
}  // namespace

Status Arena::AllocateBytes(size_t bytes, void** out) {
  if (bytes > SIZE_MAX - kAlign) return Status(Code::kMemory, "allocation size overflows");
  bytes = RoundUp(bytes == 0 ? 1 : bytes, kAlign);
  while (current_ < blocks_.size()) {
    if (blocks_[current_].size - offset_ >= bytes) {
      *out = blocks_[current_].data + offset_;
      offset_ += bytes;
      return Status::Ok();
    }
    ++current_;
    offset_ = 0;
  }
  const size_t size = bytes > block_bytes_ ? bytes : block_bytes_;
  Block block;
  DAF_RETURN_IF_ERROR(budget_.TakeBlock(size, &block));
  blocks_.push_back(block);
  reserved_ += block.size;
  current_ = blocks_.size() - 1;
  offset_ = bytes;
  *out = block.data;
  return Status::Ok();
}

void Arena::Reset() {
  current_ = 0;
  offset_ = 0;
}

void Arena::Release() {
  for (const Block& block : blocks_) budget_.GiveBlock(block);
  blocks_.clear();
  reserved_ = 0;
  Reset();
}

}  // namespace daf
