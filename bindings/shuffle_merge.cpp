// What reduce tasks read through: the merge of segments.
#include "bindings/fields.h"
#include "bindings/shuffle_values.h"
#include "native/shuffle/merge_reader.h"

namespace daf::node {
namespace {

bool ReadSource(const Napi::Value& value, MergeSource* out) {
  Fields fields(value);
  out->path = fields.Text("path");
  const Napi::Value partition = fields.Get("partition");
  if (!fields.ok()) return false;
  if (partition.IsNull()) {
    out->offset = fields.Size("offset", uint64_t{1} << 53);
    out->bytes = fields.Size("bytes", uint64_t{1} << 53);
  } else {
    out->partition = static_cast<int64_t>(fields.Size("partition", 65535));
  }
  return fields.ok();
}

class MergeReaderWrap : public Napi::ObjectWrap<MergeReaderWrap> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return DefineClass(env, "MergeReader",
                       {InstanceMethod("open", &MergeReaderWrap::Open),
                        InstanceMethod("next", &MergeReaderWrap::Next),
                        InstanceAccessor<&MergeReaderWrap::FailedSource>("failedSource"),
                        InstanceAccessor<&MergeReaderWrap::Records>("records"),
                        InstanceAccessor<&MergeReaderWrap::Groups>("groups"),
                        InstanceMethod("dispose", &MergeReaderWrap::Dispose)});
  }

  explicit MergeReaderWrap(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<MergeReaderWrap>(info) {
    Fields fields(info[0]);
    options_.temp = fields.Text("temp");
    options_.fan_in = static_cast<uint32_t>(fields.Size("fanIn", 512));
    options_.group_prefix = static_cast<uint32_t>(fields.Size("groupPrefix", kMaxKeyBytes));
    const Napi::Value sources = fields.Get("sources");
    if (fields.ok() && !sources.IsArray()) fields.Fail("sources", "an array");
    if (!fields.ok() || !ReadControl(fields.Get("control"), &control_)) return;
    const Napi::Array array = sources.As<Napi::Array>();
    options_.sources.resize(array.Length());
    for (uint32_t i = 0; i < array.Length(); ++i) {
      if (!ReadSource(array.Get(i), &options_.sources[i])) return;
    }
    info.This().As<Napi::Object>().DefineProperty(
        Napi::PropertyDescriptor::Value("control", fields.Get("control"), napi_default));
    reader_ = std::make_unique<MergeReader>();
  }

 private:
  bool Live(Napi::Env env) const {
    if (reader_ == nullptr) ThrowArgument(env, "the MergeReader was disposed of");
    return reader_ != nullptr;
  }
  Napi::Value Open(const Napi::CallbackInfo& info) {
    if (Live(info.Env())) (void)Check(info.Env(), reader_->Open(options_, control_));
    return info.Env().Undefined();
  }
  Napi::Value Next(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Span<uint8_t> buffer;
    size_t used = 0;
    if (!Live(env) || !ReadBytes(info[0], "next: buffer", &buffer) ||
        !Check(env, reader_->Next(buffer.data, buffer.size, &used))) {
      return env.Undefined();
    }
    return Number(env, used);
  }
  Napi::Value FailedSource(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), reader_ == nullptr ? -1 : reader_->failed_source());
  }
  Napi::Value Records(const Napi::CallbackInfo& info) {
    return Number(info.Env(), reader_ == nullptr ? 0 : reader_->records());
  }
  Napi::Value Groups(const Napi::CallbackInfo& info) {
    return Number(info.Env(), reader_ == nullptr ? 0 : reader_->groups());
  }
  Napi::Value Dispose(const Napi::CallbackInfo& info) {
    reader_.reset();
    return info.Env().Undefined();
  }

  MergeReaderOptions options_;
  TaskControl control_;
  std::unique_ptr<MergeReader> reader_;
};

}  // namespace

Napi::Function MergeReaderClass(Napi::Env env) { return MergeReaderWrap::Class(env); }

}  // namespace daf::node
