// One photo laid onto the atlas: a colour and a weight for every texel that it saw well.
#pragma once

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/head_model.h"
#include "native/head/texture/atlas.h"
#include "native/head/texture/texture_projection.h"

namespace daf::head {

struct SampledView {
  float* colour = nullptr;  // [texels][3] linear
  float* weight =
      nullptr;  // [texels] 0–1: angle to the surface, distance to outlines, matte, saturation
  float* normals = nullptr;  // [V][3] of the view's positions
};

// True for triangles that photos may colour: all but eyes, teeth and the mouth's inside.
std::vector<uint8_t> PhotographedTriangles(const HeadModel& model);

// Visibility by depth buffer: of skin against every part but hair, whose modelled shell may not be
// where the photo's hair is; of hair against all parts. Allocates from `arena`; fills out
// (allocated by the caller) for every texel.
Status SampleView(const HeadModel& model, const Atlas& atlas,
                  const std::vector<uint8_t>& photographed, const TextureView& view, Arena& arena,
                  const TaskControl& control, const SampledView& out);

}  // namespace daf::head
