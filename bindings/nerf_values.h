// What the bindings of native/nerf share: the handles that TypeScript holds, and readers of plain
// values.
#pragma once

#include <memory>
#include <string>

#include "bindings/napi_setup.h"
#include "native/nerf/renderer.h"
#include "native/nerf/trainer.h"

namespace daf::node {

// The model is shared with its trainers, so that either may be disposed first.
struct FieldHandle {
  std::shared_ptr<nerf::Model> model;
  nerf::Renderer renderer;
};
struct TrainerHandle {
  std::shared_ptr<nerf::Model> model;
  std::unique_ptr<nerf::Trainer> trainer;
};

// Externals with a type tag; the reader throws and returns null for anything else and for what was
// disposed.
Napi::Value WrapField(Napi::Env env, std::unique_ptr<FieldHandle> handle);
Napi::Value WrapTrainer(Napi::Env env, std::unique_ptr<TrainerHandle> handle);
FieldHandle* ReadField(const Napi::Value& value);
TrainerHandle* ReadTrainer(const Napi::Value& value);

// Each throws and returns false for what is missing or out of range.
// A whole number in [0, 2^32).
bool ReadCount(const Napi::Object& object, const char* name, uint32_t* out);
bool ReadFloat(const Napi::Object& object, const char* name, float* out);
bool ReadTriple(const Napi::Value& value, const char* name, float out[3]);
// rotation[9], translation[3], focal x and y, centre x and y, width, height, lens model (as in
// nerf::LensModel), k1 … k6, p1, p2.
bool ReadFieldCamera(const Napi::Value& value, nerf::Camera* out);
// "fp32", "bf16" or "int8", as the pass for inference.
bool ReadPrecision(const Napi::Value& value, nerf::PassKind* out);
// Bytes, floats or null, `size` elements.
bool ReadPlane(const Napi::Value& value, const char* name, size_t size, const uint8_t** bytes,
               const float** floats);
inline bool Nothing(const Napi::Value& value) { return value.IsNull() || value.IsUndefined(); }

}  // namespace daf::node
