// The head that DAF carries: authored as a signed distance field and computed, not loaded.
#pragma once

#include <memory>
#include <vector>

#include "native/head/head_model.h"

namespace daf::head {

// Built at first use (under a second), then shared by the process; the same bytes every time.
// Parts: skin, mouth (its lining), socket (behind the lids), eye_right, eye_left, teeth_upper,
// teeth_lower, tongue, hair. Errors: kInternal.
Status BuiltinHead(std::shared_ptr<const HeadModel>* out);

// What a painter must know of the embedded head's places, beside its shape.
struct HeadMarks {
  std::vector<float>
      hair;  // [V] on scalp and hair shell: 0 at the hairline … 1 well within; 0 elsewhere
  // Rectangles of the texture (middle u, v, half width, half height) in which the rings of a patch
  // shrink to the middle: a ring's share of its rectangle says what it is.
  float mouth[4], eye[2][4];  // 0: the subject's right
  float lip_border = 0.52f, lip_contact = 0.22f, lid_edge = 0.25f, lid_back = 0.21f;  // shares
};
Status BuiltinMarks(std::shared_ptr<const HeadMarks>* out);

}  // namespace daf::head
