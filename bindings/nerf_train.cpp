// Training for TypeScript; declared again in src/core/addon/nerf_train.ts.
#include "bindings/head_values.h"
#include "bindings/nerf_values.h"

namespace daf::node {
namespace {

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
  return WrapTrainer(env, std::move(handle));
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

}  // namespace

void RegisterNerfTrain(Napi::Env env, Napi::Object exports) {
  exports.Set("trainerCreate", Napi::Function::New(env, TrainerCreate, "trainerCreate"));
  exports.Set("trainerAddView", Napi::Function::New(env, TrainerAddView, "trainerAddView"));
  exports.Set("trainerRun", Napi::Function::New(env, TrainerRun, "trainerRun"));
  exports.Set("trainerDispose", Napi::Function::New(env, TrainerDispose, "trainerDispose"));
}

}  // namespace daf::node
