// Where the time of one thread of a training goes, by the clock on the wall: waiting counts.
#pragma once

#include <time.h>

#include <cstdint>

namespace daf::nerf {

enum class Phase : uint32_t {
  kRays,     // drawing and marching them, choosing the samples that count
  kDensity,  // of all candidates
  kLearn,    // forward, loss and backward of the samples that count
  kUpdate,   // sums over threads and samples, Adam
  kGrid,     // sweeps of the occupancy grid
  kWait,     // for other threads
};
constexpr uint32_t kPhases = 6;
constexpr const char* kPhaseNames[kPhases] = {"rays", "density", "learn", "update", "grid", "wait"};

struct PhaseSeconds {
  double of[kPhases] = {};

  void Add(const PhaseSeconds& other) {
    for (uint32_t i = 0; i < kPhases; ++i) of[i] += other.of[i];
  }
};

class PhaseClock {
 public:
  // Begins anew.
  void Start(Phase phase) {
    spent_ = PhaseSeconds();
    phase_ = phase;
    since_ = Now();
  }
  // What has passed belongs to the phase so far, which is returned.
  Phase Enter(Phase phase) {
    const double now = Now();
    spent_.of[static_cast<uint32_t>(phase_)] += now - since_;
    since_ = now;
    const Phase before = phase_;
    phase_ = phase;
    return before;
  }
  const PhaseSeconds& spent() const { return spent_; }

 private:
  static double Now() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }

  PhaseSeconds spent_;
  Phase phase_ = Phase::kWait;
  double since_ = 0;
};

}  // namespace daf::nerf
