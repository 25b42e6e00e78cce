// native/nerf for TypeScript; declared again in src/core/addon/nerf.ts.
#include "bindings/napi_setup.h"

namespace daf::node {

void RegisterNerf(Napi::Env env, Napi::Object exports) {}

}  // namespace daf::node
