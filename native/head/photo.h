// A photo's pixels, borrowed: sRGB, row by row from the top.
#pragma once

#include <cstddef>
#include <cstdint>

namespace daf::head {

struct PhotoPixels {
  const uint8_t* data = nullptr;  // [height][width][channels]
  int width = 0, height = 0;
  int channels = 3;  // 3 or 4; the fourth is ignored

  const uint8_t* at(int x, int y) const {
    return data + (static_cast<size_t>(y) * width + x) * channels;
  }
};

}  // namespace daf::head
