#include "native/mesh/dilate.h"

#include <algorithm>

namespace daf::mesh {
namespace {

// Calls visit(index) for the up to eight neighbours of a texel.
template <typename Visit>
void EachNeighbour(uint32_t texel, int size, Visit visit) {
  const int x = static_cast<int>(texel) % size, y = static_cast<int>(texel) / size;
  for (int ny = std::max(y - 1, 0); ny <= std::min(y + 1, size - 1); ++ny) {
    for (int nx = std::max(x - 1, 0); nx <= std::min(x + 1, size - 1); ++nx) {
      if (nx != x || ny != y) visit(static_cast<uint32_t>(ny * size + nx));
    }
  }
}

}  // namespace

Status Dilate(std::vector<bool> covered, int size, const TaskControl& control, uint8_t* rgb) {
  std::vector<bool> queued = covered;
  std::vector<uint32_t> ring, next;
  const auto queue_around = [&](uint32_t texel) {
    EachNeighbour(texel, size, [&](uint32_t n) {
      if (queued[n]) return;
      queued[n] = true;
      next.push_back(n);
    });
  };
  for (uint32_t texel = 0; texel < covered.size(); ++texel) {
    if (covered[texel]) queue_around(texel);
  }
  while (!next.empty()) {
    DAF_RETURN_IF_ERROR(control.Check());
    std::swap(ring, next);
    next.clear();
    for (const uint32_t texel : ring) {
      uint32_t sum[3] = {0, 0, 0}, count = 0;
      EachNeighbour(texel, size, [&](uint32_t n) {
        if (!covered[n]) return;
        for (size_t c = 0; c < 3; ++c) sum[c] += rgb[3 * size_t{n} + c];
        ++count;
      });
      for (size_t c = 0; c < 3; ++c)
        rgb[3 * size_t{texel} + c] = static_cast<uint8_t>((sum[c] + count / 2) / count);
    }
    for (const uint32_t texel : ring) covered[texel] = true;
    for (const uint32_t texel : ring) queue_around(texel);
  }
  return Status::Ok();
}

}  // namespace daf::mesh
