// native/host for TypeScript; declared again in src/core/addon/host.ts.
#include <memory>

#include "bindings/fields.h"
#include "bindings/napi_setup.h"
#include "native/host/backend.h"

#ifndef NODE_ADDON_API_CPP_EXCEPTIONS
#error "callbacks below report their errors as C++ exceptions"
#endif

namespace daf::node {
namespace {

// What a call hands to JavaScript while it runs, and the first exception that came back.
struct Callbacks {
  Napi::Env env;
  Napi::Uint8Array out;          // emitted records are copied here …
  Napi::Uint32Array partitions;  // … and their reducers here
  Napi::Function emit;           // (bytes, records with a reducer of their own)
  Napi::Function log;            // (level, message)
  Napi::Uint8Array in;           // groups: fill writes here …
  Napi::Function fill;           // … and returns how much
  std::unique_ptr<Napi::Error> thrown;

  template <typename Body>
  Status Guard(Body body) {
    Napi::HandleScope scope(env);
    try {
      return body();
    } catch (const Napi::Error& error) {
      thrown = std::make_unique<Napi::Error>(error);
      return Status(Code::kInternal, "a callback threw");
    }
  }

  PluginHooks Hooks() {
    PluginHooks hooks;
    hooks.flush = [this](const PluginOutput& output) {
      return Guard([&]() -> Status {
        if (output.size > out.ElementLength() || output.count > partitions.ElementLength()) {
          return Status(Code::kBadArgument, "the output arrays of a plugin call are too small");
        }
        std::copy(output.bytes, output.bytes + output.size, out.Data());
        size_t own = 0;
        if (output.partitions != nullptr) {
          std::copy(output.partitions, output.partitions + output.count, partitions.Data());
          own = output.count;
        }
        emit.Call({Napi::Number::New(env, static_cast<double>(output.size)),
                   Napi::Number::New(env, static_cast<double>(own))});
        return Status::Ok();
      });
    };
    hooks.more = [this](uint8_t* input, size_t capacity, size_t* size) {
      return Guard([&]() -> Status {
        const double filled = fill.Call({}).ToNumber().DoubleValue();
        if (!(filled >= 0 &&
              filled <= static_cast<double>(std::min(capacity, in.ElementLength())))) {
          return Status(Code::kBadArgument, "fill returned more than the input of a plugin takes");
        }
        *size = static_cast<size_t>(filled);
        std::copy(in.Data(), in.Data() + *size, input);
        return Status::Ok();
      });
    };
    hooks.log = [this](int level, const std::string& message) {
      (void)Guard([&]() -> Status {
        log.Call({Napi::Number::New(env, level), Napi::String::New(env, message)});
        return Status::Ok();
      });
    };
    return hooks;
  }
};

const char* InputName(uint32_t input) {
  return input == DAF_INPUT_BLOCKS ? "blocks" : input == DAF_INPUT_RECORDS ? "records" : "files";
}

class PluginHostWrap : public Napi::ObjectWrap<PluginHostWrap> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return DefineClass(env, "PluginHost",
                       {InstanceAccessor<&PluginHostWrap::Info>("info"),
                        InstanceMethod("map", &PluginHostWrap::Map),
                        InstanceMethod("endMap", &PluginHostWrap::EndMap),
                        InstanceMethod("groups", &PluginHostWrap::Groups),
                        InstanceMethod("takeCounters", &PluginHostWrap::TakeCounters),
                        InstanceMethod("dispose", &PluginHostWrap::Dispose)});
  }

  explicit PluginHostWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PluginHostWrap>(info) {
    Napi::Env env = info.Env();
    Fields fields(info[0]);
    PluginOptions options;
    options.host = fields.Text("host");
    options.plugin = fields.Text("plugin");
    options.input_bytes = fields.Size("inputBytes", uint64_t{2} << 30);
    options.memory_bytes = fields.Size("memoryBytes", uint64_t{1} << 52);
    options.timeout_ms = static_cast<uint32_t>(fields.Size("timeoutMs", UINT32_MAX));
    const Napi::Value params = fields.Get("params");
    if (fields.ok() && !params.IsObject()) fields.Fail("params", "an object of strings");
    if (!fields.ok()) return;
    const Napi::Array names = params.As<Napi::Object>().GetPropertyNames();
    for (uint32_t i = 0; i < names.Length(); ++i) {
      const std::string name = names.Get(i).ToString().Utf8Value();
      options.params[name] = params.As<Napi::Object>().Get(name).ToString().Utf8Value();
    }
    std::unique_ptr<PluginBackend> backend;
    if (Check(env, OpenPlugin(options, &backend))) backend_ = std::move(backend);
  }

 private:
  bool Live(Napi::Env env) const {
    if (backend_ == nullptr) ThrowArgument(env, "the PluginHost was disposed of");
    return backend_ != nullptr;
  }

  Napi::Value Info(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!Live(env)) return env.Undefined();
    const Plugin& plugin = backend_->plugin();
    Napi::Object out = Napi::Object::New(env);
    out.Set("name", plugin.name);
    out.Set("version", plugin.version);
    out.Set("input", InputName(plugin.input));
    out.Set("hasReduce", plugin.reduce != nullptr);
    out.Set("hasCombine", plugin.combine != nullptr);
    out.Set("hasPartition", plugin.partition != nullptr);
    return out;
  }

  // The fields that every call has.
  bool ReadCall(Fields* fields, Callbacks* callbacks, TaskControl* control, PluginCall* call) {
    call->task = static_cast<uint32_t>(fields->Size("task", UINT32_MAX));
    const Napi::Value out = fields->Get("out"), partitions = fields->Get("partitions");
    const Napi::Value emit = fields->Get("emit"), log = fields->Get("log");
    Span<uint8_t> bytes;
    Span<uint32_t> words;
    if (!fields->ok() || !ReadBytes(out, "out", &bytes) ||
        !ReadUint32s(partitions, "partitions", &words))
      return false;
    if (!emit.IsFunction() || !log.IsFunction()) {
      fields->Fail("emit and log", "functions");
      return false;
    }
    callbacks->out = out.As<Napi::Uint8Array>();
    callbacks->partitions = partitions.As<Napi::Uint32Array>();
    callbacks->emit = emit.As<Napi::Function>();
    callbacks->log = log.As<Napi::Function>();
    return ReadControl(fields->Get("control"), control);
  }

  Napi::Value Run(const PluginCall& call, Callbacks* callbacks, const TaskControl& control) {
    Napi::Env env = callbacks->env;
    uint64_t records = 0;
    // A callback may dispose of this object; the call outlives that.
    const std::shared_ptr<PluginBackend> backend = backend_;
    const Status status = backend->Run(call, callbacks->Hooks(), control, &records);
    if (callbacks->thrown != nullptr) {
      callbacks->thrown->ThrowAsJavaScriptException();
      return env.Undefined();
    }
    if (!Check(env, status)) return env.Undefined();
    return Napi::Number::New(env, static_cast<double>(records));
  }

  Napi::Value Map(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!Live(env)) return env.Undefined();
    Fields fields(info[0]);
    Callbacks callbacks{env, {}, {}, {}, {}, {}, {}, nullptr};
    TaskControl control;
    PluginCall call;
    call.document = fields.Text("source");
    call.offset = fields.Size("offset", uint64_t{1} << 53);
    call.partitions = static_cast<uint32_t>(fields.Size("reducers", 65536));
    call.record_bytes = static_cast<uint32_t>(fields.Size("recordBytes", UINT32_MAX));
    call.fold_bytes = fields.Size("foldBytes", uint64_t{1} << 30);
    call.begin = fields.Flag("begin");
    const std::string cut = fields.Text("cut");
    call.cut = cut == "lines"   ? PluginCut::kLines
               : cut == "fixed" ? PluginCut::kFixed
               : cut == "files" ? PluginCut::kWhole
                                : PluginCut::kPacked;
    Span<uint8_t> data;
    if (!ReadCall(&fields, &callbacks, &control, &call) ||
        !ReadBytes(fields.Get("data"), "data", &data)) {
      return env.Undefined();
    }
    const PluginMemory& memory = backend_->memory();
    if (data.size > memory.input_size) {
      ThrowArgument(env, "a block of " + std::to_string(data.size) +
                             " bytes exceeds the plugin's input memory");
      return env.Undefined();
    }
    std::copy(data.data, data.data + data.size, memory.input);
    call.input_bytes = data.size;
    return Run(call, &callbacks, control);
  }

  Napi::Value EndMap(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!Live(env)) return env.Undefined();
    Fields fields(info[0]);
    Callbacks callbacks{env, {}, {}, {}, {}, {}, {}, nullptr};
    TaskControl control;
    PluginCall call;
    call.work = PluginWork::kMapEnd;
    call.partitions = static_cast<uint32_t>(fields.Size("reducers", 65536));
    call.fold_bytes = fields.Size("foldBytes", uint64_t{1} << 30);
    if (!ReadCall(&fields, &callbacks, &control, &call)) return env.Undefined();
    return Run(call, &callbacks, control);
  }

  Napi::Value Groups(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!Live(env)) return env.Undefined();
    Fields fields(info[0]);
    Callbacks callbacks{env, {}, {}, {}, {}, {}, {}, nullptr};
    TaskControl control;
    PluginCall call;
    call.work = fields.Flag("combine") ? PluginWork::kCombine : PluginWork::kReduce;
    if (!ReadCall(&fields, &callbacks, &control, &call)) return env.Undefined();
    const Napi::Value in = fields.Get("in"), fill = fields.Get("fill");
    Span<uint8_t> bytes;
    if (!ReadBytes(in, "in", &bytes)) return env.Undefined();
    if (!fill.IsFunction()) {
      fields.Fail("fill", "a function");
      return env.Undefined();
    }
    const Plugin& plugin = backend_->plugin();
    if (call.work == PluginWork::kCombine ? plugin.combine == nullptr : plugin.reduce == nullptr) {
      ThrowArgument(env, "plugin " + plugin.name + " has no such entry point");
      return env.Undefined();
    }
    callbacks.in = in.As<Napi::Uint8Array>();
    callbacks.fill = fill.As<Napi::Function>();
    return Run(call, &callbacks, control);
  }

  Napi::Value TakeCounters(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!Live(env)) return env.Undefined();
    // Pairs, because names are the plugin's: as keys of an object some would vanish or fall
    // together.
    Napi::Array out = Napi::Array::New(env);
    uint32_t n = 0;
    for (const auto& [name, amount] : backend_->TakeCounters()) {
      Napi::Array pair = Napi::Array::New(env, 2);
      pair.Set(0u, Napi::String::New(env, name));
      pair.Set(1u, Napi::Number::New(env, static_cast<double>(amount)));
      out.Set(n++, pair);
    }
    return out;
  }

  Napi::Value Dispose(const Napi::CallbackInfo& info) {
    backend_.reset();
    return info.Env().Undefined();
  }

  std::shared_ptr<PluginBackend> backend_;
};

Napi::Value PluginPids(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Array out = Napi::Array::New(env);
  uint32_t n = 0;
  for (int pid : PluginHostPids()) out.Set(n++, Napi::Number::New(env, pid));
  return out;
}

}  // namespace

void RegisterHost(Napi::Env env, Napi::Object exports) {
  exports.Set("PluginHost", PluginHostWrap::Class(env));
  exports.Set("pluginPids", Napi::Function::New(env, PluginPids, "pluginPids"));
}

}  // namespace daf::node
