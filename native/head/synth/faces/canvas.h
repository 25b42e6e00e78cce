// The film that a training scene is drawn on: linear light and depth, several samples a pixel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "native/base/rng.h"
#include "native/head/synth/paint.h"

namespace daf::head {

struct Canvas {
  int width = 0, height = 0;   // samples
  int samples = 2;             // a pixel, along each side
  std::vector<Colour> light;   // [height][width]
  std::vector<float> depth;    // [height][width] cm to the nearest solid surface, +infinity without
  std::vector<uint8_t> owner;  // [height][width] number of who is seen there, 0 for nobody

  Canvas(int pixels_wide, int pixels_high, int samples_a_side)
      : width(pixels_wide * samples_a_side),
        height(pixels_high * samples_a_side),
        samples(samples_a_side),
        light(static_cast<size_t>(width) * static_cast<size_t>(height)),
        depth(light.size(), std::numeric_limits<float>::infinity()),
        owner(light.size(), 0) {}

  bool Holds(int x, int y) const { return x >= 0 && y >= 0 && x < width && y < height; }
  size_t At(int x, int y) const { return static_cast<size_t>(y) * width + static_cast<size_t>(x); }
};

// Gradients, noise of several scales and clutter of random shapes; behind everything.
void PaintBackdrop(Rng& rng, Canvas* canvas);

// A colour of any hue; its mean is between low and high.
Colour DrawColour(Rng& rng, float low, float high, float most_chroma);

}  // namespace daf::head
