// Bytes of a vector or table that no arena holds, counted against the process's budget as long as
// they live.
#pragma once

#include <cstddef>
#include <utility>

#include "native/base/arena.h"

namespace daf::mesh {

class BudgetHold {
 public:
  BudgetHold() = default;
  BudgetHold(BudgetHold&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)) {}
  BudgetHold& operator=(BudgetHold&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BudgetHold() { Budget::Process().Give(bytes_); }

  // Errors: kMemory when the budget refuses more; what was held stays held.
  Status Resize(size_t bytes) {
    if (bytes > bytes_) DAF_RETURN_IF_ERROR(Budget::Process().Take(bytes - bytes_));
    if (bytes < bytes_) Budget::Process().Give(bytes_ - bytes);
    bytes_ = bytes;
    return Status::Ok();
  }

  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

}  // namespace daf::mesh
