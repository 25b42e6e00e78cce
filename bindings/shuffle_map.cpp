// What map tasks write through: the fold and the writer of segment files.
#include "bindings/fields.h"
#include "bindings/shuffle_values.h"
#include "native/shuffle/map_fold.h"
#include "native/shuffle/map_writer.h"

namespace daf::node {
namespace {

// Null or undefined: none.
bool ReadOptionalUint32s(const Napi::Value& value, const char* name, Span<uint32_t>* out) {
  return value.IsNull() || value.IsUndefined() || ReadUint32s(value, name, out);
}

class MapWriterWrap : public Napi::ObjectWrap<MapWriterWrap> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return DefineClass(env, "MapWriter",
                       {InstanceMethod("append", &MapWriterWrap::Append),
                        InstanceAccessor<&MapWriterWrap::AppendedRecords>("appendedRecords"),
                        InstanceMethod("beginCombine", &MapWriterWrap::BeginCombine),
                        InstanceMethod("nextGroups", &MapWriterWrap::NextGroups),
                        InstanceMethod("writeCombined", &MapWriterWrap::WriteCombined),
                        InstanceMethod("endCombine", &MapWriterWrap::EndCombine),
                        InstanceMethod("finish", &MapWriterWrap::Finish),
                        InstanceAccessor<&MapWriterWrap::RecordsIn>("recordsIn"),
                        InstanceMethod("dispose", &MapWriterWrap::Dispose)});
  }

  explicit MapWriterWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<MapWriterWrap>(info) {
    Napi::Env env = info.Env();
    Fields fields(info[0]);
    MapWriterOptions options;
    options.path = fields.Text("path");
    options.partitions = static_cast<uint32_t>(fields.Size("partitions", 65536));
    options.buffer_bytes = fields.Size("bufferBytes", uint64_t{2} << 30);
    options.combine = fields.Flag("combine");
    options.custom_partitions = fields.Flag("customPartitions");
    options.group_prefix = static_cast<uint32_t>(fields.Size("groupPrefix", kMaxKeyBytes));
    options.fan_in = static_cast<uint32_t>(fields.Size("fanIn", 512));
    TaskControl control;
    if (!fields.ok() || !ReadControl(fields.Get("control"), &control)) return;
    // The writer polls these words: they must live as long as it does.
    info.This().As<Napi::Object>().DefineProperty(
        Napi::PropertyDescriptor::Value("control", fields.Get("control"), napi_default));
    writer_ = std::make_unique<MapWriter>();
    if (!Check(env, writer_->Init(options, control))) writer_.reset();
  }

 private:
  bool Live(Napi::Env env) const {
    if (writer_ == nullptr) ThrowArgument(env, "the MapWriter was disposed of");
    return writer_ != nullptr;
  }

  Napi::Value Append(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Span<uint8_t> batch;
    Span<uint32_t> partitions;
    if (!Live(env) || !ReadBytes(info[0], "append: batch", &batch) ||
        !ReadOptionalUint32s(info[1], "append: partitions", &partitions)) {
      return env.Undefined();
    }
    const bool custom = !info[1].IsNull() && !info[1].IsUndefined();
    static const uint32_t kNone = 0;
    const uint32_t* table = !custom                      ? nullptr
                            : partitions.data != nullptr ? partitions.data
                                                         : &kNone;
    size_t consumed = 0;
    if (!Check(env, writer_->Append(batch.data, batch.size, table, partitions.size, &consumed,
                                    &appended_))) {
      return env.Undefined();
    }
    return Number(env, consumed);
  }
  Napi::Value AppendedRecords(const Napi::CallbackInfo& info) {
    return Number(info.Env(), appended_);
  }
  Napi::Value BeginCombine(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    bool pass = false;
    if (!Live(env) || !Check(env, writer_->BeginCombine(info[0].ToBoolean().Value(), &pass)))
      return env.Undefined();
    return Napi::Boolean::New(env, pass);
  }
  Napi::Value NextGroups(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Span<uint8_t> buffer;
    size_t used = 0;
    if (!Live(env) || !ReadBytes(info[0], "nextGroups: buffer", &buffer) ||
        !Check(env, writer_->NextGroups(buffer.data, buffer.size, &used))) {
      return env.Undefined();
    }
    return Number(env, used);
  }
  Napi::Value WriteCombined(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Span<uint8_t> batch;
    if (Live(env) && ReadBytes(info[0], "writeCombined: batch", &batch)) {
      (void)Check(env, writer_->WriteCombined(batch.data, batch.size));
    }
    return env.Undefined();
  }
  Napi::Value EndCombine(const Napi::CallbackInfo& info) {
    if (Live(info.Env())) (void)Check(info.Env(), writer_->EndCombine());
    return info.Env().Undefined();
  }
  Napi::Value Finish(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    MapOutput output;
    if (!Live(env) || !Check(env, writer_->Finish(&output))) return env.Undefined();
    Napi::Object out = Napi::Object::New(env);
    out.Set("bytes", Number(env, output.bytes));
    out.Set("records", Number(env, output.records));
    out.Set("spills", Number(env, output.spills));
    out.Set("segments", SegmentArray(env, output.segments));
    return out;
  }
  Napi::Value RecordsIn(const Napi::CallbackInfo& info) {
    return Number(info.Env(), writer_ == nullptr ? 0 : writer_->records_in());
  }
  Napi::Value Dispose(const Napi::CallbackInfo& info) {
    writer_.reset();
    return info.Env().Undefined();
  }

  std::unique_ptr<MapWriter> writer_;
  size_t appended_ = 0;
};

class MapFoldWrap : public Napi::ObjectWrap<MapFoldWrap> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return DefineClass(
        env, "MapFold",
        {InstanceMethod("add", &MapFoldWrap::Add), InstanceAccessor<&MapFoldWrap::Passed>("passed"),
         InstanceMethod("handOn", &MapFoldWrap::HandOn),
         InstanceMethod("dispose", &MapFoldWrap::Dispose)});
  }

  explicit MapFoldWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<MapFoldWrap>(info) {
    Fields fields(info[0]);
    const size_t bytes = fields.Size("bytes", FoldTable::kMaxBytes);
    Span<uint8_t> out;
    if (!fields.ok() || !ReadBytes(fields.Get("out"), "MapFold: out", &out)) return;
    // Groups are written there for as long as this lives.
    info.This().As<Napi::Object>().DefineProperty(
        Napi::PropertyDescriptor::Value("out", fields.Get("out"), napi_default));
    fold_ = std::make_unique<MapFold>();
    if (!Check(info.Env(), fold_->Init(bytes, out.data, out.size))) fold_.reset();
  }

 private:
  // Calls `work(sink)`; what comes out goes to the function `take`.
  template <typename Work>
  void Run(const Napi::Env& env, const Napi::Value& take, Work work) {
    if (fold_ == nullptr) return ThrowArgument(env, "the MapFold was disposed of");
    if (!take.IsFunction()) return ThrowArgument(env, "take must be a function");
    std::unique_ptr<Napi::Error> thrown;
    const Status status = work([&](size_t groups, size_t singles) {
      Napi::HandleScope scope(env);
      try {
        take.As<Napi::Function>().Call({Number(env, groups), Number(env, singles)});
      } catch (const Napi::Error& error) {
        thrown = std::make_unique<Napi::Error>(error);
        return Status(Code::kInternal, "a callback threw");
      }
      return Status::Ok();
    });
    if (thrown != nullptr) {
      thrown->ThrowAsJavaScriptException();
    } else {
      (void)Check(env, status);
    }
  }
  Napi::Value Add(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Span<uint8_t> batch;
    if (!ReadBytes(info[0], "add: batch", &batch)) return env.Undefined();
    size_t taken = 0;
    Run(env, info[1], [&](const MapFold::Sink& sink) {
      return fold_->Add(batch.data, batch.size, sink, &taken, &passed_);
    });
    return Number(env, taken);
  }
  Napi::Value Passed(const Napi::CallbackInfo& info) { return Number(info.Env(), passed_); }
  Napi::Value HandOn(const Napi::CallbackInfo& info) {
    Run(info.Env(), info[0], [&](const MapFold::Sink& sink) { return fold_->HandOnAll(sink); });
    return info.Env().Undefined();
  }
  Napi::Value Dispose(const Napi::CallbackInfo& info) {
    fold_.reset();
    return info.Env().Undefined();
  }

  std::unique_ptr<MapFold> fold_;
  size_t passed_ = 0;
};

}  // namespace

Napi::Function MapFoldClass(Napi::Env env) { return MapFoldWrap::Class(env); }
Napi::Function MapWriterClass(Napi::Env env) { return MapWriterWrap::Class(env); }

}  // namespace daf::node
