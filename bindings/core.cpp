// native/base for TypeScript; declared again in src/core/addon/core.ts.
#include "bindings/napi_setup.h"
#include "native/base/arena.h"
#include "native/base/cpu.h"
#include "native/base/crc32c.h"
#include "native/base/sha256.h"
#include "native/kernels/dot.h"

namespace daf::node {
namespace {

Napi::Value CpuInfo(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Isa isa;
  if (!Check(env, ChosenIsa(&isa))) return env.Undefined();
  Napi::Array features = Napi::Array::New(env);
  uint32_t n = 0;
  for (const std::string& name : CpuFeatures()) features.Set(n++, Napi::String::New(env, name));
  Napi::Array supported = Napi::Array::New(env);
  n = 0;
  for (Isa one : kIsas) {
    if (IsaSupported(one)) supported.Set(n++, Napi::String::New(env, IsaName(one)));
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("isa", Napi::String::New(env, IsaName(isa)));
  out.Set("supported", supported);
  out.Set("features", features);
  Napi::Array precisions = Napi::Array::New(env);
  n = 0;
  precisions.Set(n++, Napi::String::New(env, "fp32"));
  if (kernels::DotTableFor(isa) != nullptr) {
    precisions.Set(n++, Napi::String::New(env, "bf16"));
    precisions.Set(n++, Napi::String::New(env, "int8"));
  }
  out.Set("precisions", precisions);
  return out;
}

Napi::Value Crc32cOf(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Span<uint8_t> bytes;
  if (!info[0].IsNumber()) {
    ThrowArgument(env, "crc32c: the first argument is the checksum so far");
    return env.Undefined();
  }
  if (!ReadBytes(info[1], "crc32c: bytes", &bytes)) return env.Undefined();
  return Napi::Number::New(
      env, Crc32c(info[0].As<Napi::Number>().Uint32Value(), bytes.data, bytes.size));
}

// Short texts stay on the stack: the call is made for every task.
Napi::Value Sha256StartOf(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsString()) {
    ThrowArgument(env, "sha256Start: expected a text");
    return env.Undefined();
  }
  char room[512];
  size_t size = 0;
  napi_get_value_string_utf8(env, info[0], room, sizeof room, &size);
  std::array<uint8_t, 32> digest;
  // A text that fills the room may have been cut.
  if (size + 4 < sizeof room) {
    digest = Sha256(room, size);
  } else {
    const std::string text = info[0].As<Napi::String>().Utf8Value();
    digest = Sha256(text.data(), text.size());
  }
  uint32_t start = 0;
  for (int i = 3; i >= 0; --i) start = start << 8 | digest[static_cast<size_t>(i)];
  return Napi::Number::New(env, start);
}

Napi::Value SetMemoryLimit(const Napi::CallbackInfo& info) {
  Budget::Process().SetLimit(static_cast<size_t>(info[0].As<Napi::Number>().Int64Value()));
  return info.Env().Undefined();
}

Napi::Value MemoryUse(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Budget& budget = Budget::Process();
  Napi::Object out = Napi::Object::New(env);
  out.Set("limit", Napi::Number::New(env, static_cast<double>(budget.limit())));
  out.Set("used", Napi::Number::New(env, static_cast<double>(budget.used())));
  out.Set("peak", Napi::Number::New(env, static_cast<double>(budget.peak())));
  out.Set("kept", Napi::Number::New(env, static_cast<double>(budget.kept())));
  out.Set("systemBlocks", Napi::Number::New(env, static_cast<double>(budget.system_blocks())));
  return out;
}

Napi::Value ResetMemoryPeak(const Napi::CallbackInfo& info) {
  Budget& budget = Budget::Process();
  const double peak = static_cast<double>(budget.peak());
  budget.ResetPeak();
  return Napi::Number::New(info.Env(), peak);
}

}  // namespace

void RegisterCore(Napi::Env env, Napi::Object exports) {
  exports.Set("cpuInfo", Napi::Function::New(env, CpuInfo, "cpuInfo"));
  exports.Set("crc32c", Napi::Function::New(env, Crc32cOf, "crc32c"));
  exports.Set("sha256Start", Napi::Function::New(env, Sha256StartOf, "sha256Start"));
  exports.Set("setMemoryLimit", Napi::Function::New(env, SetMemoryLimit, "setMemoryLimit"));
  exports.Set("memoryUse", Napi::Function::New(env, MemoryUse, "memoryUse"));
  exports.Set("resetMemoryPeak", Napi::Function::New(env, ResetMemoryPeak, "resetMemoryPeak"));
}

}  // namespace daf::node
