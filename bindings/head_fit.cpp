// native/head's fit, matte and texture for TypeScript; declared again in
// src/core/addon/head_fit.ts.
#include <string>
#include <vector>

#include "bindings/head_values.h"
#include "native/head/fit/fit.h"
#include "native/head/fit/hair.h"
#include "native/head/matte/matte.h"
#include "native/head/texture/texture_projection.h"

namespace daf::node {
namespace {

// Optional members are present and null, so that a misspelt one is an error.
bool ReadOptional(const Napi::Object& object, const char* name, float* out) {
  const Napi::Value value = object.Get(name);
  if (value.IsNull()) return true;
  double number;
  if (!ReadNumber(object, name, &number)) return false;
  *out = static_cast<float>(number);
  return true;
}

bool ReadOptional(const Napi::Object& object, const char* name, int* out) {
  float number = static_cast<float>(*out);
  if (!ReadOptional(object, name, &number)) return false;
  *out = static_cast<int>(number);
  return true;
}

bool ReadOptional(const Napi::Object& object, const char* name, bool* out) {
  const Napi::Value value = object.Get(name);
  if (value.IsNull()) return true;
  if (!value.IsBoolean()) {
    ThrowArgument(object.Env(), std::string(name) + " must be a boolean or null");
    return false;
  }
  *out = value.As<Napi::Boolean>().Value();
  return true;
}

bool ReadPoseOptions(const Napi::Value& value, head::PoseOptions* out) {
  if (!value.IsObject()) {
    ThrowArgument(value.Env(), "pose options must be an object");
    return false;
  }
  const Napi::Object object = value.As<Napi::Object>();
  if (!ReadOptional(object, "focal", &out->focal) ||
      !ReadOptional(object, "focalSpread", &out->focal_spread) ||
      !ReadOptional(object, "noise", &out->noise)) {
    return false;
  }
  const Napi::Value center = object.Get("center");
  if (center.IsNull()) return true;
  if (!center.IsArray() || center.As<Napi::Array>().Length() != 2 ||
      !center.As<Napi::Array>().Get(0u).IsNumber() ||
      !center.As<Napi::Array>().Get(1u).IsNumber()) {
    ThrowArgument(value.Env(), "center must be [x, y] or null");
    return false;
  }
  for (uint32_t k = 0; k < 2; ++k)
    out->center[k] = center.As<Napi::Array>().Get(k).As<Napi::Number>().FloatValue();
  return true;
}

// Landmarks and their optional weights, 68 of each.
bool ReadLandmarks(const Napi::Value& landmarks, const Napi::Value& weights,
                   const float** out_landmarks, const float** out_weights) {
  Span<float> span;
  if (!ReadFloats(landmarks, "landmarks", &span) ||
      !CheckSize(landmarks.Env(), "landmarks", span.size, 2 * head::kLandmarks)) {
    return false;
  }
  *out_landmarks = span.data;
  *out_weights = nullptr;
  if (weights.IsNull()) return true;
  if (!ReadFloats(weights, "weights", &span) ||
      !CheckSize(weights.Env(), "weights", span.size, head::kLandmarks))
    return false;
  *out_weights = span.data;
  return true;
}

bool ReadSize(Napi::Env env, const Napi::Value& width, const Napi::Value& height, int* out_width,
              int* out_height) {
  if (!width.IsNumber() || !height.IsNumber()) {
    ThrowArgument(env, "width and height must be numbers");
    return false;
  }
  *out_width = width.As<Napi::Number>().Int32Value();
  *out_height = height.As<Napi::Number>().Int32Value();
  return true;
}

Napi::Float32Array Floats(Napi::Env env, const std::vector<float>& values) {
  Napi::Float32Array array = Napi::Float32Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

void SetNumbers(Napi::Object* object,
                std::initializer_list<std::pair<const char*, double>> members) {
  for (const auto& [name, value] : members)
    object->Set(name, Napi::Number::New(object->Env(), value));
}

Napi::Value EstimatePoseOf(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  const float *landmarks, *weights;
  int width, height;
  head::PoseOptions options;
  head::PoseResult pose;
  if (model == nullptr || !ReadLandmarks(info[1], info[2], &landmarks, &weights) ||
      !ReadSize(env, info[3], info[4], &width, &height) || !ReadPoseOptions(info[5], &options) ||
      !Check(env,
             head::EstimateHeadPose(*model, landmarks, weights, width, height, options, &pose))) {
    return env.Undefined();
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("camera", MakeCamera(env, pose.camera));
  SetNumbers(&out, {{"yaw", pose.yaw},
                    {"pitch", pose.pitch},
                    {"roll", pose.roll},
                    {"residual", pose.residual},
                    {"eyeDistance", pose.eye_distance},
                    {"inliers", pose.inliers}});
  return out;
}

bool ReadFitOptions(const Napi::Value& value, head::FitOptions* out) {
  if (!value.IsObject()) {
    ThrowArgument(value.Env(), "fit options must be an object");
    return false;
  }
  const Napi::Object object = value.As<Napi::Object>();
  const Napi::Value jaw = object.Get("jaw");
  const std::string name = jaw.IsNull()     ? "auto"
                           : jaw.IsString() ? jaw.As<Napi::String>().Utf8Value()
                                            : "";
  if (name != "auto" && name != "contour" && name != "fixed") {
    ThrowArgument(value.Env(), "jaw must be 'auto', 'contour', 'fixed' or null");
    return false;
  }
  out->jaw = name == "auto"      ? head::Jaw::kAuto
             : name == "contour" ? head::Jaw::kContour
                                 : head::Jaw::kFixed;
  return ReadOptional(object, "identityModes", &out->identity_modes) &&
         ReadOptional(object, "expressionModes", &out->expression_modes) &&
         ReadOptional(object, "noise", &out->noise) &&
         ReadOptional(object, "expressionSpread", &out->expression_spread) &&
         ReadOptional(object, "displacement", &out->displacement);
}

constexpr uint32_t kMostViews = 1024;

// An array of photos, each by read(value, &view).
template <typename View, typename Read>
bool ReadViews(const Napi::Value& value, const char* function, const Read& read,
               std::vector<View>* out) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() > kMostViews) {
    ThrowArgument(value.Env(), std::string(function) + ": views must be an array of at most " +
                                   std::to_string(kMostViews));
    return false;
  }
  const Napi::Array list = value.As<Napi::Array>();
  out->resize(list.Length());
  for (uint32_t v = 0; v < list.Length(); ++v) {
    const Napi::Value view = list.Get(v);
    if (!view.IsObject()) {
      ThrowArgument(value.Env(), std::string(function) + ": a view must be an object");
      return false;
    }
    if (!read(view.As<Napi::Object>(), &(*out)[v])) return false;
  }
  return true;
}

bool ReadFitView(const Napi::Object& view, head::FitView* out) {
  return ReadLandmarks(view.Get("landmarks"), view.Get("weights"), &out->landmarks,
                       &out->weights) &&
         ReadSize(view.Env(), view.Get("width"), view.Get("height"), &out->width, &out->height) &&
         ReadPoseOptions(view.Get("pose"), &out->pose);
}

Napi::Value FitHeadTo(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  head::FitOptions options;
  TaskControl control;
  std::vector<head::FitView> views;
  if (model == nullptr || !ReadFitOptions(info[2], &options) || !ReadControl(info[3], &control) ||
      !ReadViews(info[1], "fitHead", ReadFitView, &views))
    return env.Undefined();
  Arena arena;
  head::HeadFit fit;
  if (!Check(env, head::FitHead(*model, views.data(), static_cast<int>(views.size()), options,
                                arena, control, &fit))) {
    return env.Undefined();
  }
  Napi::Array fitted = Napi::Array::New(env, fit.views.size());
  for (uint32_t v = 0; v < fit.views.size(); ++v) {
    const head::FitViewResult& view = fit.views[v];
    Napi::Object object = Napi::Object::New(env);
    object.Set("camera", MakeCamera(env, view.camera));
    object.Set("expression", Floats(env, view.expression));
    SetNumbers(&object, {{"yaw", view.yaw},
                         {"pitch", view.pitch},
                         {"roll", view.roll},
                         {"modeResidual", view.mode_residual},
                         {"residual", view.residual},
                         {"eyeDistance", view.eye_distance},
                         {"trust", view.trust}});
    fitted.Set(v, object);
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("identity", Floats(env, fit.identity));
  out.Set("identityVariance", Floats(env, fit.identity_variance));
  out.Set("displacement", Floats(env, fit.displacement));
  out.Set("views", fitted);
  out.Set("jaw", Napi::String::New(env, fit.jaw == head::Jaw::kContour ? "contour" : "fixed"));
  SetNumbers(&out, {{"residual", fit.residual}, {"displacementRms", fit.displacement_rms}});
  return out;
}

bool ReadPositions(const head::HeadModel& model, const Napi::Value& value, const float** out) {
  Span<float> span;
  if (!ReadFloats(value, "positions", &span) ||
      !CheckSize(value.Env(), "positions", span.size, size_t{model.position_count} * 3)) {
    return false;
  }
  *out = span.data;
  return true;
}

// { data, width, height, channels }, of the camera's size.
bool ReadPhoto(const Napi::Value& value, const head::Camera& camera, head::PhotoPixels* out) {
  if (!value.IsObject()) {
    ThrowArgument(value.Env(), "photo must be an object");
    return false;
  }
  const Napi::Object object = value.As<Napi::Object>();
  Span<uint8_t> data;
  double width, height, channels;
  if (!ReadBytes(object.Get("data"), "photo.data", &data) || !ReadNumber(object, "width", &width) ||
      !ReadNumber(object, "height", &height) || !ReadNumber(object, "channels", &channels)) {
    return false;
  }
  if (width != camera.width || height != camera.height || (channels != 3 && channels != 4)) {
    ThrowArgument(value.Env(), "photo must have the camera's size and 3 or 4 channels");
    return false;
  }
  *out = {data.data, camera.width, camera.height, static_cast<int>(channels)};
  return CheckSize(value.Env(), "photo.data", data.size,
                   static_cast<size_t>(camera.width) * camera.height * out->channels);
}

bool ReadPixels(Napi::Env env, const Napi::Value& value, const char* name, size_t size,
                uint8_t** out) {
  Span<uint8_t> span;
  if (!ReadBytes(value, name, &span) || !CheckSize(env, name, span.size, size)) return false;
  *out = span.data;
  return true;
}

Napi::Value HeadMatteTo(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  const float* positions;
  head::Camera camera;
  head::PhotoPixels photo;
  head::MatteOptions options;
  TaskControl control;
  uint8_t* matte;
  if (model == nullptr || !ReadPositions(*model, info[1], &positions) ||
      !ReadCamera(info[2], &camera) || (!info[3].IsNull() && !ReadPhoto(info[3], camera, &photo))) {
    return env.Undefined();
  }
  if (!info[4].IsObject()) {
    ThrowArgument(env, "headMatte: options must be an object");
    return env.Undefined();
  }
  if (!ReadOptional(info[4].As<Napi::Object>(), "refine", &options.refine) ||
      !ReadControl(info[5], &control) ||
      !ReadPixels(env, info[6], "headMatte: matte",
                  static_cast<size_t>(camera.width) * camera.height, &matte)) {
    return env.Undefined();
  }
  Arena arena;
  (void)Check(env,
              head::HeadMatte(*model, positions, camera, photo.data == nullptr ? nullptr : &photo,
                              options, arena, control, matte));
  return env.Undefined();
}

bool ReadHairView(const Napi::Object& view, head::HairView* out) {
  uint8_t* matte;
  double weight, bare;
  if (!ReadCamera(view.Get("camera"), &out->camera) ||
      !ReadPixels(view.Env(), view.Get("matte"), "matte",
                  static_cast<size_t>(out->camera.width) * out->camera.height, &matte) ||
      !ReadNumber(view, "weight", &weight) || !ReadNumber(view, "bare", &bare)) {
    return false;
  }
  out->matte = matte;
  out->weight = static_cast<float>(weight);
  out->bare = static_cast<float>(bare);
  return true;
}

Napi::Value FitHairTo(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  const float* positions;
  TaskControl control;
  std::vector<head::HairView> views;
  if (model == nullptr || !ReadPositions(*model, info[1], &positions) ||
      !ReadControl(info[3], &control) || !ReadViews(info[2], "fitHair", ReadHairView, &views))
    return env.Undefined();
  std::vector<float> displacement(size_t{model->position_count} * 3);
  Arena arena;
  if (!Check(env, head::FitHair(*model, positions, views.data(), static_cast<int>(views.size()),
                                arena, control, displacement.data()))) {
    return env.Undefined();
  }
  return Floats(env, displacement);
}

bool ReadTextureView(const head::HeadModel& model, const Napi::Object& view,
                     head::TextureView* out) {
  uint8_t* matte;
  double weight;
  if (!ReadPositions(model, view.Get("positions"), &out->positions) ||
      !ReadCamera(view.Get("camera"), &out->camera) ||
      !ReadPhoto(view.Get("photo"), out->camera, &out->photo) ||
      !ReadPixels(view.Env(), view.Get("matte"), "matte",
                  static_cast<size_t>(out->camera.width) * out->camera.height, &matte) ||
      !ReadNumber(view, "weight", &weight)) {
    return false;
  }
  out->matte = matte;
  out->weight = static_cast<float>(weight);
  return true;
}

Napi::Value ProjectTextureTo(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  if (model == nullptr) return env.Undefined();
  if (!info[3].IsNumber() || !info[4].IsObject()) {
    ThrowArgument(env, "projectTexture: size must be a number, options an object");
    return env.Undefined();
  }
  std::vector<head::TextureView> views;
  const auto read = [&](const Napi::Object& view, head::TextureView* out) {
    return ReadTextureView(*model, view, out);
  };
  if (!ReadViews(info[1], "projectTexture", read, &views)) return env.Undefined();
  const int size = info[3].As<Napi::Number>().Int32Value();
  const size_t texels = size > 0 ? static_cast<size_t>(size) * size : 0;
  const Napi::Object object = info[4].As<Napi::Object>();
  head::TextureOptions options;
  TaskControl control;
  uint8_t *base, *texture, *observed;
  if (!ReadOptional(object, "removeLight", &options.remove_light) ||
      !ReadOptional(object, "mirror", &options.mirror) ||
      !ReadPixels(env, info[2], "projectTexture: base", 4 * texels, &base) ||
      !ReadControl(info[5], &control) ||
      !ReadPixels(env, info[6], "projectTexture: texture", 4 * texels, &texture) ||
      !ReadPixels(env, info[7], "projectTexture: observed", texels, &observed)) {
    return env.Undefined();
  }
  Arena arena;
  head::TextureReport report;
  if (!Check(env,
             head::ProjectTexture(*model, views.data(), static_cast<int>(views.size()), base, size,
                                  options, arena, control, texture, observed, &report))) {
    return env.Undefined();
  }
  Napi::Array lights = Napi::Array::New(env, report.lights.size());
  for (uint32_t v = 0; v < report.lights.size(); ++v) {
    lights.Set(v,
               Floats(env, std::vector<float>(report.lights[v].begin(), report.lights[v].end())));
  }
  Napi::Object out = Napi::Object::New(env);
  SetNumbers(&out, {{"observedFraction", report.observed_fraction},
                    {"mirroredFraction", report.mirrored_fraction}});
  out.Set("lights", lights);
  return out;
}

}  // namespace

void RegisterHeadFit(Napi::Env env, Napi::Object exports) {
  exports.Set("estimatePose", Napi::Function::New(env, EstimatePoseOf, "estimatePose"));
  exports.Set("fitHead", Napi::Function::New(env, FitHeadTo, "fitHead"));
  exports.Set("fitHair", Napi::Function::New(env, FitHairTo, "fitHair"));
  exports.Set("headMatte", Napi::Function::New(env, HeadMatteTo, "headMatte"));
  exports.Set("projectTexture", Napi::Function::New(env, ProjectTextureTo, "projectTexture"));
}

}  // namespace daf::node
