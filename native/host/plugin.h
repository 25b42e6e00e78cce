// A loaded plugin: its info, read first, and its entry points.
#pragma once

#include <string>

#include "native/abi/daf_plugin.h"
#include "native/base/status.h"

namespace daf {

struct Plugin {
  std::string name;
  std::string version;
  uint32_t input = 0;  // DAF_INPUT_…
  uint32_t flags = 0;
  bool (*map)(MapContext*) = nullptr;
  bool (*reduce)(const char*, ReduceContext*) = nullptr;           // null: map-only
  bool (*combine)(const char*, ReduceContext*) = nullptr;          // null: none
  uint32_t (*partition)(const char*, size_t, uint32_t) = nullptr;  // null: the hash of the key
};

// dlopen with RTLD_NOW | RTLD_LOCAL; the ABI is checked before any work of the plugin runs. It is
// never unloaded. Errors: kPlugin saying what is wrong with the file.
Status LoadPlugin(const std::string& path, Plugin* out);

}  // namespace daf
