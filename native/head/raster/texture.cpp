#include "native/head/raster/texture.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/head/raster/four.h"

namespace daf::head {
namespace {

// Four RGBA texels as one: sums of two channels at a time have room in the bytes between them.
uint32_t MeanOf(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  constexpr uint32_t kEven = 0x00ff00ffu, kHalf = 0x00020002u;
  const uint32_t even = (a & kEven) + (b & kEven) + (c & kEven) + (d & kEven) + kHalf;
  const uint32_t odd =
      (a >> 8 & kEven) + (b >> 8 & kEven) + (c >> 8 & kEven) + (d >> 8 & kEven) + kHalf;
  return (even >> 2 & kEven) | (odd >> 2 & kEven) << 8;
}

uint32_t TexelAt(const uint8_t* texels, size_t index) {
  uint32_t texel;
  std::memcpy(&texel, texels + 4 * index, 4);
  return texel;
}

FourFloats Bilinear(const uint8_t* texels, int width, int height, float u, float v) {
  const float x = std::clamp(u, 0.0f, 1.0f) * width - 0.5f;
  const float y = std::clamp(v, 0.0f, 1.0f) * height - 0.5f;
  int ix = static_cast<int>(x), iy = static_cast<int>(y);  // rounded towards 0
  ix -= static_cast<float>(ix) > x;
  iy -= static_cast<float>(iy) > y;
  const float fx = x - ix, fy = y - iy;
  const int x0 = std::clamp(ix, 0, width - 1), x1 = std::clamp(ix + 1, 0, width - 1);
  const int y0 = std::clamp(iy, 0, height - 1), y1 = std::clamp(iy + 1, 0, height - 1);
  const uint8_t* upper = texels + static_cast<size_t>(y0) * width * 4;
  const uint8_t* lower = texels + static_cast<size_t>(y1) * width * 4;
  const size_t left = size_t{4} * x0, right = size_t{4} * x1;
  return (LoadFour(upper + left) * (1 - fx) + LoadFour(upper + right) * fx) * (1 - fy) +
         (LoadFour(lower + left) * (1 - fx) + LoadFour(lower + right) * fx) * fy;
}

}  // namespace

Status MipTexture::Build(const uint8_t* rgba, int width, int height) {
  if (width <= 0 || height <= 0 || width > 8192 || height > 8192) {
    return Status(Code::kBadArgument, "a texture is between 1 and 8192 texels a side");
  }
  levels_.clear();
  const size_t bytes = size_t{4} * static_cast<size_t>(width) * static_cast<size_t>(height);
  levels_.push_back({width, height, std::vector<uint8_t>(rgba, rgba + bytes)});
  while (levels_.back().width > 1 || levels_.back().height > 1) {
    const Picture& from = levels_.back();
    Picture to{std::max(1, from.width / 2), std::max(1, from.height / 2), {}};
    to.texels.resize(size_t{4} * static_cast<size_t>(to.width) * static_cast<size_t>(to.height));
    const size_t beside = from.width > 1 ? 1 : 0, below = from.height > 1 ? from.width : 0;
    for (int y = 0; y < to.height; ++y) {
      uint8_t* row = to.texels.data() + size_t{4} * static_cast<size_t>(y) * to.width;
      for (int x = 0; x < to.width; ++x) {
        const size_t at = 2 * (static_cast<size_t>(y) * from.width + static_cast<size_t>(x));
        const uint8_t* texels = from.texels.data();
        const uint32_t mean =
            MeanOf(TexelAt(texels, at), TexelAt(texels, at + beside), TexelAt(texels, at + below),
                   TexelAt(texels, at + below + beside));
        std::memcpy(row + 4 * static_cast<size_t>(x), &mean, 4);
      }
    }
    levels_.push_back(std::move(to));
  }
  return Status::Ok();
}

MipTexture::Level MipTexture::LevelFor(float texels_per_pixel) const {
  const float top = static_cast<float>(levels_.size() - 1);
  const float level = std::clamp(std::log2(std::max(texels_per_pixel, 1.0f)), 0.0f, top);
  const size_t lower = static_cast<size_t>(level);
  return {lower, level - static_cast<float>(lower)};
}

void MipTexture::Sample(float u, float v, const Level& level, float out[4]) const {
  const Picture& fine = levels_[level.lower];
  FourFloats texel = Bilinear(fine.texels.data(), fine.width, fine.height, u, v);
  if (level.t > 0.01f && level.lower + 1 < levels_.size()) {
    const Picture& next = levels_[level.lower + 1];
    texel += level.t * (Bilinear(next.texels.data(), next.width, next.height, u, v) - texel);
  }
  for (int k = 0; k < 4; ++k) out[k] = texel[k];
}

}  // namespace daf::head
