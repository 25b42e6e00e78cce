// What comes between a camera and a face: glasses, hats, hands, things.
#pragma once

#include "native/base/rng.h"
#include "native/head/synth/faces/canvas.h"
#include "native/head/synth/faces/draw.h"

namespace daf::head {

void DrawGlasses(Rng& rng, const Sitter& sitter, Canvas* canvas);
void DrawHat(Rng& rng, const Sitter& sitter, Canvas* canvas);

// A hand whose fingers end at (x, y) samples, about `size` samples long.
void DrawHand(Rng& rng, float x, float y, float size, Canvas* canvas);
// A bar, a disc or a lump of any colour at (x, y), about `size` samples wide.
void DrawThing(Rng& rng, float x, float y, float size, Canvas* canvas);

}  // namespace daf::head
