// The colour of a person's head as a texture in the embedded head's charts.
#pragma once

#include <cstdint>

#include "native/base/control.h"
#include "native/head/head_model.h"
#include "native/head/model/builtin.h"
#include "native/head/synth/person.h"

namespace daf::head {

// Paints skin (melanin and blood, freckles, moles, stubble, brows, lash line, lips), eyes, teeth,
// mouth and hair. rgba: [size][size][4] sRGB albedo; alpha is 255 but on the hair's chart, where it
// is the strands' opacity. Texels outside every chart continue the nearest one, so that filtering
// finds no seam. Only for the embedded head. Errors: kBadArgument (size outside 64…4096, another
// model), kMemory, kCancelled.
Status PaintAlbedo(const HeadModel& model, const HeadMarks& marks, const Looks& looks, int size,
                   const TaskControl& control, uint8_t* rgba);

}  // namespace daf::head
