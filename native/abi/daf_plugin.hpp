// The plugin contract for C++: write plain functions, and let these macros keep exceptions inside.
//
//   static bool Map(MapContext& context) { return context.emit("key", "value"); }
//   DAF_PLUGIN("mine", "1.0", DAF_INPUT_RECORDS)
//   DAF_PLUGIN_MAP(Map)
//   DAF_PLUGIN_REDUCE(Reduce)      // bool Reduce(std::string_view key, ReduceContext& context)
#pragma once

#include <exception>
#include <new>

#include "daf_plugin.h"

namespace daf_plugin {

// Runs the body; whatever it throws becomes a failure of the task.
template <typename Context, typename Body>
bool Guard(Context* context, Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return context->fail("out of memory");
  } catch (const std::exception& error) {
    return context->fail(error.what());
  } catch (...) {
    return context->fail("an exception of an unknown type");
  }
}

}  // namespace daf_plugin

#define DAF_PLUGIN(name, version, input)                                                         \
  extern "C" DAF_EXPORT const DafPluginInfo* DafPluginGetInfo(void) {                            \
    static const DafPluginInfo info = {DAF_ABI, sizeof(DafPluginInfo), name, version, input, 0}; \
    return &info;                                                                                \
  }
#define DAF_PLUGIN_MAP(function)                                                 \
  extern "C" DAF_EXPORT bool MapMain(MapContext* context) {                      \
    return daf_plugin::Guard(context, [context] { return function(*context); }); \
  }
#define DAF_PLUGIN_REDUCE(function)                                                             \
  extern "C" DAF_EXPORT bool ReduceMain(const char* key, ReduceContext* context) {              \
    return daf_plugin::Guard(                                                                   \
        context, [=] { return function(std::string_view(key, context->key_size), *context); }); \
  }
#define DAF_PLUGIN_COMBINE(function)                                                            \
  extern "C" DAF_EXPORT bool CombineMain(const char* key, ReduceContext* context) {             \
    return daf_plugin::Guard(                                                                   \
        context, [=] { return function(std::string_view(key, context->key_size), *context); }); \
  }
