#include "native/head/raster/texture.h"

#include <algorithm>
#include <cmath>

namespace daf::head {

Status MipTexture::Build(const uint8_t* rgba, int width, int height) {
  if (width <= 0 || height <= 0 || width > 8192 || height > 8192) {
    return Status(Code::kBadArgument, "a texture is between 1 and 8192 texels a side");
  }
  levels_.clear();
  const size_t bytes = size_t{4} * static_cast<size_t>(width) * static_cast<size_t>(height);
  levels_.push_back({width, height, std::vector<uint8_t>(rgba, rgba + bytes)});
  while (levels_.back().width > 1 || levels_.back().height > 1) {
    const Level& from = levels_.back();
    Level to{std::max(1, from.width / 2), std::max(1, from.height / 2), {}};
    to.texels.resize(size_t{4} * static_cast<size_t>(to.width) * static_cast<size_t>(to.height));
    for (int y = 0; y < to.height; ++y) {
      const int y0 = std::min(2 * y, from.height - 1), y1 = std::min(2 * y + 1, from.height - 1);
      for (int x = 0; x < to.width; ++x) {
        const int x0 = std::min(2 * x, from.width - 1), x1 = std::min(2 * x + 1, from.width - 1);
        for (int c = 0; c < 4; ++c) {
          auto at = [&](int px, int py) {
            return int{from.texels[(static_cast<size_t>(py) * from.width + px) * 4 + c]};
          };
          to.texels[(static_cast<size_t>(y) * to.width + x) * 4 + c] =
              static_cast<uint8_t>((at(x0, y0) + at(x1, y0) + at(x0, y1) + at(x1, y1) + 2) / 4);
        }
      }
    }
    levels_.push_back(std::move(to));
  }
  return Status::Ok();
}

void MipTexture::Bilinear(const Level& level, float u, float v, float out[4]) const {
  const float x = std::clamp(u, 0.0f, 1.0f) * level.width - 0.5f;
  const float y = std::clamp(v, 0.0f, 1.0f) * level.height - 0.5f;
  const int ix = static_cast<int>(std::floor(x)), iy = static_cast<int>(std::floor(y));
  const float fx = x - ix, fy = y - iy;
  const int x0 = std::clamp(ix, 0, level.width - 1), x1 = std::clamp(ix + 1, 0, level.width - 1);
  const int y0 = std::clamp(iy, 0, level.height - 1), y1 = std::clamp(iy + 1, 0, level.height - 1);
  const uint8_t* a = &level.texels[(static_cast<size_t>(y0) * level.width + x0) * 4];
  const uint8_t* b = &level.texels[(static_cast<size_t>(y0) * level.width + x1) * 4];
  const uint8_t* c = &level.texels[(static_cast<size_t>(y1) * level.width + x0) * 4];
  const uint8_t* d = &level.texels[(static_cast<size_t>(y1) * level.width + x1) * 4];
  for (int k = 0; k < 4; ++k) {
    out[k] = (a[k] * (1 - fx) + b[k] * fx) * (1 - fy) + (c[k] * (1 - fx) + d[k] * fx) * fy;
  }
}

void MipTexture::Sample(float u, float v, float texels_per_pixel, float out[4]) const {
  const float top = static_cast<float>(levels_.size() - 1);
  const float level = std::clamp(std::log2(std::max(texels_per_pixel, 1.0f)), 0.0f, top);
  const size_t lower = static_cast<size_t>(level);
  const float t = level - static_cast<float>(lower);
  Bilinear(levels_[lower], u, v, out);
  if (t > 0.01f && lower + 1 < levels_.size()) {
    float coarse[4];
    Bilinear(levels_[lower + 1], u, v, coarse);
    for (int k = 0; k < 4; ++k) out[k] += t * (coarse[k] - out[k]);
  }
}

}  // namespace daf::head
