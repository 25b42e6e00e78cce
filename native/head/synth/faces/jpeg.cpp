#include <algorithm>
#include <array>
#include <cmath>

#include "native/head/synth/faces/lens.h"

namespace daf::head {
namespace {

constexpr int kLuma[64] = {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                           14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                           18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                           49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
constexpr int kChroma[64] = {17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
                             24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
                             99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                             99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

std::array<float, 64> Basis() {
  std::array<float, 64> basis;
  for (int k = 0; k < 8; ++k) {
    for (int n = 0; n < 8; ++n) {
      basis[8 * k + n] = (k == 0 ? std::sqrt(0.125f) : 0.5f) *
                         std::cos(3.14159265f * (static_cast<float>(n) + 0.5f) * k / 8);
    }
  }
  return basis;
}

void Block(const std::array<float, 64>& basis, const float* steps, float* block) {
  float half[64], spectrum[64];
  for (int k = 0; k < 8; ++k)
    for (int x = 0; x < 8; ++x) {
      float sum = 0;
      for (int y = 0; y < 8; ++y) sum += basis[8 * k + y] * block[8 * y + x];
      half[8 * k + x] = sum;
    }
  for (int k = 0; k < 8; ++k)
    for (int j = 0; j < 8; ++j) {
      float sum = 0;
      for (int x = 0; x < 8; ++x) sum += half[8 * k + x] * basis[8 * j + x];
      spectrum[8 * k + j] = std::nearbyint(sum / steps[8 * k + j]) * steps[8 * k + j];
    }
  for (int y = 0; y < 8; ++y)
    for (int j = 0; j < 8; ++j) {
      float sum = 0;
      for (int k = 0; k < 8; ++k) sum += basis[8 * k + y] * spectrum[8 * k + j];
      half[8 * y + j] = sum;
    }
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) {
      float sum = 0;
      for (int j = 0; j < 8; ++j) sum += half[8 * y + j] * basis[8 * j + x];
      block[8 * y + x] = sum;
    }
}

void Plane(const int table[64], int quality, int width, int height, float* plane) {
  static const std::array<float, 64> basis = Basis();
  const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  float steps[64];
  for (int i = 0; i < 64; ++i)
    steps[i] = static_cast<float>(std::clamp((table[i] * scale + 50) / 100, 1, 255));
  float block[64];
  for (int top = 0; top < height; top += 8) {
    for (int left = 0; left < width; left += 8) {
      for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x)
          block[8 * y + x] = plane[static_cast<size_t>(std::min(top + y, height - 1)) * width +
                                   std::min(left + x, width - 1)] -
                             128;
      Block(basis, steps, block);
      for (int y = 0; y < std::min(8, height - top); ++y)
        for (int x = 0; x < std::min(8, width - left); ++x)
          plane[static_cast<size_t>(top + y) * width + left + x] = block[8 * y + x] + 128;
    }
  }
}

}  // namespace

void Requantise(int quality, bool halve_chroma, int width, int height, std::vector<float>* planes) {
  quality = std::clamp(quality, 1, 100);
  const size_t area = static_cast<size_t>(width) * static_cast<size_t>(height);
  float *r = planes->data(), *g = r + area, *b = g + area;
  for (size_t i = 0; i < area; ++i) {
    const float luma = 0.299f * r[i] + 0.587f * g[i] + 0.114f * b[i];
    const float cb = 128 + 0.564f * (b[i] - luma), cr = 128 + 0.713f * (r[i] - luma);
    r[i] = luma;
    g[i] = cb;
    b[i] = cr;
  }
  Plane(kLuma, quality, width, height, r);
  for (float* plane : {g, b}) {
    if (!halve_chroma) {
      Plane(kChroma, quality, width, height, plane);
      continue;
    }
    const int w = (width + 1) / 2, h = (height + 1) / 2;
    std::vector<float> small(static_cast<size_t>(w) * static_cast<size_t>(h));
    for (int y = 0; y < h; ++y)
      for (int x = 0; x < w; ++x) {
        const int x1 = std::min(2 * x + 1, width - 1), y1 = std::min(2 * y + 1, height - 1);
        const size_t upper = static_cast<size_t>(2 * y) * width,
                     lower = static_cast<size_t>(y1) * width;
        small[static_cast<size_t>(y) * w + x] = 0.25f * (plane[upper + 2 * x] + plane[upper + x1] +
                                                         plane[lower + 2 * x] + plane[lower + x1]);
      }
    Plane(kChroma, quality, w, h, small.data());
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        plane[static_cast<size_t>(y) * width + x] = small[static_cast<size_t>(y / 2) * w + x / 2];
  }
  for (size_t i = 0; i < area; ++i) {
    const float luma = r[i], cb = g[i] - 128, cr = b[i] - 128;
    r[i] = luma + 1.402f * cr;
    g[i] = luma - 0.344f * cb - 0.714f * cr;
    b[i] = luma + 1.772f * cb;
  }
}

}  // namespace daf::head
