// native/mesh for TypeScript; declared again in src/core/addon/mesh.ts.
#include "bindings/napi_setup.h"

namespace daf::node {

void RegisterMesh(Napi::Env env, Napi::Object exports) {}

}  // namespace daf::node
