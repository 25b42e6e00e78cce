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
  void Sample(float u, float v, float texels_per_pixel, float out[4]) const {
    Sample(u, v, LevelFor(texels_per_pixel), out);
  }

  // Between which two halvings to look, to share between lookups.
  struct Level {
    size_t lower;
    float t;  // 0: all of `lower`, 1: all of the next
  };
  Level LevelFor(float texels_per_pixel) const;
  void Sample(float u, float v, const Level& level, float out[4]) const;

 private:
  struct Picture {
    int width, height;
    std::vector<uint8_t> texels;
  };
  std::vector<Picture> levels_;
};

}  // namespace daf::head
