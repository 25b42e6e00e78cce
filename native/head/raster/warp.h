// A turned rectangle of a photo as the planes that a network looks at.
#pragma once

#include "native/head/photo.h"

namespace daf::head {

// Turned about its centre, in pixels: its up direction points clockwise from the photo's by the
// angle whose cosine and sine these are. A negative width is a mirror.
struct TurnedBox {
  double center[2], width, height, cosine, sine;
};

struct PlaneNorm {
  bool bgr;             // the order of the planes; rgb otherwise
  double mean, factor;  // a plane holds (value − mean) · factor
  double outside;       // 0…255, seen beyond the photo
};

// out[3][height][width] := the content of the box. Means over the pixels below an output pixel
// where it shrinks, up to 16 × 16 of them, linear interpolation where it grows.
void WarpToPlanes(const PhotoPixels& photo, const TurnedBox& box, int width, int height,
                  const PlaneNorm& norm, float* out);

}  // namespace daf::head
