// Models that several threads of one process use: each environment attaches to one by its id and
// gets a handle of its own.
#pragma once

#include <cstdint>
#include <memory>

#include "native/nerf/model.h"

namespace daf::node {

// The model's id in this process: the same one each time it is asked for, never reused. The
// registry does not keep the model alive. Thread-safe.
uint32_t ShareModel(const std::shared_ptr<nerf::Model>& model);
// Null when no such model was shared, or when its last handle is gone. Thread-safe.
std::shared_ptr<nerf::Model> SharedModel(uint32_t id);

}  // namespace daf::node
