// What no photo saw: the other side of the face, then the base albedo in the person's colours.
#pragma once

#include <vector>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/head_model.h"
#include "native/head/texture/atlas.h"

namespace daf::head {

// Blended photos in sRGB 0…1, over the whole atlas.
struct Blend {
  float* colour = nullptr;      // [texels][3] all detail
  float* confidence = nullptr;  // [texels] 0–1
};

// Where the mirrored side may bring fine detail with it: 1 at brows, eyes, nostrils and lips, 0 on
// open skin, whose moles and scars belong to one side. [V]
std::vector<float> SymmetricDetail(const HeadModel& model);

// Where bare skin may be expected: 1 near the landmarks of jaw, nose and mouth, 0 at scalp, ears
// and shoulders. Light and skin tone are measured there. [V]
std::vector<float> BareSkin(const HeadModel& model);

// Completes `blend` from the texels across; mirrored[texels] is how much of each is known from
// there, 0–1.
Status FillFromMirror(const HeadModel& model, const Atlas& atlas, Arena& arena,
                      const TaskControl& control, const Blend& blend, float* mirrored);

// gain[V][3]: how the person's colours differ from the base albedo (factor in linear light), known
// where photos are and spread smoothly over the surface from there; parts that no photo saw take
// the skin's. base: [size][size][4] sRGB. skin_gain: the median over bare skin, 1 when nothing was
// seen.
Status SpreadGain(const HeadModel& model, const Atlas& atlas, const Blend& blend,
                  const uint8_t* base, const std::vector<uint8_t>& photographed, bool mirror,
                  Arena& arena, const TaskControl& control, float* gain, float skin_gain[3]);

}  // namespace daf::head
