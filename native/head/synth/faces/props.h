// What comes between a camera and a face: hair, glasses, hats, hands, things.
#pragma once

#include "native/base/rng.h"
#include "native/head/synth/faces/canvas.h"
#include "native/head/synth/faces/draw.h"

namespace daf::head {

// Locks over the ears, the temples and the forehead, of any length; the head's own hair lies below.
void DrawHair(Rng& rng, const Sitter& sitter, const LightRig& rig, Canvas* canvas);
// A beard with some volume, a moustache, or both.
void DrawBeard(Rng& rng, const Sitter& sitter, const LightRig& rig, Canvas* canvas);
void DrawGlasses(Rng& rng, const Sitter& sitter, Canvas* canvas);
void DrawHat(Rng& rng, const Sitter& sitter, Canvas* canvas);

// Of anyone's skin.
Colour DrawSkinColour(Rng& rng);

// A hand whose fingers end at (x, y) samples, about `size` samples long.
void DrawHand(Rng& rng, float x, float y, float size, Canvas* canvas);
// A bar, a disc or a lump of any colour at (x, y), about `size` samples wide.
void DrawThing(Rng& rng, float x, float y, float size, Canvas* canvas);
// What finders of faces fall for, about `size` samples wide: balls, leaves, writing, folds, grids.
void DrawDecoy(Rng& rng, float x, float y, float size, Canvas* canvas);

}  // namespace daf::head
