// Colours for the parts of a surface where none are known.
#pragma once

#include <vector>

#include "native/base/control.h"
#include "native/mesh/mesh.h"

namespace daf::mesh {

// Gives vertices that are not known the colours of those around them: ring by ring outwards from
// the known ones the mean of the ring before, then evened out. Nothing happens where none is known.
// Errors: kCancelled.
Status SpreadColors(const Mesh& mesh, const std::vector<bool>& known, const TaskControl& control,
                    std::vector<Point>* colors);

}  // namespace daf::mesh
