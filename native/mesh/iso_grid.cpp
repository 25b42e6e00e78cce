#include "native/mesh/iso_grid.h"

#include <cmath>
#include <string>

namespace daf::mesh {
namespace {

// Areas and their sums stay numbers, and a box of a million cells' width is not one place.
constexpr float kFar = 1e9f;

}  // namespace

float IsoGrid::Outside() const { return iso - std::fmax(1.0f, std::fabs(iso)); }

Status IsoGrid::Check() const {
  if (resolution < 1 || resolution > 1024) {
    return Status(Code::kBadArgument,
                  "resolution " + std::to_string(resolution) + " is not within 1 and 1024");
  }
  for (int axis = 0; axis < 3; ++axis) {
    if (!(low[axis] < high[axis])) return Status(Code::kBadArgument, "the box is empty");
    if (!(low[axis] > -kFar && high[axis] < kFar))
      return Status(Code::kBadArgument, "the box reaches farther than 1e9");
  }
  return Status::Ok();
}

Status CheckFinite(const float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i]))
      return Status(Code::kBadData, "the field gave a value that is not finite");
  }
  return Status::Ok();
}

}  // namespace daf::mesh
