// Any bytes as a safetensors file: every tensor is read in every way.
#include "native/base/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace daf;
  SafetensorsFile file;
  if (!SafetensorsFile::Parse(data, size, &file).ok()) return 0;
  for (const Tensor& tensor : file.tensors()) {
    std::vector<float> floats;
    std::vector<uint32_t> words;
    std::vector<uint8_t> bytes;
    (void)file.Floats(tensor.name, tensor.shape, &floats).ok();
    (void)file.Uint32s(tensor.name, tensor.shape, &words).ok();
    (void)file.Bytes(tensor.name, tensor.shape, &bytes).ok();
  }
  return 0;
}
