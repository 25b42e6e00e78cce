// The function tables that plugins see, each entry leading into a PluginSession.
#pragma once

#include "native/abi/daf_plugin.h"

namespace daf {

class PluginSession;

MapContext MapCallbacks(PluginSession* session);
ReduceContext ReduceCallbacks(PluginSession* session);

}  // namespace daf
