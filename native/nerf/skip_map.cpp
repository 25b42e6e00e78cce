#include "native/nerf/skip_map.h"

#include <algorithm>
#include <cstring>

namespace daf::nerf {

Status SkipMap::Build(const Occupancy& grid) {
  const uint32_t n = grid.resolution();
  uint8_t* nearest;
  arena_.Reset();
  DAF_RETURN_IF_ERROR(arena_.Allocate(size_t{n} * n * n + 3, &distance_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(n, &nearest));
  cells_ = n;
  std::memset(distance_, 255, size_t{n} * n * n);
  for (uint32_t z = 0; z < n; ++z) {
    for (uint32_t y = 0; y < n; ++y) {
      uint8_t* row = distance_ + (size_t{z} * n + y) * n;
      for (uint32_t x = 0; x < n; ++x) {
        if (grid.Occupied(x, y, z)) row[x] = 0;
      }
    }
  }
  Sweep(true, nearest);
  Sweep(false, nearest);
  return Status::Ok();
}

// One of the two passes of the chessboard distance transform (Rosenfeld & Pfaltz 1966): every cell
// is at most one farther than each of its 13 neighbours that the pass has visited before it.
void SkipMap::Sweep(bool forward, uint8_t* nearest) {
  const int n = static_cast<int>(cells_), step = forward ? 1 : -1;
  // Rows before this one: (dy, dz).
  const int rows[4][2] = {{-step, 0}, {-step, -step}, {0, -step}, {step, -step}};
  for (int k = 0; k < n; ++k) {
    const int z = forward ? k : n - 1 - k;
    for (int j = 0; j < n; ++j) {
      const int y = forward ? j : n - 1 - j;
      std::memset(nearest, 255, cells_);
      for (const int* offset : rows) {
        const int ny = y + offset[0], nz = z + offset[1];
        if (ny < 0 || ny >= n || nz < 0 || nz >= n) continue;
        const uint8_t* other = distance_ + (static_cast<size_t>(nz) * cells_ + ny) * cells_;
        for (int x = 0; x < n; ++x) {
          const uint8_t beside = std::min(other[std::max(x - 1, 0)], other[std::min(x + 1, n - 1)]);
          nearest[x] = std::min(nearest[x], std::min(other[x], beside));
        }
      }
      uint8_t* row = distance_ + (static_cast<size_t>(z) * cells_ + y) * cells_;
      uint32_t before = 255;
      for (int i = 0; i < n; ++i) {
        const int x = forward ? i : n - 1 - i;
        const uint32_t reached = std::min<uint32_t>(before, nearest[x]) + 1;
        before = std::min<uint32_t>(row[x], std::min(reached, 255u));
        row[x] = static_cast<uint8_t>(before);
      }
    }
  }
}

}  // namespace daf::nerf
