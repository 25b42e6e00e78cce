// Memory of a size known only at run time, counted by the budget. Pages come from the system when
// they are first touched, so a large declared buffer costs only what a task really uses.
#pragma once

#include <cstddef>
#include <cstdint>

#include "native/base/arena.h"

namespace daf {

class ByteBuffer {
 public:
  explicit ByteBuffer(Budget& budget = Budget::Process()) : budget_(&budget) {}
  ~ByteBuffer() { Release(); }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ByteBuffer(ByteBuffer&& other) noexcept { *this = static_cast<ByteBuffer&&>(other); }
  ByteBuffer& operator=(ByteBuffer&& other) noexcept;

  // At least `bytes` bytes; the first `keep` of what was there stay. Never shrinks. Errors:
  // kMemory.
  Status Reserve(size_t bytes, size_t keep = 0);
  void Release();
  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  Budget* budget_ = nullptr;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace daf
