// native/head for TypeScript; declared again in src/core/addon/head.ts.
#include "bindings/napi_setup.h"

namespace daf::node {

void RegisterHead(Napi::Env env, Napi::Object exports) {}

}  // namespace daf::node
