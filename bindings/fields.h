// Plain option objects, checked field by field.
#pragma once

#include <string>

#include "bindings/napi_setup.h"

namespace daf::node {

// Reads plain options; keeps the first failure. Missing or mistyped fields are errors, never
// defaults.
class Fields {
 public:
  explicit Fields(const Napi::Value& value) : env_(value.Env()), ok_(value.IsObject()) {
    if (ok_) object_ = value.As<Napi::Object>();
    if (!ok_) ThrowArgument(env_, "options must be an object");
  }
  uint64_t Size(const char* name, uint64_t max) {
    const Napi::Value value = Get(name);
    const double number = ok_ && value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    if (ok_ && !(number >= 0 && number <= static_cast<double>(max)))
      Fail(name, "a number in range");
    return ok_ ? static_cast<uint64_t>(number) : 0;
  }
  bool Flag(const char* name) {
    const Napi::Value value = Get(name);
    if (ok_ && !value.IsBoolean()) Fail(name, "a boolean");
    return ok_ && value.As<Napi::Boolean>().Value();
  }
  std::string Text(const char* name) {
    const Napi::Value value = Get(name);
    if (ok_ && !value.IsString()) Fail(name, "a string");
    return ok_ ? value.As<Napi::String>().Utf8Value() : std::string();
  }
  Napi::Value Get(const char* name) { return ok_ ? object_.Get(name) : env_.Undefined(); }
  void Fail(const char* name, const char* what) {
    if (ok_) ThrowArgument(env_, std::string(name) + " must be " + what);
    ok_ = false;
  }
  bool ok() const { return ok_; }

 private:
  Napi::Env env_;
  Napi::Object object_;
  bool ok_;
};

}  // namespace daf::node
