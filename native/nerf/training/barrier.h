// Where the threads of one training wait for each other, and learn that one of them gave up.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "native/base/control.h"
#include "native/base/status.h"

namespace daf::nerf {

class Barrier {
 public:
  explicit Barrier(uint32_t parties)
      : parties_(parties), spins_(parties <= std::thread::hardware_concurrency() ? kSpins : 0) {}

  // Returns once every party has called. Errors: what a party failed with before all had arrived,
  // kCancelled when this party's own control says so meanwhile.
  Status Wait(const TaskControl& control) {
    uint64_t mine;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!failure_.ok()) return failure_;
      mine = round_.load(std::memory_order_relaxed);
      if (++arrived_ == parties_) {
        arrived_ = 0;
        round_.store(mine + 1, std::memory_order_release);
        changed_.notify_all();
        return Status::Ok();
      }
    }
    for (uint32_t i = 0; i < spins_ && !failed_.load(std::memory_order_relaxed); ++i) {
      if (round_.load(std::memory_order_acquire) != mine) return Status::Ok();
      Pause();
    }
    std::unique_lock<std::mutex> lock(mutex_);
    const auto passed = [&] { return round_.load(std::memory_order_relaxed) != mine; };
    while (!passed() && failure_.ok()) {
      changed_.wait_for(lock, std::chrono::milliseconds(5));
      if (!passed() && control.cancelled()) FailLocked(control.Check());
    }
    return passed() ? Status::Ok() : failure_;
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
    failed_.store(false, std::memory_order_relaxed);
  }

 private:
  // To wake a thread that sleeps takes as long as the shorter waits do. Where every thread has a
  // processor, it looks for a while before it sleeps: a fraction of a millisecond.
  static constexpr uint32_t kSpins = 10000;

  static void Pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
  }

  void FailLocked(const Status& status) {
    if (failure_.ok()) failure_ = status;
    failed_.store(true, std::memory_order_relaxed);
    changed_.notify_all();
  }

  const uint32_t parties_, spins_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint32_t arrived_ = 0, forgot_ = 0;
  std::atomic<uint64_t> round_{0};
  Status failure_;
  std::atomic<bool> failed_{false};  // !failure_.ok(), for those that hold no lock
};

}  // namespace daf::nerf
