#include "native/host/plugin.h"

#include <dlfcn.h>

namespace daf {
namespace {

template <typename Function>
Function Symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));
}

bool GoodName(const char* name) {
  size_t n = 0;
  for (; name[n] != '\0'; ++n) {
    const char c = name[n];
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (!good || n == 64) return false;
  }
  return n != 0;
}

}  // namespace

Status LoadPlugin(const std::string& path, Plugin* out) {
  const auto bad = [&](const std::string& what, const char* hint = "") {
    return Status(Code::kPlugin, "plugin " + path + ": " + what, hint);
  };
  // A name without a slash would be searched for in the system's library folders.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* error = ::dlerror();
    return bad(error != nullptr ? error : "cannot be loaded",
               "build it for this machine: cc -shared -fPIC -I native/abi …");
  }
  const auto get_info = Symbol<const DafPluginInfo* (*)(void)>(library, "DafPluginGetInfo");
  if (get_info == nullptr) return bad("exports no DafPluginGetInfo", "see native/abi/daf_plugin.h");
  const DafPluginInfo* info = get_info();
  if (info == nullptr) return bad("DafPluginGetInfo returned NULL");
  if (info->abi != DAF_ABI) {
    return bad("was built for plugin ABI " + std::to_string(info->abi) + "; this host speaks " +
                   std::to_string(DAF_ABI),
               "build it again with this version's native/abi/daf_plugin.h");
  }
  if (info->size < sizeof(DafPluginInfo)) return bad("its DafPluginInfo is too small");
  if (info->name == nullptr || !GoodName(info->name))
    return bad("its name must be 1 to 64 of [A-Za-z0-9._-]");
  if (info->input < DAF_INPUT_BLOCKS || info->input > DAF_INPUT_FILES)
    return bad("asks for an unknown kind of input");
  Plugin plugin;
  plugin.name = info->name;
  plugin.version = info->version != nullptr ? info->version : "";
  plugin.input = info->input;
  plugin.flags = info->flags;
  plugin.map = Symbol<bool (*)(MapContext*)>(library, "MapMain");
  plugin.reduce = Symbol<bool (*)(const char*, ReduceContext*)>(library, "ReduceMain");
  plugin.combine = Symbol<bool (*)(const char*, ReduceContext*)>(library, "CombineMain");
  plugin.partition = Symbol<uint32_t (*)(const char*, size_t, uint32_t)>(library, "PartitionMain");
  if (plugin.map == nullptr) return bad("exports no MapMain");
  *out = plugin;
  return Status::Ok();
}

}  // namespace daf
