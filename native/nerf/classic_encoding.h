// Where the rows of a positional encoding lie.
#pragma once

#include "native/nerf/dense.h"
#include "native/nerf/field.h"

namespace daf::nerf {

// The kernel writes the input itself and then 6 rows a frequency. Layers see those from `skipped`
// on, padded to a multiple of 4 by rows that are allocated zero and stay so.
struct ClassicEncoding {
  uint32_t frequencies = 0;
  bool raw = true;

  uint32_t skipped() const { return raw ? 0 : 3; }
  uint32_t real() const { return (raw ? 3 : 0) + 6 * frequencies; }
  uint32_t rows() const { return RoundUp4(real()); }  // as layers see it
  uint32_t allocated() const { return skipped() + rows(); }
};

}  // namespace daf::nerf
