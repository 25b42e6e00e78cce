// Memory that counts. V8's limits see neither malloc nor ArrayBuffers, so every large native buffer
// is taken from an Arena, and every Arena draws on a Budget that refuses before the kernel kills
// us.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "native/base/status.h"

namespace daf {

// A limit in bytes shared by all arenas of a process. Thread-safe.
class Budget {
 public:
  // limit: bytes; 0 means unlimited.
  explicit Budget(size_t limit = 0) : limit_(limit) {}
  // The one budget of this process; the worker sets its limit at start.
  static Budget& Process();

  void SetLimit(size_t bytes) { limit_.store(bytes, std::memory_order_relaxed); }
  size_t limit() const { return limit_.load(std::memory_order_relaxed); }
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  // High-water mark of used() since the start or the last ResetPeak().
  size_t peak() const { return peak_.load(std::memory_order_relaxed); }
  void ResetPeak() { peak_.store(used(), std::memory_order_relaxed); }

  Status Take(size_t bytes);
  void Give(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<size_t> limit_;
  std::atomic<size_t> used_{0};
  std::atomic<size_t> peak_{0};
};

// Bump allocator over large blocks. Reset() forgets the objects and keeps the blocks for the next
// task, so steady-state tasks allocate nothing. Only trivially destructible types; one thread at a
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
  // Gives every block back to the system and the budget.
  void Release();
  size_t reserved_bytes() const { return reserved_; }

 private:
  struct Block {
    char* data;
    size_t size;
  };
  Status AllocateBytes(size_t bytes, void** out);

  Budget& budget_;
  size_t block_bytes_;
  size_t reserved_ = 0;
  std::vector<Block> blocks_;
  size_t current_ = 0;  // block being filled
  size_t offset_ = 0;   // first free byte in it
};

}  // namespace daf
