// An RGBA8 image with its halvings, for filtered lookups.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/status.h"

namespace daf::head {

class MipTexture {
 public:
  // Copies the image ([height][width][4], sRGB) and halves it down to one texel. Errors:
  // kBadArgument for an empty image or one above 8192 a side, kMemory.
  Status Build(const uint8_t* rgba, int width, int height);
  bool empty() const { return levels_.empty(); }
  int width() const { return levels_.empty() ? 0 : levels_[0].width; }
  int height() const { return levels_.empty() ? 0 : levels_[0].height; }

  // Trilinear, clamped at the border; (0,0) is the top left corner, `texels_per_pixel` ≥ 0 chooses
  // the halvings. out: r, g, b, a in 0…255, still sRGB.
  void Sample(float u, float v, float texels_per_pixel, float out[4]) const;

 private:
  struct Level {
    int width, height;
    std::vector<uint8_t> texels;
  };
  void Bilinear(const Level& level, float u, float v, float out[4]) const;
  std::vector<Level> levels_;
};

}  // namespace daf::head
