#include <cstdlib>
#include <string>

#include "native/base/arena.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

#include <cstring>
#endif

namespace daf {
namespace {
constexpr size_t kAlign = 64;
constexpr size_t kKeptUnlimited = size_t{64} << 20;  // kept where nothing limits the process
constexpr size_t kKeptShare = 4;                     // 1 / of the limit otherwise

constexpr size_t kHugePage = size_t{2} << 20;

// Large blocks are asked for in huge pages: what looks up entries all over a table otherwise waits
// for the translation of their addresses. The odd rest of a block stays in small ones, so that no
// more becomes resident than was counted.
char* SystemBlock(size_t bytes) {
  const size_t align = bytes >= 2 * kHugePage ? kHugePage : kAlign;
  auto* data = static_cast<char*>(std::aligned_alloc(align, (bytes + align - 1) / align * align));
#ifdef MADV_HUGEPAGE
  if (data != nullptr && align == kHugePage)
    madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish: failure costs nothing
#endif
  return data;
}

// Under AddressSanitizer a kept block is as out of bounds as a freed one, and comes back full of
// NaNs: whoever reads what it never wrote shows.
void Poison(const Block& block) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_POISON_MEMORY_REGION(block.data, block.size);
#endif
}
void Unpoison(const Block& block) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_UNPOISON_MEMORY_REGION(block.data, block.size);
  std::memset(block.data, 0xFF, block.size);
#endif
}
void Free(const Block& block) {
  Unpoison(block);
  std::free(block.data);
}
}  // namespace

Budget& Budget::Process() {
  static Budget& budget = *new Budget;  // outlives whatever still runs while the process ends
  return budget;
}

void Budget::SetLimit(size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  limit_.store(bytes, std::memory_order_relaxed);
  DropKeptLocked();
}

Status Budget::Take(size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return TakeLocked(bytes);
}

Status Budget::TakeLocked(size_t bytes) {
  const size_t cap = limit(), before = used();
  if (cap != 0 && (bytes > cap || before > cap - bytes)) {
    return Status(Code::kMemory,
                  "asked for " + std::to_string(bytes) + " bytes with " + std::to_string(before) +
                      " of " + std::to_string(cap) + " in use",
                  "raise --memory, or lower the buffer sizes of the job");
  }
  if (cap != 0 && before + kept() > cap - bytes) DropKeptLocked();
  const size_t now = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (now > peak()) peak_.store(now, std::memory_order_relaxed);
  return Status::Ok();
}

bool Budget::TakeKept(size_t bytes, Block* out) {
  size_t best = kept_.size();
  for (size_t i = 0; i < kept_.size(); ++i) {  // at most twice what was asked for
    const size_t size = kept_[i].size;
    if (size >= bytes && size / 2 <= bytes && (best == kept_.size() || size < kept_[best].size))
      best = i;
  }
  if (best == kept_.size()) return false;
  *out = kept_[best];
  kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(best));
  kept_bytes_.fetch_sub(out->size, std::memory_order_relaxed);
  return true;
}

Status Budget::TakeBlock(size_t bytes, Block* out) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Block block;
  if (TakeKept(bytes, &block)) {
    const Status status = TakeLocked(block.size);
    if (status.ok()) {
      Unpoison(block);
      *out = block;
      return status;
    }
    Free(block);  // larger than what the limit leaves; a new one may just fit
  }
  DAF_RETURN_IF_ERROR(TakeLocked(bytes));
  block = {SystemBlock(bytes), bytes};
  if (block.data == nullptr) {
    DropKeptLocked();
    block.data = SystemBlock(bytes);
  }
  if (block.data == nullptr) {
    Give(bytes);
    return Status(Code::kMemory, "the system refused " + std::to_string(bytes) + " bytes");
  }
  system_blocks_.fetch_add(1, std::memory_order_relaxed);
  *out = block;
  return Status::Ok();
}

void Budget::GiveBlock(const Block& block) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Give(block.size);
  const size_t cap = limit() == 0 ? kKeptUnlimited : limit() / kKeptShare;
  if (block.size > cap) {
    std::free(block.data);
    return;
  }
  Poison(block);
  kept_.push_back(block);
  kept_bytes_.fetch_add(block.size, std::memory_order_relaxed);
  while (kept() > cap) {
    Free(kept_.front());
    kept_bytes_.fetch_sub(kept_.front().size, std::memory_order_relaxed);
    kept_.erase(kept_.begin());
  }
}

void Budget::DropKept() {
  const std::lock_guard<std::mutex> lock(mutex_);
  DropKeptLocked();
}

void Budget::DropKeptLocked() {
  for (const Block& block : kept_) Free(block);
  kept_.clear();
  kept_bytes_.store(0, std::memory_order_relaxed);
}

}  // namespace daf
