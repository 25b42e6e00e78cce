// The classic field's ways through its network. Both borrow the network, which must outlive
// them; scratch comes from `arena`. Errors: kMemory.
#pragma once

#include <memory>

#include "native/kernels/dot.h"
#include "native/nerf/classic_network.h"

namespace daf::nerf {

// Tiles of a call: a few milliseconds, and a tape of 4 MB when training.
constexpr uint32_t kClassicTiles = 8;

Status NewClassicInference(const ClassicNetwork& network, Arena* arena,
                           std::unique_ptr<FieldPass>* out);
// In bf16, or in bf16 and 8 bits.
Status NewClassicLow(const ClassicNetwork& network, const kernels::DotTable& dots, bool int8,
                     Arena* arena, std::unique_ptr<FieldPass>* out);
Status NewClassicTraining(const ClassicNetwork& network, Arena* arena,
                          std::unique_ptr<FieldPass>* out);

}  // namespace daf::nerf
