// The head that DAF carries: authored as a signed distance field and computed, not loaded.
#pragma once

#include <memory>

#include "native/head/head_model.h"

namespace daf::head {

// Built at first use (under a second), then shared by the process; the same bytes every time. Parts: skin, mouth
// (its lining), socket (behind the lids), eye_right, eye_left, teeth_upper, teeth_lower, hair. Errors: kInternal.
Status BuiltinHead(std::shared_ptr<const HeadModel>* out);

}  // namespace daf::head
