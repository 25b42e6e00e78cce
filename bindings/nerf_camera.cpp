// Cameras for TypeScript; declared again in src/core/addon/nerf_camera.ts.
#include <cmath>

#include "bindings/head_values.h"
#include "bindings/nerf_values.h"

namespace daf::node {
namespace {

Napi::Value CameraProject(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  nerf::Camera camera;
  Span<float> points, pixels, depths;
  if (!ReadFieldCamera(info[0], &camera) || !ReadFloats(info[1], "points", &points) ||
      !ReadFloats(info[2], "pixels", &pixels) || !ReadFloats(info[3], "depths", &depths) ||
      !CheckSize(env, "points", points.size, depths.size * 3) ||
      !CheckSize(env, "pixels", pixels.size, depths.size * 2)) {
    return env.Undefined();
  }
  for (size_t i = 0; i < depths.size; ++i) {
    if (!nerf::Project(camera, points.data + i * 3, pixels.data + i * 2, depths.data + i))
      pixels.data[i * 2] = pixels.data[i * 2 + 1] = depths.data[i] = NAN;
  }
  return env.Undefined();
}

Napi::Value CameraRays(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  nerf::Camera camera;
  Span<float> pixels, directions;
  if (!ReadFieldCamera(info[0], &camera) || !ReadFloats(info[1], "pixels", &pixels) ||
      !ReadFloats(info[2], "directions", &directions) ||
      !CheckSize(env, "directions", directions.size, pixels.size / 2 * 3) ||
      !CheckSize(env, "pixels", pixels.size, pixels.size / 2 * 2)) {
    return env.Undefined();
  }
  for (size_t i = 0; i < pixels.size / 2; ++i) {
    const nerf::Ray ray = nerf::PixelRay(camera, pixels.data[i * 2], pixels.data[i * 2 + 1]);
    for (int a = 0; a < 3; ++a) directions.data[i * 3 + a] = ray.direction[a];
  }
  return env.Undefined();
}

}  // namespace

void RegisterNerfCamera(Napi::Env env, Napi::Object exports) {
  exports.Set("cameraProject", Napi::Function::New(env, CameraProject, "cameraProject"));
  exports.Set("cameraRays", Napi::Function::New(env, CameraRays, "cameraRays"));
}

}  // namespace daf::node
