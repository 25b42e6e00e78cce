// Shared by the fields' Save and Load: what they are in the metadata, dense layers as named tensors
// without their padding.
#pragma once

#include <string>
#include <vector>

#include "native/base/safetensors.h"
#include "native/nerf/dense.h"
#include "native/nerf/field.h"

namespace daf::nerf {

// Errors: kBadData when the key is missing, no number, or outside [least, most].
Status ReadUint(const SafetensorsFile& file, const std::string& key, uint32_t least, uint32_t most,
                uint32_t* out);
Status ReadFloats(const SafetensorsFile& file, const std::string& key, size_t count, float* out);
std::string FloatsText(const float* values,
                       size_t count);  // separated by spaces, exact when read back

// A whole number of a field's configuration, as its checkpoint's metadata keeps it.
struct ConfigNumber {
  const char* key;
  uint32_t least, most;
  uint32_t* value;
};
// Defined beside each field.
std::vector<ConfigNumber> ConfigNumbers(HashGridConfig* config);
std::vector<ConfigNumber> ConfigNumbers(ClassicConfig* config);
// The field's kind and configuration. ReadConfig's errors: as ReadUint.
void SaveConfig(const Field& field, const std::vector<ConfigNumber>& numbers,
                SafetensorsWriter* writer);
Status ReadConfig(const SafetensorsFile& file, const std::vector<ConfigNumber>& numbers);

// A layer's tensors are "<name>.weight" [out][real_in] and "<name>.bias" [out].
struct NamedDense {
  std::string name;
  const Dense* layer;
  uint32_t real_in;  // inputs without the padding at their end
};
// `scratch` keeps the unpadded copies alive until the writer is done.
Status SaveLayers(const std::vector<NamedDense>& layers, const float* parameters, Arena* scratch,
                  SafetensorsWriter* writer);
Status LoadLayers(const SafetensorsFile& file, const std::vector<NamedDense>& layers,
                  float* parameters);

}  // namespace daf::nerf
