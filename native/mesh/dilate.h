// Colours for the texels between the charts of a texture.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/control.h"

namespace daf::mesh {

// Gives every texel of rgb[size][size][3] that is not covered the mean of its covered neighbours,
// and so on outwards, until all are. Nothing happens where none is covered. Errors: kCancelled.
Status Dilate(std::vector<bool> covered, int size, const TaskControl& control, uint8_t* rgb);

}  // namespace daf::mesh
