// Rendering for TypeScript; declared again in src/core/addon/nerf_render.ts.
#include "bindings/head_values.h"
#include "bindings/nerf_values.h"

namespace daf::node {
namespace {

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

}  // namespace

void RegisterNerfRender(Napi::Env env, Napi::Object exports) {
  exports.Set("fieldRender", Napi::Function::New(env, FieldRender, "fieldRender"));
}

}  // namespace daf::node
