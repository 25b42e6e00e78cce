// What dividing by a light of low order leaves in a face: one side's shadow, and grazing views of
// what is no skin.
#pragma once

#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/head_model.h"
#include "native/head/texture/atlas.h"
#include "native/head/texture/fill.h"

namespace daf::head {

// Brings the two sides of a face to one tone where photos saw both: skin is alike left and right
// over centimetres, light is not. Marks keep their side: what differs more than shade does, or
// within less than about two centimetres, stays.
Status BalanceSides(const HeadModel& model, const Atlas& atlas, const TaskControl& control,
                    const Blend& blend);

// Lowers the confidence of skin that photos saw only weakly (strength[texels], 0…1) in tones far
// from the person's own skin: there a photo shows hair, shadow and backdrop more often than skin.
// On the temples, where hair hangs, photos are doubted however well they saw them.
Status DoubtWeakTones(const HeadModel& model, const Atlas& atlas, const float* strength,
                      const TaskControl& control, const Blend& blend);

}  // namespace daf::head
