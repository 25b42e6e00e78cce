// Training from the photos of a scene for TypeScript; declared again in
// src/core/addon/nerf_scene.ts.
#include <algorithm>

#include "bindings/head_values.h"
#include "bindings/nerf_registry.h"
#include "bindings/nerf_values.h"
#include "bindings/scene_sessions.h"

namespace daf::node {
namespace {

bool ReadOptions(const Napi::Value& value, nerf::SceneTrainOptions* out) {
  if (!value.IsObject()) {
    ThrowArgument(value.Env(), "sceneBegin: options must be an object");
    return false;
  }
  const Napi::Object o = value.As<Napi::Object>();
  uint32_t seed, background_kind, total_steps;
  if (!ReadCount(o, "threads", &out->threads) || !ReadCount(o, "seed", &seed) ||
      !ReadCount(o, "samplesPerStep", &out->samples_per_step) ||
      !ReadCount(o, "samplesPerEdge", &out->samples_per_edge) ||
      !ReadFloat(o, "occupiedDepth", &out->occupied_depth) ||
      !ReadFloat(o, "minWeight", &out->min_weight) ||
      !ReadFloat(o, "minTransmittance", &out->min_transmittance) ||
      !ReadCount(o, "backgroundKind", &background_kind) ||
      !ReadTriple(o.Get("background"), "background", out->background) ||
      !ReadCount(o, "totalSteps", &total_steps) ||
      !ReadFloat(o, "learningRate", &out->learning_rate) ||
      !ReadFloat(o, "finalRate", &out->final_rate) ||
      !ReadFloat(o, "decayBegin", &out->decay_begin) ||
      !ReadCount(o, "warmupSteps", &out->warmup_steps) ||
      !ReadFloat(o, "averageDecay", &out->average_decay) || !ReadFloat(o, "huber", &out->huber) ||
      !ReadFloat(o, "distortionWeight", &out->distortion_weight) ||
      !ReadFloat(o, "opacityWeight", &out->opacity_weight) ||
      !ReadFloat(o, "variationWeight", &out->variation_weight) ||
      !ReadFloat(o, "near", &out->near)) {
    return false;
  }
  out->refine_poses = o.Get("refinePoses").ToBoolean().Value();
  out->seed = seed;
  out->total_steps = total_steps;
  if (background_kind > 2) {
    ThrowArgument(value.Env(), "sceneBegin: backgroundKind must be 0–2");
    return false;
  }
  out->background_kind = static_cast<nerf::TrainingBackground>(background_kind);
  return true;
}

std::shared_ptr<SceneSession> ReadSession(const Napi::Value& value) {
  const std::shared_ptr<SceneSession> session =
      FindSession(value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0);
  if (session == nullptr)
    ThrowArgument(value.Env(), "there is no such training session, or it has ended");
  return session;
}

Napi::Value SceneBegin(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  nerf::SceneTrainOptions options;
  if (!ReadOptions(info[1], &options)) return env.Undefined();
  auto session = std::make_shared<SceneSession>();
  session->model = SharedModel(info[0].IsNumber() ? info[0].As<Napi::Number>().Uint32Value() : 0);
  if (session->model == nullptr) {
    ThrowArgument(env, "sceneBegin: there is no such shared field");
    return env.Undefined();
  }
  if (!Check(env, nerf::ImageStore::Open(info[2].ToString().Utf8Value(), &session->pixels)))
    return env.Undefined();
  if (!Check(env, nerf::SceneTrainer::Make(session->model.get(), options, &session->trainer)))
    return env.Undefined();
  return Napi::Number::New(env, BeginSession(std::move(session)));
}

Napi::Value SceneAddImage(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto session = ReadSession(info[0]);
  nerf::TrainingImage image;
  Span<uint8_t> rgba, mask;
  if (session == nullptr || !ReadFieldCamera(info[1], &image.camera)) return env.Undefined();
  const uint32_t width = image.camera.width, height = image.camera.height;
  const size_t pixels = size_t{width} * height;
  if (!ReadBytes(info[2], "rgba", &rgba) || !CheckSize(env, "rgba", rgba.size, pixels * 4))
    return env.Undefined();
  if (!Nothing(info[3]) &&
      (!ReadBytes(info[3], "mask", &mask) || !CheckSize(env, "mask", mask.size, pixels)))
    return env.Undefined();
  if (!Check(env, session->pixels->Add(width, height, rgba.data, mask.data, &image.pixels)))
    return env.Undefined();
  (void)Check(env, session->trainer->AddImage(image));
  return env.Undefined();
}

Napi::Value ScenePrepare(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto session = ReadSession(info[0]);
  TaskControl control;
  if (session == nullptr || !ReadControl(info[1], &control)) return env.Undefined();
  (void)Check(env, session->trainer->Prepare(control));
  return env.Undefined();
}

Napi::Value SceneRun(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto session = ReadSession(info[0]);
  TaskControl control;
  if (session == nullptr || !ReadControl(info[5], &control)) return env.Undefined();
  for (int i = 1; i <= 4; ++i) {
    if (info[i].IsNumber() && info[i].As<Napi::Number>().DoubleValue() >= 0) continue;
    ThrowArgument(env, "sceneRun: thread, steps, begin and end must be numbers of at least 0");
    return env.Undefined();
  }
  nerf::SceneTrainReport report;
  if (!Check(env,
             session->trainer->Run(info[1].As<Napi::Number>().Uint32Value(),
                                   info[2].As<Napi::Number>().Uint32Value(),
                                   info[3].As<Napi::Number>().DoubleValue(),
                                   info[4].As<Napi::Number>().DoubleValue(), control, &report)))
    return env.Undefined();
  Napi::Object out = Napi::Object::New(env);
  const auto number = [&](const char* name, double value) {
    out.Set(name, Napi::Number::New(env, value));
  };
  number("step", static_cast<double>(report.step));
  number("rays", static_cast<double>(report.rays));
  number("candidates", static_cast<double>(report.candidates));
  number("samples", static_cast<double>(report.samples));
  number("loss", report.loss);
  number("psnr", report.psnr);
  number("occupied", report.occupied);
  Napi::Object seconds = Napi::Object::New(env);
  for (uint32_t i = 0; i < nerf::kPhases; ++i)
    seconds.Set(nerf::kPhaseNames[i], Napi::Number::New(env, report.seconds.of[i]));
  out.Set("seconds", seconds);
  return out;
}

Napi::Value SceneUseAverage(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto session = ReadSession(info[0]);
  if (session == nullptr) return env.Undefined();
  return Napi::Boolean::New(env, session->trainer->UseAverage(info[1].ToBoolean().Value()));
}

Napi::Value ScenePoses(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto session = ReadSession(info[0]);
  if (session == nullptr) return env.Undefined();
  const std::vector<nerf::TrainingImage>& images = session->trainer->images();
  Napi::Float32Array out = Napi::Float32Array::New(env, images.size() * 12);
  float* to = out.Data();
  for (const nerf::TrainingImage& image : images) {
    to = std::copy_n(image.camera.rotation, 9, to);
    to = std::copy_n(image.camera.translation, 3, to);
  }
  return out;
}

Napi::Value SceneSave(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto session = ReadSession(info[0]);
  if (session == nullptr) return env.Undefined();
  (void)Check(env, session->trainer->SaveState(info[1].ToString().Utf8Value(),
                                               info[2].ToString().Utf8Value()));
  return env.Undefined();
}

Napi::Value SceneRestore(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto session = ReadSession(info[0]);
  SafetensorsFile file;
  if (session == nullptr ||
      !Check(env, SafetensorsFile::Read(info[1].ToString().Utf8Value(), &file)))
    return env.Undefined();
  std::string note;
  if (!Check(env, session->trainer->RestoreState(file, &note))) return env.Undefined();
  Napi::Object out = Napi::Object::New(env);
  out.Set("step", Napi::Number::New(env, static_cast<double>(session->trainer->step())));
  out.Set("note", Napi::String::New(env, note));
  return out;
}

Napi::Value SceneEnd(const Napi::CallbackInfo& info) {
  if (info[0].IsNumber()) EndSession(info[0].As<Napi::Number>().Uint32Value());
  return info.Env().Undefined();
}

}  // namespace

void RegisterNerfScene(Napi::Env env, Napi::Object exports) {
  exports.Set("sceneBegin", Napi::Function::New(env, SceneBegin, "sceneBegin"));
  exports.Set("sceneAddImage", Napi::Function::New(env, SceneAddImage, "sceneAddImage"));
  exports.Set("scenePrepare", Napi::Function::New(env, ScenePrepare, "scenePrepare"));
  exports.Set("sceneRun", Napi::Function::New(env, SceneRun, "sceneRun"));
  exports.Set("sceneUseAverage", Napi::Function::New(env, SceneUseAverage, "sceneUseAverage"));
  exports.Set("scenePoses", Napi::Function::New(env, ScenePoses, "scenePoses"));
  exports.Set("sceneSave", Napi::Function::New(env, SceneSave, "sceneSave"));
  exports.Set("sceneRestore", Napi::Function::New(env, SceneRestore, "sceneRestore"));
  exports.Set("sceneEnd", Napi::Function::New(env, SceneEnd, "sceneEnd"));
}

}  // namespace daf::node
