// What benchmarks measure of the kernels; declared again in src/core/addon/nerf_measure.ts.
#include <cmath>
#include <cstring>

#include "bindings/head_values.h"
#include "bindings/nerf_values.h"
#include "native/base/thread_clock.h"
#include "native/kernels/kernels.h"

namespace daf::node {
namespace {

Napi::Value MeasureMultiplyAdds(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const kernels::Table* table;
  if (!Check(env, kernels::Chosen(&table))) return env.Undefined();
  const double seconds = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0.1;
  float sink[4] = {0.999f, 0.001f, 0, 0};
  double done = 0;
  const double begin = ThreadSeconds();
  double end = begin;
  while (end - begin < seconds) {
    done += table->multiply_adds(100000, sink);
    end = ThreadSeconds();
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
  const double begin = ThreadSeconds();
  double end = begin;
  while (end - begin < seconds) {
    pass->Forward({lane[0], lane[1], lane[2]}, {lane[3], lane[4], lane[5]}, n, lane[6],
                  {lane[7], lane[8], lane[9]});
    if (training) pass->Backward(lane[6], {lane[7], lane[8], lane[9]}, gradients);
    done += n;
    end = ThreadSeconds();
  }
  return Napi::Number::New(env, done / (end - begin));
}

}  // namespace

void RegisterNerfMeasure(Napi::Env env, Napi::Object exports) {
  exports.Set("measureMultiplyAdds",
              Napi::Function::New(env, MeasureMultiplyAdds, "measureMultiplyAdds"));
  exports.Set("measureField", Napi::Function::New(env, MeasureField, "measureField"));
}

}  // namespace daf::node
