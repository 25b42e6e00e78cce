#include "bindings/head_values.h"

#include <cmath>

namespace daf::node {
namespace {

constexpr napi_type_tag kHeadTag = {0x3f0c9a6d5b1e4d27ull, 0x9d8157c2ae60b34full};
using Shared = std::shared_ptr<const head::HeadModel>;

bool Refuse(Napi::Env env, const std::string& message) {
  ThrowArgument(env, message);
  return false;
}

}  // namespace

Napi::Value WrapHead(Napi::Env env, Shared model) {
  auto external = Napi::External<Shared>::New(env, new Shared(std::move(model)),
                                              [](Napi::BasicEnv, Shared* held) { delete held; });
  external.TypeTag(&kHeadTag);
  return external;
}

const head::HeadModel* ReadHead(const Napi::Value& value) {
  if (!value.IsExternal() || !value.As<Napi::External<Shared>>().CheckTypeTag(&kHeadTag)) {
    ThrowArgument(value.Env(), "head must be what headLoad returned");
    return nullptr;
  }
  return value.As<Napi::External<Shared>>().Data()->get();
}

bool ReadNumber(const Napi::Object& object, const char* name, double* out) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) return Refuse(object.Env(), std::string(name) + " must be a number");
  *out = value.As<Napi::Number>().DoubleValue();
  return true;
}

bool CheckSize(Napi::Env env, const char* name, size_t size, size_t expected) {
  if (size == expected) return true;
  return Refuse(env, std::string(name) + " must hold " + std::to_string(expected) +
                         " elements, not " + std::to_string(size));
}

bool ReadCamera(const Napi::Value& value, head::Camera* out) {
  if (!value.IsObject()) return Refuse(value.Env(), "camera must be an object");
  const Napi::Object object = value.As<Napi::Object>();
  Span<float> rotation, translation, center;
  double focal, width, height;
  if (!ReadFloats(object.Get("rotation"), "camera.rotation", &rotation) ||
      !CheckSize(object.Env(), "camera.rotation", rotation.size, 9) ||
      !ReadFloats(object.Get("translation"), "camera.translation", &translation) ||
      !CheckSize(object.Env(), "camera.translation", translation.size, 3) ||
      !ReadFloats(object.Get("center"), "camera.center", &center) ||
      !CheckSize(object.Env(), "camera.center", center.size, 2) ||
      !ReadNumber(object, "focal", &focal) || !ReadNumber(object, "width", &width) ||
      !ReadNumber(object, "height", &height)) {
    return false;
  }
  if (!(width >= 1 && width <= 8192 && height >= 1 && height <= 8192 && focal > 0 &&
        std::isfinite(focal))) {
    return Refuse(object.Env(), "camera: width and height are 1…8192, focal is positive");
  }
  for (int i = 0; i < 9; ++i) out->rotation[i] = rotation.data[i];
  for (int i = 0; i < 3; ++i) out->translation[i] = translation.data[i];
  for (int i = 0; i < 2; ++i) out->center[i] = center.data[i];
  out->focal = static_cast<float>(focal);
  out->width = static_cast<int>(width);
  out->height = static_cast<int>(height);
  return true;
}

Napi::Object MakeCamera(Napi::Env env, const head::Camera& camera) {
  auto floats = [&](const float* from, size_t count) {
    Napi::Float32Array array = Napi::Float32Array::New(env, count);
    for (size_t i = 0; i < count; ++i) array[i] = from[i];
    return array;
  };
  Napi::Object out = Napi::Object::New(env);
  out.Set("rotation", floats(camera.rotation, 9));
  out.Set("translation", floats(camera.translation, 3));
  out.Set("focal", Napi::Number::New(env, camera.focal));
  out.Set("center", floats(camera.center, 2));
  out.Set("width", Napi::Number::New(env, camera.width));
  out.Set("height", Napi::Number::New(env, camera.height));
  return out;
}

bool ReadMesh(const Napi::Value& value, head::MeshView* out) {
  if (!value.IsObject()) return Refuse(value.Env(), "mesh must be an object");
  const Napi::Object object = value.As<Napi::Object>();
  Span<float> positions, uv;
  Span<uint32_t> triangles, source;
  if (!ReadFloats(object.Get("positions"), "mesh.positions", &positions)) return false;
  if (!ReadUint32s(object.Get("triangles"), "mesh.triangles", &triangles)) return false;
  if (positions.size % 3 != 0 || triangles.size % 3 != 0) {
    return Refuse(object.Env(), "mesh.positions and mesh.triangles are lists of triples");
  }
  out->positions = positions.data;
  out->position_count = out->render_count = positions.size / 3;
  out->triangles = triangles.data;
  out->triangle_count = triangles.size / 3;
  const Napi::Value source_value = object.Get("source"), uv_value = object.Get("uv");
  if (!source_value.IsNull()) {
    if (!ReadUint32s(source_value, "mesh.source", &source)) return false;
    out->source = source.data;
    out->render_count = source.size;
  }
  if (!uv_value.IsNull()) {
    if (!ReadFloats(uv_value, "mesh.uv", &uv) ||
        !CheckSize(object.Env(), "mesh.uv", uv.size, 2 * out->render_count)) {
      return false;
    }
    out->uv = uv.data;
  }
  return Check(object.Env(), out->Validate());
}

}  // namespace daf::node
