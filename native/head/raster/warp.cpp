#include "native/head/raster/warp.h"

#include <algorithm>
#include <cmath>

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

}  // namespace

void WarpToPlanes(const PhotoPixels& photo, const TurnedBox& box, int width, int height,
                  const PlaneNorm& norm, float* out) {
  const double step_x = box.width / width, step_y = box.height / height;
  const double longest = std::max(std::abs(step_x), step_y);
  const int taps = static_cast<int>(std::clamp(std::ceil(longest - 0.01), 1.0, 16.0));
  const double share = 1.0 / (taps * taps);
  const size_t plane = static_cast<size_t>(width) * static_cast<size_t>(height);
  float* planes[3] = {out, out + plane, out + 2 * plane};
  if (norm.bgr) std::swap(planes[0], planes[2]);
  const double right = photo.width - 1, bottom = photo.height - 1;
  const size_t below = static_cast<size_t>(photo.width) * static_cast<size_t>(photo.channels);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double sum[3] = {0, 0, 0};
      for (int j = 0; j < taps; ++j) {
        const double v = (y + (j + 0.5) / taps) * step_y - box.height / 2;
        for (int i = 0; i < taps; ++i) {
          const double u = (x + (i + 0.5) / taps) * step_x - box.width / 2;
          const double sx = box.center[0] + u * box.cosine - v * box.sine - 0.5,
                       sy = box.center[1] + u * box.sine + v * box.cosine - 0.5;
          if (!(sx >= 0 && sy >= 0 && sx < right && sy < bottom)) {
            AddAtBorder(photo, sx, sy, norm.outside, sum);
            continue;
          }
          const int left = static_cast<int>(sx), top = static_cast<int>(sy);
          const double fx = sx - left, fy = sy - top;
          const double w[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
          const uint8_t *a = photo.at(left, top), *b = a + photo.channels, *c = a + below,
                        *d = c + photo.channels;
          for (int k = 0; k < 3; ++k)
            sum[k] += w[0] * a[k] + w[1] * b[k] + w[2] * c[k] + w[3] * d[k];
        }
      }
      const size_t at =
          static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x);
      for (int k = 0; k < 3; ++k)
        planes[k][at] = static_cast<float>((sum[k] * share - norm.mean) * norm.factor);
    }
  }
}

}  // namespace daf::head
