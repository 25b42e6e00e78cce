// How a long loop hears that it should stop and says how far it is. The words live in a
// SharedArrayBuffer that the worker's main thread writes and reads while the task thread computes.
#pragma once

#include <atomic>
#include <cstdint>

#include "native/base/status.h"

namespace daf {

// A view of int32[3] {cancel, done, total}; all null for a caller that needs neither.
// Elements that a loop of a few nanoseconds each may go through between two polls.
constexpr size_t kPoll = 4096;

class TaskControl {
 public:
  TaskControl() = default;
  explicit TaskControl(int32_t* words) : words_(words) {}

  // Poll at least every few milliseconds in any loop that may run longer.
  bool cancelled() const {
    return words_ != nullptr && __atomic_load_n(&words_[0], __ATOMIC_RELAXED) != 0;
  }
  Status Check() const {
    return cancelled() ? Status(Code::kCancelled, "the task was cancelled") : Status::Ok();
  }
  void Progress(int32_t done, int32_t total) const {
    if (words_ == nullptr) return;
    __atomic_store_n(&words_[1], done, __ATOMIC_RELAXED);
    __atomic_store_n(&words_[2], total, __ATOMIC_RELAXED);
  }

 private:
  int32_t* words_ = nullptr;
};

}  // namespace daf
