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

// Numbers in [least, most], ascending, separated by one space, or "none".
Status ReadUints(const SafetensorsFile& file, const std::string& key, uint32_t least, uint32_t most,
                 std::vector<uint32_t>* out);
std::string UintsText(const std::vector<uint32_t>& values);

Status ReadFlag(const SafetensorsFile& file, const std::string& key, bool* out);  // "0" or "1"

// A whole number of a field's configuration, as its checkpoint's metadata keeps it.
struct ConfigNumber {
  const char* key;
  uint32_t least, most;
  uint32_t* value;
};
// The field's kind and the numbers of its configuration. ReadNumbers' errors: as ReadUint.
void SaveNumbers(const Field& field, const std::vector<ConfigNumber>& numbers,
                 SafetensorsWriter* writer);
Status ReadNumbers(const SafetensorsFile& file, const std::vector<ConfigNumber>& numbers);

// A checkpoint's whole configuration; each is defined beside its field. Errors: kBadData naming the
// key.
Status ReadConfig(const SafetensorsFile& file, HashGridConfig* out);
Status ReadConfig(const SafetensorsFile& file, ClassicConfig* out);
void SaveConfig(const Field& field, ClassicConfig config, SafetensorsWriter* writer);

// A layer's tensors are "<name>.weight" [out][real_in + second_in] and "<name>.bias" [out]: the
// inputs of its one or two sources, without the padding after each.
struct NamedDense {
  std::string name;
  const Dense* layer;
  uint32_t real_in;
  uint32_t second_at = 0, second_in = 0;  // where the second source begins in the padded inputs
};
// `scratch` keeps the unpadded copies alive until the writer is done.
Status SaveLayers(const std::vector<NamedDense>& layers, const float* parameters, Arena* scratch,
                  SafetensorsWriter* writer);
Status LoadLayers(const SafetensorsFile& file, const std::vector<NamedDense>& layers,
                  float* parameters);

}  // namespace daf::nerf
