// Fields for TypeScript; declared again in src/core/addon/nerf_field.ts.
#include <cstring>
#include <string>

#include "bindings/head_values.h"
#include "bindings/nerf_registry.h"
#include "bindings/nerf_values.h"
#include "native/nerf/saved_cameras.h"

namespace daf::node {
namespace {

bool ReadLayers(const Napi::Object& options, const char* name, std::vector<uint32_t>* out) {
  Span<uint32_t> layers;
  if (!ReadUint32s(options.Get(name), name, &layers)) return false;
  out->assign(layers.data, layers.data + layers.size);
  return true;
}

bool ReadClassicConfig(const Napi::Object& options, nerf::ClassicConfig* out) {
  out->feature_relu = options.Get("featureRelu").ToBoolean().Value();
  out->relu_density = options.Get("reluDensity").ToBoolean().Value();
  out->raw_position = options.Get("rawPosition").ToBoolean().Value();
  out->coarse = options.Get("coarse").ToBoolean().Value();
  out->raw_direction = options.Get("rawDirection").ToBoolean().Value();
  return ReadCount(options, "width", &out->width) && ReadCount(options, "depth", &out->depth) &&
         ReadCount(options, "positionFrequencies", &out->position_frequencies) &&
         ReadCount(options, "directionFrequencies", &out->direction_frequencies) &&
         ReadCount(options, "viewWidth", &out->view_width) &&
         ReadLayers(options, "skips", &out->skips) &&
         ReadLayers(options, "linearLayers", &out->linear) &&
         ReadTriple(options.Get("inputScale"), "inputScale", out->input_scale) &&
         ReadTriple(options.Get("inputShift"), "inputShift", out->input_shift);
}

Napi::Value FieldCreate(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsObject()) {
    ThrowArgument(env, "fieldCreate: options must be an object");
    return env.Undefined();
  }
  const Napi::Object options = info[0].As<Napi::Object>();
  const std::string kind = options.Get("kind").ToString().Utf8Value();
  uint32_t occupancy, seed;
  nerf::Box box;
  if (!ReadCount(options, "occupancy", &occupancy) || !ReadCount(options, "seed", &seed) ||
      !ReadTriple(options.Get("boxMin"), "boxMin", box.min) ||
      !ReadTriple(options.Get("boxMax"), "boxMax", box.max)) {
    return env.Undefined();
  }
  box.unbounded = options.Get("unbounded").ToBoolean().Value();
  std::unique_ptr<nerf::Field> field;
  if (kind == "hashgrid") {
    nerf::HashGridConfig c;
    if (!ReadCount(options, "levels", &c.levels) || !ReadCount(options, "features", &c.features) ||
        !ReadCount(options, "log2Entries", &c.log2_entries) ||
        !ReadCount(options, "coarsest", &c.coarsest) || !ReadCount(options, "finest", &c.finest) ||
        !ReadCount(options, "densityWidth", &c.density_width) ||
        !ReadCount(options, "colorWidth", &c.color_width) ||
        !ReadCount(options, "appearance", &c.appearance) ||
        !ReadCount(options, "images", &c.images)) {
      return env.Undefined();
    }
    if (!Check(env, nerf::NewHashGrid(c, seed, &field))) return env.Undefined();
  } else if (kind == "classic") {
    nerf::ClassicConfig c;
    if (!ReadClassicConfig(options, &c)) return env.Undefined();
    if (!Check(env, nerf::NewClassic(c, seed, &field))) return env.Undefined();
  } else {
    ThrowArgument(env, "fieldCreate: kind must be hashgrid or classic");
    return env.Undefined();
  }
  std::unique_ptr<nerf::Model> model;
  if (!Check(env, nerf::Model::Make(std::move(field), box, occupancy, &model)))
    return env.Undefined();
  auto handle = std::make_unique<FieldHandle>();
  handle->model = std::move(model);
  return WrapField(env, std::move(handle));
}

Napi::Value FieldLoad(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  SafetensorsFile file;
  std::string source;
  if (info[0].IsString()) {
    source = info[0].As<Napi::String>().Utf8Value();
    if (!Check(env, SafetensorsFile::Read(source, &file))) return env.Undefined();
  } else {
    Span<uint8_t> bytes;
    if (!ReadBytes(info[0], "fieldLoad: source", &bytes)) return env.Undefined();
    if (!Check(env, SafetensorsFile::Parse(bytes.data, bytes.size, &file))) return env.Undefined();
  }
  std::unique_ptr<nerf::Model> model;
  Status status = nerf::Model::Load(file, &model);
  if (!status.ok() && !source.empty())  // what is wrong, and where
    status = Status(status.code(), source + ": " + status.message(), status.hint());
  if (!Check(env, status)) return env.Undefined();
  auto handle = std::make_unique<FieldHandle>();
  handle->model = std::move(model);
  return WrapField(env, std::move(handle));
}

Napi::Value FieldShare(const Napi::CallbackInfo& info) {
  FieldHandle* field = ReadField(info[0]);
  if (field == nullptr) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), ShareModel(field->model));
}

Napi::Value FieldAttach(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto handle = std::make_unique<FieldHandle>();
  if (info[0].IsNumber()) handle->model = SharedModel(info[0].As<Napi::Number>().Uint32Value());
  if (handle->model == nullptr) {
    ThrowArgument(env, "fieldAttach: this process shares no field of that id, or has disposed it");
    return env.Undefined();
  }
  return WrapField(env, std::move(handle));
}

Napi::Value FieldSave(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* field = ReadField(info[0]);
  if (field == nullptr) return env.Undefined();
  Arena scratch;
  SafetensorsWriter writer;
  if (!Check(env, field->model->Save(&scratch, &writer))) return env.Undefined();
  if (info[1].IsString()) {
    (void)Check(env, writer.Write(info[1].As<Napi::String>().Utf8Value()));
    return env.Null();
  }
  std::vector<uint8_t> bytes;
  if (!Check(env, writer.Serialize(&bytes))) return env.Undefined();
  Napi::Uint8Array out = Napi::Uint8Array::New(env, bytes.size());
  std::memcpy(out.Data(), bytes.data(), bytes.size());
  return out;
}

Napi::Value FieldInfo(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* field = ReadField(info[0]);
  if (field == nullptr) return env.Undefined();
  Napi::Object out = Napi::Object::New(env);
  Napi::Float32Array min = Napi::Float32Array::New(env, 3), max = Napi::Float32Array::New(env, 3);
  std::memcpy(min.Data(), field->model->box().min, 3 * sizeof(float));
  std::memcpy(max.Data(), field->model->box().max, 3 * sizeof(float));
  out.Set("kind", Napi::String::New(env, field->model->field().kind()));
  out.Set("learnedBackground", Napi::Boolean::New(env, field->model->background() != nullptr));
  out.Set("parameters",
          Napi::Number::New(env, static_cast<double>(field->model->field().parameter_count())));
  out.Set("boxMin", min);
  out.Set("boxMax", max);
  out.Set("unbounded", Napi::Boolean::New(env, field->model->box().unbounded));
  return out;
}

Napi::Value FieldCameras(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* field = ReadField(info[0]);
  if (field == nullptr) return env.Undefined();
  const std::vector<nerf::Camera>& cameras = field->model->cameras();
  Napi::Float32Array out = Napi::Float32Array::New(env, cameras.size() * nerf::kCameraValues);
  for (size_t i = 0; i < cameras.size(); ++i)
    nerf::PackCamera(cameras[i], out.Data() + i * nerf::kCameraValues);
  return out;
}

Napi::Value FieldDispose(const Napi::CallbackInfo& info) {
  FieldHandle* field = ReadField(info[0]);
  if (field != nullptr) {
    field->model.reset();
    field->renderer.Release();
  }
  return info.Env().Undefined();
}

Napi::Value FieldEvaluate(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* field = ReadField(info[0]);
  Span<float> points, directions, density, color;
  TaskControl control;
  nerf::PassKind pass;
  if (field == nullptr || !ReadFloats(info[1], "points", &points) ||
      (!Nothing(info[2]) && !ReadFloats(info[2], "directions", &directions)) ||
      !ReadControl(info[3], &control) || !ReadFloats(info[4], "density", &density) ||
      (!Nothing(info[5]) && !ReadFloats(info[5], "color", &color)) ||
      !ReadPrecision(info[6], &pass)) {
    return env.Undefined();
  }
  const size_t n = density.size;
  if (!CheckSize(env, "points", points.size, n * 3) ||
      (directions.data != nullptr && !CheckSize(env, "directions", directions.size, n * 3)) ||
      (color.data != nullptr && !CheckSize(env, "color", color.size, n * 3))) {
    return env.Undefined();
  }
  (void)Check(env, field->model->Evaluate(points.data, directions.data, n, density.data, color.data,
                                          control, pass));
  return env.Undefined();
}

}  // namespace

void RegisterNerfField(Napi::Env env, Napi::Object exports) {
  exports.Set("fieldCreate", Napi::Function::New(env, FieldCreate, "fieldCreate"));
  exports.Set("fieldLoad", Napi::Function::New(env, FieldLoad, "fieldLoad"));
  exports.Set("fieldShare", Napi::Function::New(env, FieldShare, "fieldShare"));
  exports.Set("fieldAttach", Napi::Function::New(env, FieldAttach, "fieldAttach"));
  exports.Set("fieldSave", Napi::Function::New(env, FieldSave, "fieldSave"));
  exports.Set("fieldInfo", Napi::Function::New(env, FieldInfo, "fieldInfo"));
  exports.Set("fieldCameras", Napi::Function::New(env, FieldCameras, "fieldCameras"));
  exports.Set("fieldDispose", Napi::Function::New(env, FieldDispose, "fieldDispose"));
  exports.Set("fieldEvaluate", Napi::Function::New(env, FieldEvaluate, "fieldEvaluate"));
}

}  // namespace daf::node
