/* A plugin for an ABI that never was. For tests: it must be refused before any of its work runs. */
#include <stdlib.h>

#include "daf_plugin.h"

const DafPluginInfo* DafPluginGetInfo(void) {
  static const DafPluginInfo info = {DAF_ABI + 1000, sizeof(DafPluginInfo), "other-abi",
                                     "1.0",          DAF_INPUT_RECORDS,     0};
  return &info;
}

bool MapMain(MapContext* context) {
  (void)context;
  abort();
}
