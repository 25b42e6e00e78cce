// Rendering for TypeScript; declared again in src/core/addon/nerf_render.ts.
#include "bindings/head_values.h"
#include "bindings/nerf_values.h"

namespace daf::node {
namespace {

bool ReadLook(const Napi::Value& value, nerf::RenderOptions* out) {
  if (!value.IsObject()) {
    ThrowArgument(value.Env(), "fieldRender: look must be an object");
    return false;
  }
  const Napi::Object look = value.As<Napi::Object>();
  out->transparent = look.Get("background").IsNull();
  out->learned_background = look.Get("learnedBackground").ToBoolean().Value();
  out->stratified = look.Get("stratified").ToBoolean().Value();
  out->exhaustive = look.Get("exhaustive").ToBoolean().Value();
  return ReadPrecision(look.Get("precision"), &out->pass) &&
         (out->transparent || ReadTriple(look.Get("background"), "background", out->background)) &&
         ReadCount(look, "samples", &out->samples) &&
         ReadCount(look, "samplesPerRay", &out->samples_per_ray) &&
         ReadCount(look, "coarseSamples", &out->importance.coarse) &&
         ReadCount(look, "fineSamples", &out->importance.fine) &&
         ReadCount(look, "seed", &out->seed) && ReadFloat(look, "near", &out->near) &&
         ReadFloat(look, "far", &out->far) &&
         ReadFloat(look, "minTransmittance", &out->min_transmittance);
}

bool ReadWindow(const Napi::Value& value, nerf::Window* out) {
  if (!value.IsObject()) {
    ThrowArgument(value.Env(), "fieldRender: window must be an object");
    return false;
  }
  const Napi::Object window = value.As<Napi::Object>();
  return ReadCount(window, "x", &out->x) && ReadCount(window, "y", &out->y) &&
         ReadCount(window, "width", &out->width) && ReadCount(window, "height", &out->height);
}

// `values` floats for each of `pixels`, or null where the target is.
bool ReadTarget(const Napi::Object& targets, const char* name, size_t pixels, size_t values,
                float** out) {
  const Napi::Value value = targets.Get(name);
  if (value.IsNull()) return true;
  Span<float> span;
  if (!ReadFloats(value, name, &span) || !CheckSize(value.Env(), name, span.size, pixels * values))
    return false;
  *out = span.data;
  return true;
}

bool ReadTargets(const Napi::Value& value, const nerf::Window& window, nerf::RenderTargets* out) {
  if (!value.IsObject()) {
    ThrowArgument(value.Env(), "fieldRender: targets must be an object");
    return false;
  }
  const Napi::Object targets = value.As<Napi::Object>();
  const size_t pixels = size_t{window.width} * window.height;
  if (!targets.Get("rgba").IsNull()) {
    Span<uint8_t> rgba;
    if (!ReadBytes(targets.Get("rgba"), "rgba", &rgba) ||
        !CheckSize(value.Env(), "rgba", rgba.size, pixels * 4))
      return false;
    out->rgba = rgba.data;
  }
  return ReadTarget(targets, "color", pixels, 3, &out->color) &&
         ReadTarget(targets, "depth", pixels, 1, &out->depth) &&
         ReadTarget(targets, "opacity", pixels, 1, &out->opacity) &&
         ReadTarget(targets, "normal", pixels, 3, &out->normal);
}

Napi::Value FieldRender(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* field = ReadField(info[0]);
  nerf::Camera camera;
  nerf::RenderOptions options;
  nerf::Window window;
  TaskControl control;
  nerf::RenderTargets targets;
  if (field == nullptr || !ReadFieldCamera(info[1], &camera) || !ReadLook(info[2], &options) ||
      !ReadWindow(info[3], &window) || !ReadControl(info[4], &control) ||
      !ReadTargets(info[5], window, &targets)) {
    return env.Undefined();
  }
  nerf::RenderStats stats;
  if (!Check(env, field->renderer.Render(field->model.get(), camera, window, options, targets,
                                         control, &stats)))
    return env.Undefined();
  Napi::Object out = Napi::Object::New(env);
  const auto number = [&](const char* name, double value) {
    out.Set(name, Napi::Number::New(env, value));
  };
  number("rays", static_cast<double>(stats.rays));
  number("samples", static_cast<double>(stats.samples));
  number("colors", static_cast<double>(stats.colors));
  number("seconds", stats.seconds);
  number("fieldSeconds", stats.field_seconds);
  number("marchSeconds", stats.march_seconds);
  return out;
}

}  // namespace

void RegisterNerfRender(Napi::Env env, Napi::Object exports) {
  exports.Set("fieldRender", Napi::Function::New(env, FieldRender, "fieldRender"));
}

}  // namespace daf::node
