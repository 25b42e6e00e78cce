// native/nerf for TypeScript; declared again in src/core/addon/nerf.ts.
#include <time.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "bindings/head_values.h"
#include "native/kernels/kernels.h"
#include "native/nerf/renderer.h"
#include "native/nerf/trainer.h"

namespace daf::node {
namespace {

using nerf::Model;

constexpr napi_type_tag kFieldTag = {0x5d1f3c8ab2e64907ull, 0x8c62f0a19b7d35e4ull};
constexpr napi_type_tag kTrainerTag = {0x17ac94e0d3f85b62ull, 0xa94b6d0e52c8f731ull};
constexpr size_t kCameraValues = 18;

// The model is shared with its trainers, so that either may be disposed first.
struct FieldHandle {
  std::shared_ptr<Model> model;
  nerf::Renderer renderer;
};
struct TrainerHandle {
  std::shared_ptr<Model> model;
  std::unique_ptr<nerf::Trainer> trainer;
};

template <typename T>
Napi::Value Wrap(Napi::Env env, T* handle, const napi_type_tag& tag) {
  auto external = Napi::External<T>::New(env, handle, [](Napi::BasicEnv, T* held) { delete held; });
  external.TypeTag(&tag);
  return external;
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

// A whole number in [0, 2^32).
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

// rotation[9], translation[3], focal x and y, centre x and y, width, height.
bool ReadFieldCamera(const Napi::Value& value, nerf::Camera* out) {
  Span<float> v;
  if (!ReadFloats(value, "camera", &v) || !CheckSize(value.Env(), "camera", v.size, kCameraValues))
    return false;
  std::memcpy(out->rotation, v.data, 9 * sizeof(float));
  std::memcpy(out->translation, v.data + 9, 3 * sizeof(float));
  std::memcpy(out->focal, v.data + 12, 2 * sizeof(float));
  std::memcpy(out->center, v.data + 14, 2 * sizeof(float));
  for (size_t i = 0; i < kCameraValues; ++i) {
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
  return true;
}

bool Nothing(const Napi::Value& value) { return value.IsNull() || value.IsUndefined(); }

// Bytes, floats or null, `size` elements.
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
  std::unique_ptr<nerf::Field> field;
  if (kind == "hashgrid") {
    nerf::HashGridConfig c;
    if (!ReadCount(options, "levels", &c.levels) || !ReadCount(options, "features", &c.features) ||
        !ReadCount(options, "log2Entries", &c.log2_entries) ||
        !ReadCount(options, "coarsest", &c.coarsest) || !ReadCount(options, "finest", &c.finest) ||
        !ReadCount(options, "densityWidth", &c.density_width) ||
        !ReadCount(options, "colorWidth", &c.color_width)) {
      return env.Undefined();
    }
    if (!Check(env, nerf::NewHashGrid(c, seed, &field))) return env.Undefined();
  } else if (kind == "classic") {
    nerf::ClassicConfig c;
    if (!ReadCount(options, "width", &c.width) || !ReadCount(options, "depth", &c.depth))
      return env.Undefined();
    if (!Check(env, nerf::NewClassic(c, seed, &field))) return env.Undefined();
  } else {
    ThrowArgument(env, "fieldCreate: kind must be hashgrid or classic");
    return env.Undefined();
  }
  std::unique_ptr<Model> model;
  if (!Check(env, Model::Make(std::move(field), box, occupancy, &model))) return env.Undefined();
  auto handle = std::make_unique<FieldHandle>();
  handle->model = std::move(model);
  return Wrap(env, handle.release(), kFieldTag);
}

Napi::Value FieldLoad(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  SafetensorsFile file;
  if (info[0].IsString()) {
    if (!Check(env, SafetensorsFile::Read(info[0].As<Napi::String>().Utf8Value(), &file)))
      return env.Undefined();
  } else {
    Span<uint8_t> bytes;
    if (!ReadBytes(info[0], "fieldLoad: source", &bytes)) return env.Undefined();
    if (!Check(env, SafetensorsFile::Parse(bytes.data, bytes.size, &file))) return env.Undefined();
  }
  std::unique_ptr<Model> model;
  if (!Check(env, Model::Load(file, &model))) return env.Undefined();
  auto handle = std::make_unique<FieldHandle>();
  handle->model = std::move(model);
  return Wrap(env, handle.release(), kFieldTag);
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
  out.Set("parameters",
          Napi::Number::New(env, static_cast<double>(field->model->field().parameter_count())));
  out.Set("boxMin", min);
  out.Set("boxMax", max);
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
  if (field == nullptr || !ReadFloats(info[1], "points", &points) ||
      (!Nothing(info[2]) && !ReadFloats(info[2], "directions", &directions)) ||
      !ReadControl(info[3], &control) || !ReadFloats(info[4], "density", &density) ||
      (!Nothing(info[5]) && !ReadFloats(info[5], "color", &color))) {
    return env.Undefined();
  }
  const size_t n = density.size;
  if (!CheckSize(env, "points", points.size, n * 3) ||
      (directions.data != nullptr && !CheckSize(env, "directions", directions.size, n * 3)) ||
      (color.data != nullptr && !CheckSize(env, "color", color.size, n * 3))) {
    return env.Undefined();
  }
  (void)Check(env, field->model->Evaluate(points.data, directions.data, n, density.data, color.data,
                                          control));
  return env.Undefined();
}

Napi::Value FieldRender(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* field = ReadField(info[0]);
  nerf::Camera camera;
  TaskControl control;
  if (field == nullptr || !ReadFieldCamera(info[1], &camera)) return env.Undefined();
  if (!info[2].IsObject()) {
    ThrowArgument(env, "fieldRender: options must be an object");
    return env.Undefined();
  }
  const Napi::Object look = info[2].As<Napi::Object>();
  nerf::RenderOptions options;
  options.transparent = look.Get("background").IsNull();
  options.exhaustive = look.Get("exhaustive").ToBoolean().Value();
  if ((!options.transparent &&
       !ReadTriple(look.Get("background"), "background", options.background)) ||
      !ReadCount(look, "samples", &options.samples) ||
      !ReadFloat(look, "minTransmittance", &options.min_transmittance) ||
      !ReadControl(info[3], &control)) {
    return env.Undefined();
  }
  const size_t pixels = size_t{camera.width} * camera.height;
  Span<uint8_t> rgba;
  Span<float> depth, opacity, color;
  if (!ReadBytes(info[4], "rgba", &rgba) || !CheckSize(env, "rgba", rgba.size, pixels * 4) ||
      !ReadFloats(info[5], "depth", &depth) || !CheckSize(env, "depth", depth.size, pixels) ||
      !ReadFloats(info[6], "opacity", &opacity) ||
      !CheckSize(env, "opacity", opacity.size, pixels)) {
    return env.Undefined();
  }
  if (!Nothing(info[7]) &&
      (!ReadFloats(info[7], "color", &color) || !CheckSize(env, "color", color.size, pixels * 3)))
    return env.Undefined();
  const nerf::RenderTargets targets = {rgba.data, color.data, depth.data, opacity.data};
  uint64_t samples = 0;
  if (!Check(env, field->renderer.Render(field->model.get(), camera, options, targets, control,
                                         &samples)))
    return env.Undefined();
  return Napi::Number::New(env, static_cast<double>(samples));
}

Napi::Value TrainerCreate(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* field = ReadField(info[0]);
  if (field == nullptr) return env.Undefined();
  if (!info[1].IsObject()) {
    ThrowArgument(env, "trainerCreate: options must be an object");
    return env.Undefined();
  }
  const Napi::Object o = info[1].As<Napi::Object>();
  nerf::TrainOptions options;
  uint32_t seed;
  if (!ReadFloat(o, "supervisedFraction", &options.supervised_fraction) ||
      !ReadCount(o, "samplesPerStep", &options.samples_per_step) ||
      !ReadCount(o, "totalSteps", &options.total_steps) ||
      !ReadFloat(o, "learningRate", &options.learning_rate) ||
      !ReadFloat(o, "opacityWeight", &options.opacity_weight) ||
      !ReadFloat(o, "depthWeight", &options.depth_weight) ||
      !ReadFloat(o, "colorDelay", &options.color_delay) ||
      !ReadFloat(o, "surfaceMargin", &options.surface_margin) ||
      !ReadCount(o, "maxSamplesPerRay", &options.max_samples_per_ray) ||
      !ReadCount(o, "seed", &seed)) {
    return env.Undefined();
  }
  options.seed = seed;
  auto handle = std::make_unique<TrainerHandle>();
  handle->model = field->model;
  if (!Check(env, nerf::Trainer::Make(handle->model.get(), options, &handle->trainer)))
    return env.Undefined();
  return Wrap(env, handle.release(), kTrainerTag);
}

Napi::Value TrainerAddView(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  TrainerHandle* trainer = ReadTrainer(info[0]);
  nerf::ViewInput view;
  if (trainer == nullptr || !ReadFieldCamera(info[2], &view.camera)) return env.Undefined();
  view.supervised = info[1].ToBoolean().Value();
  const size_t pixels = size_t{view.camera.width} * view.camera.height;
  Span<float> depth;
  if (!ReadPlane(info[3], "rgb", pixels * 3, &view.rgb8, &view.rgb) ||
      !ReadPlane(info[4], "alpha", pixels, &view.alpha8, &view.alpha))
    return env.Undefined();
  if (!Nothing(info[5])) {
    if (!ReadFloats(info[5], "depth", &depth) || !CheckSize(env, "depth", depth.size, pixels))
      return env.Undefined();
    view.depth = depth.data;
  }
  (void)Check(env, trainer->trainer->AddView(view));
  return env.Undefined();
}

Napi::Value TrainerRun(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  TrainerHandle* trainer = ReadTrainer(info[0]);
  TaskControl control;
  if (trainer == nullptr || !ReadControl(info[2], &control)) return env.Undefined();
  if (!info[1].IsNumber() || !(info[1].As<Napi::Number>().DoubleValue() >= 0 &&
                               info[1].As<Napi::Number>().DoubleValue() <= 1e9)) {
    ThrowArgument(env, "trainerRun: steps must be a whole number of at least 0");
    return env.Undefined();
  }
  nerf::TrainReport report;
  if (!Check(env,
             trainer->trainer->Run(info[1].As<Napi::Number>().Uint32Value(), control, &report)))
    return env.Undefined();
  Napi::Object out = Napi::Object::New(env);
  const auto number = [&](const char* name, double value) {
    out.Set(name, Napi::Number::New(env, value));
  };
  number("step", report.step);
  number("rays", static_cast<double>(report.rays));
  number("samples", static_cast<double>(report.samples));
  number("loss", report.loss);
  number("colorLoss", report.color_loss);
  number("opacityLoss", report.opacity_loss);
  number("depthLoss", report.depth_loss);
  number("psnr", report.psnr);
  number("occupied", report.occupied);
  return out;
}

Napi::Value TrainerDispose(const Napi::CallbackInfo& info) {
  TrainerHandle* trainer = ReadTrainer(info[0]);
  if (trainer != nullptr) {
    trainer->trainer.reset();
    trainer->model.reset();
  }
  return info.Env().Undefined();
}

// Seconds that this thread has computed: on a busy machine the wall clock would measure the others.
double Now() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Napi::Value MeasureMultiplyAdds(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const kernels::Table* table;
  if (!Check(env, kernels::Chosen(&table))) return env.Undefined();
  const double seconds = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0.1;
  float sink[4] = {0.999f, 0.001f, 0, 0};
  double done = 0;
  const double begin = Now();
  double end = begin;
  while (end - begin < seconds) {
    done += table->multiply_adds(100000, sink);
    end = Now();
  }
  return Napi::Number::New(env, done / (end - begin));
}

// Samples a second of the field's own kernels on points in the box, `training` with the backward
// pass but without the optimiser.
Napi::Value MeasureField(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* handle = ReadField(info[0]);
  if (handle == nullptr) return env.Undefined();
  const bool training = info[1].ToBoolean().Value();
  const double seconds = info[2].IsNumber() ? info[2].As<Napi::Number>().DoubleValue() : 0.1;
  nerf::Field& field = handle->model->field();
  Arena arena;
  std::unique_ptr<nerf::FieldPass> pass;
  if (!Check(env, field.NewPass(training, &arena, &pass))) return env.Undefined();
  const uint32_t n = pass->capacity();
  float* lane[10] = {};
  float* gradients = nullptr;
  for (float*& one : lane) {
    if (!Check(env, arena.Allocate(n, &one))) return env.Undefined();
  }
  if (training) {
    if (!Check(env, arena.Allocate(field.parameter_count(), &gradients))) return env.Undefined();
    std::memset(gradients, 0, field.parameter_count() * sizeof(float));
  }
  Rng rng(1);
  float ray[6] = {};
  for (uint32_t i = 0; i < n; ++i) {  // runs of 16 samples along a ray, as a renderer makes them
    if (i % 16 == 0) {
      for (float& v : ray) v = rng.Uniform();
    }
    for (int a = 0; a < 3; ++a) {
      const float p = ray[a] + (ray[3 + a] - 0.5f) * 0.25f * static_cast<float>(i % 16) / 16;
      lane[a][i] = p - std::floor(p);
      lane[3 + a][i] = a == 2 ? 1.0f : 0.0f;
    }
  }
  double done = 0;
  const double begin = Now();
  double end = begin;
  while (end - begin < seconds) {
    pass->Forward({lane[0], lane[1], lane[2]}, {lane[3], lane[4], lane[5]}, n, lane[6],
                  {lane[7], lane[8], lane[9]});
    if (training) pass->Backward(lane[6], {lane[7], lane[8], lane[9]}, gradients);
    done += n;
    end = Now();
  }
  return Napi::Number::New(env, done / (end - begin));
}

}  // namespace

void RegisterNerf(Napi::Env env, Napi::Object exports) {
  exports.Set("fieldCreate", Napi::Function::New(env, FieldCreate, "fieldCreate"));
  exports.Set("fieldLoad", Napi::Function::New(env, FieldLoad, "fieldLoad"));
  exports.Set("fieldSave", Napi::Function::New(env, FieldSave, "fieldSave"));
  exports.Set("fieldInfo", Napi::Function::New(env, FieldInfo, "fieldInfo"));
  exports.Set("fieldDispose", Napi::Function::New(env, FieldDispose, "fieldDispose"));
  exports.Set("fieldEvaluate", Napi::Function::New(env, FieldEvaluate, "fieldEvaluate"));
  exports.Set("fieldRender", Napi::Function::New(env, FieldRender, "fieldRender"));
  exports.Set("trainerCreate", Napi::Function::New(env, TrainerCreate, "trainerCreate"));
  exports.Set("trainerAddView", Napi::Function::New(env, TrainerAddView, "trainerAddView"));
  exports.Set("trainerRun", Napi::Function::New(env, TrainerRun, "trainerRun"));
  exports.Set("trainerDispose", Napi::Function::New(env, TrainerDispose, "trainerDispose"));
  exports.Set("measureMultiplyAdds",
              Napi::Function::New(env, MeasureMultiplyAdds, "measureMultiplyAdds"));
  exports.Set("measureField", Napi::Function::New(env, MeasureField, "measureField"));
}

}  // namespace daf::node
