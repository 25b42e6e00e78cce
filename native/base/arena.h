// Memory that counts. V8's limits see neither malloc nor ArrayBuffers, so every large native buffer
// is taken from an Arena, and every Arena draws on a Budget that refuses before the kernel kills
// us.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include "native/base/status.h"

namespace daf {

// Memory that an arena fills; 64-byte aligned.
struct Block {
  char* data;
  size_t size;
};

// A limit in bytes shared by all arenas of a process. Blocks that arenas give back are kept for the
// next arena, up to a quarter of the limit, so that a task which follows another of its kind asks
// the system for nothing; what is kept counts against the limit and is dropped before anything is
// refused. Thread-safe.
class Budget {
 public:
  // limit: bytes; 0 means unlimited.
  explicit Budget(size_t limit = 0) : limit_(limit) {}
  ~Budget() { DropKept(); }
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;
  // The one budget of this process; the worker sets its limit at start.
  static Budget& Process();

  void SetLimit(size_t bytes);
  size_t limit() const { return limit_.load(std::memory_order_relaxed); }
  // Bytes in use, without those kept.
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t kept() const { return kept_bytes_.load(std::memory_order_relaxed); }
  // Blocks that came from the system, not from what was kept, since the start.
  size_t system_blocks() const { return system_blocks_.load(std::memory_order_relaxed); }
  // High-water mark of used() since the start or the last ResetPeak().
  size_t peak() const { return peak_.load(std::memory_order_relaxed); }
  void ResetPeak() { peak_.store(used(), std::memory_order_relaxed); }

  // Counts memory that comes from elsewhere. Errors: kMemory.
  Status Take(size_t bytes);
  void Give(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  // A block of at least `bytes`, kept or new. Errors: kMemory, from the limit or from the system.
  Status TakeBlock(size_t bytes, Block* out);
  void GiveBlock(const Block& block);
  // Gives what is kept back to the system.
  void DropKept();

 private:
  Status TakeLocked(size_t bytes);
  void DropKeptLocked();
  bool TakeKept(size_t bytes, Block* out);

  std::mutex mutex_;         // of kept_ and of every decision against the limit
  std::vector<Block> kept_;  // the longest kept first
  std::atomic<size_t> limit_;
  std::atomic<size_t> used_{0};
  std::atomic<size_t> kept_bytes_{0};
  std::atomic<size_t> peak_{0};
  std::atomic<size_t> system_blocks_{0};
};

// Bump allocator over large blocks. Reset() forgets the objects and keeps the blocks; Release()
// leaves them to the budget for the next arena. Only trivially destructible types; one thread at a
// time.
class Arena {
 public:
  explicit Arena(Budget& budget = Budget::Process(), size_t block_bytes = size_t{1} << 20)
      : budget_(budget), block_bytes_(block_bytes) {}
  ~Arena() { Release(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // count objects of T, uninitialised, 64-byte aligned, valid until Reset() or Release().
  // Errors: kMemory when the budget refuses; *out is then null.
  template <typename T>
  Status Allocate(size_t count, T** out) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena runs no destructors");
    *out = nullptr;
    if (count > SIZE_MAX / sizeof(T)) return Status(Code::kMemory, "allocation size overflows");
    void* bytes = nullptr;
    DAF_RETURN_IF_ERROR(AllocateBytes(count * sizeof(T), &bytes));
    *out = static_cast<T*>(bytes);
    return Status::Ok();
  }

  void Reset();
  // Gives every block back to the budget.
  void Release();
  size_t reserved_bytes() const { return reserved_; }

 private:
  Status AllocateBytes(size_t bytes, void** out);

  Budget& budget_;
  size_t block_bytes_;
  size_t reserved_ = 0;
  std::vector<Block> blocks_;
  size_t current_ = 0;  // block being filled
  size_t offset_ = 0;   // first free byte in it
};

}  // namespace daf
