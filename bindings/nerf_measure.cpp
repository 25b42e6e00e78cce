// What benchmarks measure of the kernels; declared again in src/core/addon/nerf_measure.ts.
#include <cmath>
#include <cstring>

#include "bindings/head_values.h"
#include "bindings/nerf_values.h"
#include "native/base/thread_clock.h"
#include "native/kernels/dot.h"

namespace daf::node {
namespace {

// Calls of `multiply_adds` for about as many seconds as `length` says.
Napi::Value MeasureRate(Napi::Env env, double (*multiply_adds)(uint64_t, float*),
                        const Napi::Value& length) {
  const double seconds = length.IsNumber() ? length.As<Napi::Number>().DoubleValue() : 0.1;
  float sink[4] = {0.999f, 0.001f, 0, 0};
  double done = 0;
  const double begin = ThreadSeconds();
  double end = begin;
  while (end - begin < seconds) {
    done += multiply_adds(100000, sink);
    end = ThreadSeconds();
  }
  return Napi::Number::New(env, done / (end - begin));
}

Napi::Value MeasureMultiplyAdds(const Napi::CallbackInfo& info) {
  const kernels::Table* table;
  if (!Check(info.Env(), kernels::Chosen(&table))) return info.Env().Undefined();
  return MeasureRate(info.Env(), table->multiply_adds, info[0]);
}

Napi::Value MeasureDots(const Napi::CallbackInfo& info) {
  nerf::PassKind kind;
  const kernels::DotTable* dots;
  if (!ReadPrecision(info[0], &kind) || !Check(info.Env(), kernels::ChosenDots(&dots)))
    return info.Env().Undefined();
  const bool int8 = kind == nerf::PassKind::kInferenceInt8;
  return MeasureRate(info.Env(), int8 ? dots->int8_multiply_adds : dots->bf16_multiply_adds,
                     info[1]);
}

// Samples a second of the field's own kernels on points in the box; "training" with the backward
// pass but without the optimiser, or inference in a precision.
Napi::Value MeasureField(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* handle = ReadField(info[0]);
  if (handle == nullptr) return env.Undefined();
  const bool training = info[1].IsString() && info[1].As<Napi::String>().Utf8Value() == "training";
  nerf::PassKind kind = nerf::PassKind::kTraining;
  if (!training && !ReadPrecision(info[1], &kind)) return env.Undefined();
  const double seconds = info[2].IsNumber() ? info[2].As<Napi::Number>().DoubleValue() : 0.1;
  nerf::Field& field = handle->model->field();
  Arena arena;
  std::unique_ptr<nerf::FieldPass> pass;
  if (!Check(env, field.NewPass(kind, &arena, &pass))) return env.Undefined();
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
  exports.Set("measureDots", Napi::Function::New(env, MeasureDots, "measureDots"));
  exports.Set("measureField", Napi::Function::New(env, MeasureField, "measureField"));
}

}  // namespace daf::node
