#include "bindings/nerf_values.h"

#include "native/nerf/saved_cameras.h"

#include <cmath>
#include <cstring>

#include "bindings/head_values.h"

namespace daf::node {
namespace {

constexpr napi_type_tag kFieldTag = {0x5d1f3c8ab2e64907ull, 0x8c62f0a19b7d35e4ull};
constexpr napi_type_tag kTrainerTag = {0x17ac94e0d3f85b62ull, 0xa94b6d0e52c8f731ull};

template <typename T>
Napi::Value Wrap(Napi::Env env, T* handle, const napi_type_tag& tag) {
  auto external = Napi::External<T>::New(env, handle, [](Napi::BasicEnv, T* held) { delete held; });
  external.TypeTag(&tag);
  return external;
}

}  // namespace

Napi::Value WrapField(Napi::Env env, std::unique_ptr<FieldHandle> handle) {
  return Wrap(env, handle.release(), kFieldTag);
}
Napi::Value WrapTrainer(Napi::Env env, std::unique_ptr<TrainerHandle> handle) {
  return Wrap(env, handle.release(), kTrainerTag);
}

FieldHandle* ReadField(const Napi::Value& value) {
  if (!value.IsExternal() || !value.As<Napi::External<FieldHandle>>().CheckTypeTag(&kFieldTag)) {
    ThrowArgument(value.Env(), "field must be what fieldCreate or fieldLoad returned");
    return nullptr;
  }
  FieldHandle* handle = value.As<Napi::External<FieldHandle>>().Data();
  if (handle->model == nullptr) {
    ThrowArgument(value.Env(), "the field was disposed");
    return nullptr;
  }
  return handle;
}

TrainerHandle* ReadTrainer(const Napi::Value& value) {
  if (!value.IsExternal() ||
      !value.As<Napi::External<TrainerHandle>>().CheckTypeTag(&kTrainerTag)) {
    ThrowArgument(value.Env(), "trainer must be what trainerCreate returned");
    return nullptr;
  }
  TrainerHandle* handle = value.As<Napi::External<TrainerHandle>>().Data();
  if (handle->trainer == nullptr) {
    ThrowArgument(value.Env(), "the training session was disposed");
    return nullptr;
  }
  return handle;
}

bool ReadCount(const Napi::Object& object, const char* name, uint32_t* out) {
  double value;
  if (!ReadNumber(object, name, &value)) return false;
  if (!(value >= 0 && value <= 4294967295.0) || value != std::floor(value)) {
    ThrowArgument(object.Env(), std::string(name) + " must be a whole number");
    return false;
  }
  *out = static_cast<uint32_t>(value);
  return true;
}

bool ReadFloat(const Napi::Object& object, const char* name, float* out) {
  double value;
  if (!ReadNumber(object, name, &value)) return false;
  *out = static_cast<float>(value);
  return true;
}

bool ReadTriple(const Napi::Value& value, const char* name, float out[3]) {
  Span<float> triple;
  if (!ReadFloats(value, name, &triple) || !CheckSize(value.Env(), name, triple.size, 3))
    return false;
  std::memcpy(out, triple.data, 3 * sizeof(float));
  return true;
}

bool ReadFieldCamera(const Napi::Value& value, nerf::Camera* out) {
  Span<float> v;
  if (!ReadFloats(value, "camera", &v) ||
      !CheckSize(value.Env(), "camera", v.size, nerf::kCameraValues))
    return false;
  std::memcpy(out->rotation, v.data, 9 * sizeof(float));
  std::memcpy(out->translation, v.data + 9, 3 * sizeof(float));
  std::memcpy(out->focal, v.data + 12, 2 * sizeof(float));
  std::memcpy(out->center, v.data + 14, 2 * sizeof(float));
  for (size_t i = 0; i < nerf::kCameraValues; ++i) {
    if (!std::isfinite(v.data[i])) {
      ThrowArgument(value.Env(), "camera: every number must be finite");
      return false;
    }
  }
  if (!(v.data[16] >= 1 && v.data[16] <= 16384 && v.data[17] >= 1 && v.data[17] <= 16384 &&
        v.data[12] > 0 && v.data[13] > 0)) {
    ThrowArgument(value.Env(), "camera: width and height are 1–16384, focal lengths positive");
    return false;
  }
  out->width = static_cast<uint32_t>(v.data[16]);
  out->height = static_cast<uint32_t>(v.data[17]);
  const float model = v.data[18];
  if (!(model == 0 || model == 1 || model == 2)) {
    ThrowArgument(value.Env(), "camera: an unknown lens model");
    return false;
  }
  nerf::LensCoefficients coefficients;
  std::memcpy(coefficients.k, v.data + 19, 6 * sizeof(float));
  std::memcpy(coefficients.p, v.data + 25, 2 * sizeof(float));
  return Check(value.Env(), nerf::Lens::Make(static_cast<nerf::LensModel>(static_cast<int>(model)),
                                             coefficients, &out->lens));
}

bool ReadPrecision(const Napi::Value& value, nerf::PassKind* out) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
  if (name == "fp32") {
    *out = nerf::PassKind::kInference;
  } else if (name == "bf16") {
    *out = nerf::PassKind::kInferenceBf16;
  } else if (name == "int8") {
    *out = nerf::PassKind::kInferenceInt8;
  } else {
    ThrowArgument(value.Env(), "precision must be fp32, bf16 or int8");
    return false;
  }
  return true;
}

bool ReadPlane(const Napi::Value& value, const char* name, size_t size, const uint8_t** bytes,
               const float** floats) {
  *bytes = nullptr;
  *floats = nullptr;
  if (Nothing(value)) return true;
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    Span<uint8_t> span;
    if (!ReadBytes(value, name, &span) || !CheckSize(value.Env(), name, span.size, size))
      return false;
    *bytes = span.data;
    return true;
  }
  Span<float> span;
  if (!ReadFloats(value, name, &span) || !CheckSize(value.Env(), name, span.size, size))
    return false;
  *floats = span.data;
  return true;
}

}  // namespace daf::node
