// native/shuffle for TypeScript; declared again in src/core/addon/shuffle.ts.
#include "bindings/napi_setup.h"

namespace daf::node {

void RegisterShuffle(Napi::Env env, Napi::Object exports) {}

}  // namespace daf::node
