// The JSON header of a safetensors file, as a strict parser of that one grammar (no general JSON:
// what the format does not define is refused).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "native/base/status.h"

namespace daf::internal {

struct HeaderEntry {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;
  uint64_t begin = 0, end = 0;  // bytes, relative to the end of the header
};

// Errors: kBadData with the position and, where known, the tensor.
Status ParseHeader(const char* text, size_t size, std::vector<HeaderEntry>* entries,
                   std::map<std::string, std::string>* metadata);
bool ValidUtf8(const std::string& text);
// The JSON string literal of a UTF-8 text.
std::string Quote(const std::string& text);

}  // namespace daf::internal
