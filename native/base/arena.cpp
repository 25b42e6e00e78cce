#include "native/base/arena.h"

#include <cstdlib>
#include <string>

namespace daf {
namespace {
constexpr size_t kAlign = 64;
size_t RoundUp(size_t n, size_t to) { return (n + to - 1) / to * to; }
}  // namespace

Budget& Budget::Process() {
  static Budget budget;
  return budget;
}

Status Budget::Take(size_t bytes) {
  size_t before = used_.load(std::memory_order_relaxed);
  do {
    const size_t cap = limit();
    if (cap != 0 && (bytes > cap || before > cap - bytes)) {
      return Status(Code::kMemory,
                    "asked for " + std::to_string(bytes) + " bytes with " + std::to_string(before) +
                        " of " + std::to_string(cap) + " in use",
                    "raise --memory, or lower the buffer sizes of the job");
    }
  } while (!used_.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
  const size_t now = before + bytes;
  size_t peak = peak_.load(std::memory_order_relaxed);
  while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return Status::Ok();
}

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
  DAF_RETURN_IF_ERROR(budget_.Take(size));
  char* data = static_cast<char*>(std::aligned_alloc(kAlign, RoundUp(size, kAlign)));
  if (data == nullptr) {
    budget_.Give(size);
    return Status(Code::kMemory, "the system refused " + std::to_string(size) + " bytes");
  }
  blocks_.push_back({data, size});
  reserved_ += size;
  current_ = blocks_.size() - 1;
  offset_ = bytes;
  *out = data;
  return Status::Ok();
}

void Arena::Reset() {
  current_ = 0;
  offset_ = 0;
}

void Arena::Release() {
  for (const Block& block : blocks_) {
    std::free(block.data);
    budget_.Give(block.size);
  }
  blocks_.clear();
  reserved_ = 0;
  Reset();
}

}  // namespace daf
