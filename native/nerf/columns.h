// Samples picked from one buffer of tiles into another.
#pragma once

#include <algorithm>
#include <cstdint>

#include "native/kernels/kernels.h"

namespace daf::nerf {

// `count` rows of the samples pick[0 … n) of `from` [tile][from_rows][kTile], which become the
// samples at … at + n − 1 of `to` [tile][to_rows][kTile]. Row by row, so that both stay in L1.
inline void CopyColumns(const float* from, uint32_t from_rows, const uint32_t* pick, uint32_t n,
                        uint32_t at, uint32_t count, float* to, uint32_t to_rows) {
  constexpr uint32_t kTile = kernels::kTile;
  size_t source[kTile];
  for (uint32_t done = 0; done < n;) {
    const uint32_t column = (at + done) % kTile, some = std::min(n - done, kTile - column);
    for (uint32_t i = 0; i < some; ++i) {
      const uint32_t sample = pick[done + i];
      source[i] = size_t{sample / kTile} * from_rows * kTile + sample % kTile;
    }
    float* row = to + size_t{(at + done) / kTile} * to_rows * kTile + column;
    for (uint32_t r = 0; r < count; ++r, row += kTile) {
      const float* const in = from + size_t{r} * kTile;
      for (uint32_t i = 0; i < some; ++i) row[i] = in[source[i]];
    }
    done += some;
  }
}

}  // namespace daf::nerf
