#include "native/head/raster/warp.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "native/head/raster/four.h"

namespace daf::head {
namespace {

// Adds the linearly interpolated colour at a place some of whose four pixels may lie outside.
void AddAtBorder(const PhotoPixels& photo, double x, double y, double outside, double sum[3]) {
  if (!(x > -1 && y > -1 && x < photo.width && y < photo.height)) {
    for (int c = 0; c < 3; ++c) sum[c] += outside;
    return;
  }
  const int left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
  const double fx = x - left, fy = y - top;
  for (int corner = 0; corner < 4; ++corner) {
    const int px = left + (corner & 1), py = top + (corner >> 1);
    const double weight = ((corner & 1) != 0 ? fx : 1 - fx) * ((corner >> 1) != 0 ? fy : 1 - fy);
    const bool inside = px >= 0 && py >= 0 && px < photo.width && py < photo.height;
    const uint8_t* pixel = inside ? photo.at(px, py) : nullptr;
    for (int c = 0; c < 3; ++c) sum[c] += weight * (inside ? pixel[c] : outside);
  }
}

// Red, green, blue and what lies behind them in memory.
using Colour = FourFloats;

// Linearly interpolated.
inline Colour ColourAt(const PhotoPixels& photo, double x, double y, double outside) {
  const int left = static_cast<int>(x), top = static_cast<int>(y);
  // The last pixel of all has no byte behind it.
  const bool whole = x >= 0 && y >= 0 && left + 1 < photo.width && top + 1 < photo.height &&
                     left + top + 4 < photo.width + photo.height;
  if (!whole) {
    double sum[3] = {0, 0, 0};
    AddAtBorder(photo, x, y, outside, sum);
    return Colour{static_cast<float>(sum[0]), static_cast<float>(sum[1]),
                  static_cast<float>(sum[2]), 0};
  }
  const float fx = static_cast<float>(x - left), fy = static_cast<float>(y - top);
  const uint8_t *a = photo.at(left, top), *c = photo.at(left, top + 1);
  const Colour upper = LoadFour(a), lower = LoadFour(c);
  const Colour above = upper + fx * (LoadFour(a + photo.channels) - upper),
               below = lower + fx * (LoadFour(c + photo.channels) - lower);
  return above + fy * (below - above);
}

}  // namespace

void WarpToPlanes(const PhotoPixels& photo, const TurnedBox& box, int width, int height,
                  const PlaneNorm& norm, float* out) {
  const double step_x = box.width / width, step_y = box.height / height;
  const double longest = std::max(std::abs(step_x), step_y);
  const int taps = static_cast<int>(std::clamp(std::ceil(longest - 0.01), 1.0, 16.0));
  const float share = 1.0f / static_cast<float>(taps * taps);
  const size_t plane = static_cast<size_t>(width) * static_cast<size_t>(height);
  float* planes[3] = {out, out + plane, out + 2 * plane};
  if (norm.bgr) std::swap(planes[0], planes[2]);
  // What a column of looks adds to both coordinates.
  std::vector<double> along(2 * static_cast<size_t>(width) * static_cast<size_t>(taps));
  for (size_t i = 0; i < along.size() / 2; ++i) {
    const size_t x = i / static_cast<size_t>(taps), tap = i % static_cast<size_t>(taps);
    const double u =
        (static_cast<double>(x) + (static_cast<double>(tap) + 0.5) / taps) * step_x - box.width / 2;
    along[2 * i] = u * box.cosine;
    along[2 * i + 1] = u * box.sine;
  }
  std::vector<Colour> sums(static_cast<size_t>(width));
  for (int y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), Colour{});
    for (int j = 0; j < taps; ++j) {
      const double v = (y + (j + 0.5) / taps) * step_y - box.height / 2;
      const double across = v * box.sine, down = v * box.cosine;
      const double* place = along.data();
      for (Colour& sum : sums) {
        for (int i = 0; i < taps; ++i, place += 2) {
          const double sx = box.center[0] + place[0] - across - 0.5,
                       sy = box.center[1] + place[1] + down - 0.5;
          sum += ColourAt(photo, sx, sy, norm.outside);
        }
      }
    }
    const size_t row = static_cast<size_t>(y) * static_cast<size_t>(width);
    for (size_t x = 0; x < sums.size(); ++x) {
      for (int k = 0; k < 3; ++k)
        planes[k][row + x] =
            (sums[x][k] * share - static_cast<float>(norm.mean)) * static_cast<float>(norm.factor);
    }
  }
}

}  // namespace daf::head
