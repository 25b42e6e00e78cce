// A sorted stream of pieces: what a sort buffer and a merge have in common.
#pragma once

#include "native/shuffle/record.h"

namespace daf {

class SortedStream {
 public:
  virtual ~SortedStream() = default;
  // The next piece in order, or *more = false at the end. The views of a piece stay valid until the
  // next call. first/last are not set: GroupPacker decides groups. Errors: kBadData, kIo,
  // kCancelled.
  virtual Status Next(Piece* out, bool* more) = 0;
};

}  // namespace daf
