// The one place that includes napi.h, so that its switches are the same everywhere.
#pragma once

#define NODE_ADDON_API_REQUIRE_BASIC_FINALIZERS
#define NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED
// A thread that is terminated cancels its native loop, whose error JavaScript can no longer take:
// without this the process would abort.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#include <napi.h>

#include <string>

#include "native/base/control.h"
#include "native/base/status.h"

namespace daf::node {

// Throws a JavaScript Error with `code`, `message` and `hint` when the status is not ok; true when
// it is.
bool Check(Napi::Env env, const Status& status);

// The status thrown for a wrong argument: "<function>: <what>".
void ThrowArgument(Napi::Env env, const std::string& message);

// An Int32Array(≥3) over a SharedArrayBuffer, or null/undefined for none.
bool ReadControl(const Napi::Value& value, TaskControl* out);

// A typed array's elements without a copy; false (and thrown) when it is another type.
template <typename T>
struct Span {
  T* data = nullptr;
  size_t size = 0;
};
bool ReadFloats(const Napi::Value& value, const char* name, Span<float>* out);
bool ReadBytes(const Napi::Value& value, const char* name, Span<uint8_t>* out);
bool ReadUint32s(const Napi::Value& value, const char* name, Span<uint32_t>* out);
bool ReadFloat64s(const Napi::Value& value, const char* name, Span<double>* out);

void RegisterCore(Napi::Env env, Napi::Object exports);
void RegisterHead(Napi::Env env, Napi::Object exports);
void RegisterHost(Napi::Env env, Napi::Object exports);
void RegisterHeadFit(Napi::Env env, Napi::Object exports);
void RegisterHeadSynth(Napi::Env env, Napi::Object exports);
void RegisterMesh(Napi::Env env, Napi::Object exports);
void RegisterNerfCamera(Napi::Env env, Napi::Object exports);
void RegisterNerfField(Napi::Env env, Napi::Object exports);
void RegisterNerfImport(Napi::Env env, Napi::Object exports);
void RegisterNerfMeasure(Napi::Env env, Napi::Object exports);
void RegisterNerfRender(Napi::Env env, Napi::Object exports);
void RegisterNerfScene(Napi::Env env, Napi::Object exports);
void RegisterNerfTrain(Napi::Env env, Napi::Object exports);
void RegisterShuffle(Napi::Env env, Napi::Object exports);

}  // namespace daf::node
