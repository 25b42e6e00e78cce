// Where the threads of one training wait for each other, and learn that one of them gave up.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "native/base/control.h"
#include "native/base/status.h"

namespace daf::nerf {

class Barrier {
 public:
  explicit Barrier(uint32_t parties) : parties_(parties) {}

  // Returns once every party has called. Errors: what a party failed with before all had arrived,
  // kCancelled when this party's own control says so meanwhile.
  Status Wait(const TaskControl& control) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!failure_.ok()) return failure_;
    const uint64_t mine = round_;
    if (++arrived_ == parties_) {
      arrived_ = 0;
      ++round_;
      changed_.notify_all();
      return Status::Ok();
    }
    while (round_ == mine && failure_.ok()) {
      changed_.wait_for(lock, std::chrono::milliseconds(5));
      if (round_ == mine && control.cancelled()) FailLocked(control.Check());
    }
    return round_ != mine ? Status::Ok() : failure_;
  }

  // Wakes whoever waits; the first failure is the one that everybody hears of.
  void Fail(const Status& status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    FailLocked(status);
  }

  // To be called by every party that heard of a failure: after the last one the barrier is as new.
  void Forget() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (++forgot_ < parties_) return;
    forgot_ = arrived_ = 0;
    failure_ = Status::Ok();
  }

 private:
  void FailLocked(const Status& status) {
    if (failure_.ok()) failure_ = status;
    changed_.notify_all();
  }

  const uint32_t parties_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint32_t arrived_ = 0, forgot_ = 0;
  uint64_t round_ = 0;
  Status failure_;
};

}  // namespace daf::nerf
