// Distance transforms and box means over a picture: the few image operations that matte and texture
// share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace daf::head {

// distance[height][width] := pixels to the nearest pixel for which inside(x, y) holds, by the 1–√2
// chamfer metric. inside(x, y) is asked once per pixel. 1e9 everywhere when there is no such pixel.
template <typename Inside>
void DistanceTo(const Inside& inside, int width, int height, float* distance) {
  constexpr float kFar = 1e9f, kDiagonal = 1.41421356f;
  const auto at = [&](int x, int y) -> float& {
    return distance[static_cast<size_t>(y) * width + x];
  };
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      float d = inside(x, y) ? 0.0f : kFar;
      if (x > 0) d = std::min(d, at(x - 1, y) + 1);
      if (y > 0) {
        d = std::min(d, at(x, y - 1) + 1);
        if (x > 0) d = std::min(d, at(x - 1, y - 1) + kDiagonal);
        if (x + 1 < width) d = std::min(d, at(x + 1, y - 1) + kDiagonal);
      }
      at(x, y) = d;
    }
  }
  for (int y = height - 1; y >= 0; --y) {
    for (int x = width - 1; x >= 0; --x) {
      float d = at(x, y);
      if (x + 1 < width) d = std::min(d, at(x + 1, y) + 1);
      if (y + 1 < height) {
        d = std::min(d, at(x, y + 1) + 1);
        if (x > 0) d = std::min(d, at(x - 1, y + 1) + kDiagonal);
        if (x + 1 < width) d = std::min(d, at(x + 1, y + 1) + kDiagonal);
      }
      at(x, y) = d;
    }
  }
}

// Mean over the (2·radius+1)² window, cut off at the border, in place; scratch[height][width].
inline void BoxMean(float* image, int width, int height, int radius, float* scratch) {
  for (int y = 0; y < height; ++y) {
    const float* row = image + static_cast<size_t>(y) * width;
    float* out = scratch + static_cast<size_t>(y) * width;
    double sum = 0;
    for (int x = 0; x < width && x < radius; ++x) sum += row[x];
    const auto mean = [&](int x) {
      const int first = x - radius < 0 ? 0 : x - radius,
                last = x + radius >= width ? width - 1 : x + radius;
      return static_cast<float>(sum / (last - first + 1));
    };
    int x = 0;
    for (; x < width && x <= radius; ++x) {
      if (x + radius < width) sum += row[x + radius];
      out[x] = mean(x);
    }
    const double share = 1.0 / (2 * radius + 1);
    for (; x + radius < width; ++x) {
      sum += double{row[x + radius]} - row[x - radius - 1];
      out[x] = static_cast<float>(sum * share);
    }
    for (; x < width; ++x) {
      sum -= row[x - radius - 1];
      out[x] = mean(x);
    }
  }
  // The columns side by side: one after the other every pixel would be a cache line of its own.
  std::vector<double> sums(static_cast<size_t>(width), 0.0);
  const auto add = [&](int y, double sign) {
    const float* row = scratch + static_cast<size_t>(y) * width;
    for (int x = 0; x < width; ++x) sums[static_cast<size_t>(x)] += sign * row[x];
  };
  for (int y = 0; y < height && y < radius; ++y) add(y, 1);
  for (int y = 0; y < height; ++y) {
    if (y + radius < height) add(y + radius, 1);
    if (y - radius - 1 >= 0) add(y - radius - 1, -1);
    const int first = y - radius < 0 ? 0 : y - radius,
              last = y + radius >= height ? height - 1 : y + radius;
    const double share = 1.0 / (last - first + 1);
    float* row = image + static_cast<size_t>(y) * width;
    for (int x = 0; x < width; ++x)
      row[x] = static_cast<float>(sums[static_cast<size_t>(x)] * share);
  }
}

}  // namespace daf::head
