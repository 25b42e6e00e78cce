#include "bindings/napi_setup.h"

namespace daf::node {
namespace {

// Per-environment state would live here; there is no static JavaScript state anywhere (each worker
// thread loads its own environment).
class DafAddon : public Napi::Addon<DafAddon> {
 public:
  DafAddon(Napi::Env env, Napi::Object exports) {
    RegisterCore(env, exports);
    RegisterHead(env, exports);
    RegisterHost(env, exports);
    RegisterHeadFit(env, exports);
    RegisterHeadSynth(env, exports);
    RegisterMesh(env, exports);
    RegisterNerfCamera(env, exports);
    RegisterNerfField(env, exports);
    RegisterNerfImport(env, exports);
    RegisterNerfMeasure(env, exports);
    RegisterNerfRender(env, exports);
    RegisterNerfScene(env, exports);
    RegisterNerfTrain(env, exports);
    RegisterShuffle(env, exports);
  }
};

}  // namespace

bool Check(Napi::Env env, const Status& status) {
  if (status.ok()) return true;
  Napi::Error error = Napi::Error::New(env, status.message());
  error.Set("code", Napi::String::New(env, CodeName(status.code())));
  error.Set("hint", Napi::String::New(env, status.hint()));
  error.ThrowAsJavaScriptException();
  return false;
}

void ThrowArgument(Napi::Env env, const std::string& message) {
  (void)Check(env, Status(Code::kBadArgument, message));
}

bool ReadControl(const Napi::Value& value, TaskControl* out) {
  if (value.IsNull() || value.IsUndefined()) return true;
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array ||
      value.As<Napi::TypedArray>().ElementLength() < 3) {
    ThrowArgument(value.Env(), "control must be an Int32Array of at least 3 words");
    return false;
  }
  *out = TaskControl(value.As<Napi::Int32Array>().Data());
  return true;
}

namespace {
template <typename Array, typename T>
bool ReadArray(const Napi::Value& value, const char* name, napi_typedarray_type type,
               const char* type_name, Span<T>* out) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    ThrowArgument(value.Env(), std::string(name) + " must be a " + type_name);
    return false;
  }
  Array array = value.As<Array>();
  out->data = array.Data();
  out->size = array.ElementLength();
  return true;
}
}  // namespace

bool ReadFloats(const Napi::Value& value, const char* name, Span<float>* out) {
  return ReadArray<Napi::Float32Array>(value, name, napi_float32_array, "Float32Array", out);
}
bool ReadBytes(const Napi::Value& value, const char* name, Span<uint8_t>* out) {
  return ReadArray<Napi::Uint8Array>(value, name, napi_uint8_array, "Uint8Array", out);
}
bool ReadUint32s(const Napi::Value& value, const char* name, Span<uint32_t>* out) {
  return ReadArray<Napi::Uint32Array>(value, name, napi_uint32_array, "Uint32Array", out);
}

bool ReadFloat64s(const Napi::Value& value, const char* name, Span<double>* out) {
  return ReadArray<Napi::Float64Array>(value, name, napi_float64_array, "Float64Array", out);
}

}  // namespace daf::node

using daf::node::DafAddon;
NODE_API_ADDON(DafAddon)
