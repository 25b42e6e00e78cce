// Heads, cameras and meshes as they cross the border; shared by every file that binds native/head.
#pragma once

#include <memory>

#include "bindings/napi_setup.h"
#include "native/head/camera.h"
#include "native/head/head_model.h"
#include "native/head/raster/rasteriser.h"

namespace daf::node {

// A head model as an opaque, type-tagged External that shares ownership.
Napi::Value WrapHead(Napi::Env env, std::shared_ptr<const head::HeadModel> model);
// Null (and thrown) for anything that WrapHead did not make.
const head::HeadModel* ReadHead(const Napi::Value& value);

// { rotation: Float32Array(9), translation: Float32Array(3), focal, center: [x, y], width, height }
bool ReadCamera(const Napi::Value& value, head::Camera* out);
Napi::Object MakeCamera(Napi::Env env, const head::Camera& camera);

// { positions, triangles, source | null, uv | null }: borrowed for the call, checked.
bool ReadMesh(const Napi::Value& value, head::MeshView* out);

// Object members that must be there with the right type; false (and thrown) otherwise.
bool ReadNumber(const Napi::Object& object, const char* name, double* out);

// The size of an output array; false (and thrown) when it is another.
bool CheckSize(Napi::Env env, const char* name, size_t size, size_t expected);

}  // namespace daf::node
