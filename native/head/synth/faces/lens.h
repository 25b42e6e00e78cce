// What cameras, resizing and files do to a picture on its way to whoever looks at it.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/rng.h"
#include "native/head/synth/faces/canvas.h"

namespace daf::head {

// Linear film → rgb [height][width][3] sRGB at one sample a pixel: white balance, exposure, tone,
// loss of resolution, blur, motion, noise, sharpening and JPEG's quantisation, each drawn from rng.
// finest: the least share of the resolution that may be left, 0…1.
void Expose(Rng& rng, const Canvas& canvas, float finest, uint8_t* rgb);

// Replaces the picture by what JPEG of this quality (1…100) leaves of it, chroma halved where
// asked. planes: [3][height][width] in 0…255. After the baseline process of ITU-T T.81 with its
// example tables.
void Requantise(int quality, bool halve_chroma, int width, int height, std::vector<float>* planes);

}  // namespace daf::head
