// Shared by the fields' Save and Load: numbers in the metadata, dense layers as named tensors
// without their padding.
#pragma once

#include <string>
#include <vector>

#include "native/base/safetensors.h"
#include "native/nerf/dense.h"

namespace daf::nerf {

// Errors: kBadData when the key is missing, no number, or outside [least, most].
Status ReadUint(const SafetensorsFile& file, const std::string& key, uint32_t least, uint32_t most,
                uint32_t* out);
Status ReadFloats(const SafetensorsFile& file, const std::string& key, size_t count, float* out);
std::string FloatsText(const float* values,
                       size_t count);  // separated by spaces, exact when read back

// "<name>.weight" [out][real_in] and "<name>.bias" [out]. `scratch` keeps the unpadded copy alive
// until the writer is done.
Status SaveDense(const Dense& layer, const std::string& name, const float* parameters,
                 uint32_t real_in, Arena* scratch, SafetensorsWriter* writer);
Status LoadDense(const SafetensorsFile& file, const Dense& layer, const std::string& name,
                 uint32_t real_in, float* parameters);

}  // namespace daf::nerf
