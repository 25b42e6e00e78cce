// Lines with a width on a canvas, hidden by what lies before them.
#pragma once

#include "native/head/synth/faces/canvas.h"
#include "native/head/synth/faces/draw.h"

namespace daf::head {

struct Point {
  float x, y, depth;
};

// Where a point of head space is seen; far outside the canvas where it lies behind the camera.
Point See(const Sitter& sitter, float x, float y, float z);

// A thick line of discs. gleam: how much brighter its upper edge is.
void Stroke(const Point& a, const Point& b, float radius, Colour colour, float gleam,
            Canvas* canvas);

}  // namespace daf::head
