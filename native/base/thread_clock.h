// Seconds that this thread has computed: on a busy machine the wall clock would measure the others.
#pragma once

#include <time.h>

namespace daf {

inline double ThreadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace daf
