// Weights from elsewhere for TypeScript; declared again in src/core/addon/nerf_import.ts.
#include <cstring>
#include <vector>

#include "bindings/nerf_values.h"

namespace daf::node {
namespace {

// [{ name, shape: number[], data: Float32Array }]
Napi::Value SafetensorsFloats(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsString()) {
    ThrowArgument(env, "safetensorsFloats: path must be a string");
    return env.Undefined();
  }
  SafetensorsFile file;
  if (!Check(env, SafetensorsFile::Read(info[0].As<Napi::String>().Utf8Value(), &file)))
    return env.Undefined();
  Napi::Array out = Napi::Array::New(env);
  for (const Tensor& tensor : file.tensors()) {
    if (tensor.dtype != DType::kF32 && tensor.dtype != DType::kF16 &&
        tensor.dtype != DType::kBF16 && tensor.dtype != DType::kF64)
      continue;
    Napi::Float32Array data = Napi::Float32Array::New(env, tensor.count);
    if (!Check(env, file.FloatsInto(tensor.name, tensor.shape, data.Data(), tensor.count)))
      return env.Undefined();
    Napi::Array shape = Napi::Array::New(env);
    for (const uint64_t axis : tensor.shape)
      shape.Set(shape.Length(), Napi::Number::New(env, static_cast<double>(axis)));
    Napi::Object one = Napi::Object::New(env);
    one.Set("name", Napi::String::New(env, tensor.name));
    one.Set("shape", shape);
    one.Set("data", data);
    out.Set(out.Length(), one);
  }
  return out;
}

bool ReadTensor(const Napi::Value& value, SafetensorsWriter* out) {
  const Napi::Env env = value.Env();
  if (!value.IsObject() || !value.As<Napi::Object>().Get("shape").IsArray()) {
    ThrowArgument(env, "a tensor must be { name, shape, data }");
    return false;
  }
  const Napi::Object tensor = value.As<Napi::Object>();
  Span<float> data;
  if (!ReadFloats(tensor.Get("data"), "data", &data)) return false;
  const Napi::Array axes = tensor.Get("shape").As<Napi::Array>();
  std::vector<uint64_t> shape;
  double count = 1;
  for (uint32_t i = 0; i < axes.Length(); ++i) {
    const double axis = axes.Get(i).ToNumber().DoubleValue();
    count *= axis >= 0 && axis <= 4294967295.0 ? axis : -1;
    if (count < 0) break;
    shape.push_back(static_cast<uint64_t>(axis));
  }
  if (count != static_cast<double>(data.size)) {
    ThrowArgument(env, "a tensor's shape must take its data");
    return false;
  }
  return Check(env, out->Add(tensor.Get("name").ToString().Utf8Value(), DType::kF32,
                             std::move(shape), data.data));
}

Napi::Value FieldAssign(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* field = ReadField(info[0]);
  if (field == nullptr) return env.Undefined();
  if (!info[1].IsArray()) {
    ThrowArgument(env, "fieldAssign: tensors must be an array");
    return env.Undefined();
  }
  // By way of the checkpoint format, so that a field's tensors are checked in one place.
  const Napi::Array tensors = info[1].As<Napi::Array>();
  SafetensorsWriter writer;
  for (uint32_t i = 0; i < tensors.Length(); ++i) {
    if (!ReadTensor(tensors.Get(i), &writer)) return env.Undefined();
  }
  std::vector<uint8_t> bytes;
  SafetensorsFile file;
  if (Check(env, writer.Serialize(&bytes)) &&
      Check(env, SafetensorsFile::Parse(bytes.data(), bytes.size(), &file)))
    (void)Check(env, field->model->Assign(file));
  return env.Undefined();
}

}  // namespace

void RegisterNerfImport(Napi::Env env, Napi::Object exports) {
  exports.Set("safetensorsFloats",
              Napi::Function::New(env, SafetensorsFloats, "safetensorsFloats"));
  exports.Set("fieldAssign", Napi::Function::New(env, FieldAssign, "fieldAssign"));
}

}  // namespace daf::node
