// native/shuffle for TypeScript; declared again in src/core/addon/shuffle.ts.
#include <algorithm>

#include "bindings/fields.h"
#include "bindings/napi_setup.h"
#include "native/base/crc32c.h"
#include "native/shuffle/cut_points.h"
#include "native/shuffle/map_fold.h"
#include "native/shuffle/map_writer.h"
#include "native/shuffle/merge_reader.h"
#include "native/shuffle/text.h"

namespace daf::node {
namespace {

Napi::Value Number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

Napi::Object SegmentObject(Napi::Env env, const SegmentInfo& info) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("offset", Number(env, info.offset));
  out.Set("bytes", Number(env, info.bytes));
  out.Set("records", Number(env, info.records));
  out.Set("crc", Number(env, info.crc));
  return out;
}

Napi::Array SegmentArray(Napi::Env env, const std::vector<SegmentInfo>& index) {
  Napi::Array out = Napi::Array::New(env, index.size());
  for (size_t i = 0; i < index.size(); ++i)
    out.Set(static_cast<uint32_t>(i), SegmentObject(env, index[i]));
  return out;
}

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

Napi::Value PartitionOfKey(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Span<uint8_t> key;
  if (!ReadBytes(info[0], "partitionOf: key", &key)) return env.Undefined();
  const uint32_t partitions = info[1].ToNumber().Uint32Value();
  if (partitions == 0) {
    ThrowArgument(env, "partitionOf: partitions must be 1 or more");
    return env.Undefined();
  }
  return Napi::Number::New(
      env, PartitionOf(key.data, key.size, partitions, info[2].ToNumber().Uint32Value()));
}

Napi::Value SegmentIndex(const Napi::CallbackInfo& info, bool verify) {
  Napi::Env env = info.Env();
  File file;
  std::vector<SegmentInfo> index;
  if (!Check(env, file.OpenRead(info[0].ToString().Utf8Value())) ||
      !Check(env, ReadSegmentIndex(file, &index))) {
    return env.Undefined();
  }
  for (size_t i = 0; verify && i < index.size(); ++i) {
    if (!Check(env, VerifySegment(file, index[i]))) return env.Undefined();
  }
  return SegmentArray(env, index);
}
Napi::Value ReadIndex(const Napi::CallbackInfo& info) { return SegmentIndex(info, false); }
Napi::Value VerifySegments(const Napi::CallbackInfo& info) { return SegmentIndex(info, true); }

Napi::Value SplitLinesOf(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Span<uint8_t> chunk;
  Span<uint32_t> pairs;
  if (!ReadBytes(info[0], "splitLines: chunk", &chunk) ||
      !ReadUint32s(info[2], "splitLines: out", &pairs)) {
    return env.Undefined();
  }
  if (chunk.size > UINT32_MAX) {
    ThrowArgument(env, "splitLines: chunk must be below 4 GB");
    return env.Undefined();
  }
  size_t consumed = 0;
  const size_t lines = SplitLines(chunk.data, chunk.size, info[1].ToBoolean().Value(), pairs.data,
                                  pairs.size / 2, &consumed);
  Napi::Object out = Napi::Object::New(env);
  out.Set("lines", Number(env, lines));
  out.Set("consumed", Number(env, consumed));
  return out;
}

Napi::Value FormatRecordsOf(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Span<uint8_t> batch, separator, bytes;
  Fields fields(info[1]);
  RecordFormat format;
  format.keys = fields.Flag("keys");
  format.newline = fields.Flag("newline");
  if (!fields.ok() || !ReadBytes(fields.Get("separator"), "formatRecords: separator", &separator) ||
      !ReadBytes(info[0], "formatRecords: batch", &batch) ||
      !ReadBytes(info[2], "formatRecords: out", &bytes)) {
    return env.Undefined();
  }
  format.separator = separator.data;
  format.separator_size = separator.size;
  size_t consumed = 0, written = 0, records = 0;
  if (!Check(env, FormatRecords(batch.data, batch.size, format, bytes.data, bytes.size, &consumed,
                                &written, &records))) {
    return env.Undefined();
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("consumed", Number(env, consumed));
  out.Set("written", Number(env, written));
  out.Set("records", Number(env, records));
  out.Set("crc", Number(env, Crc32c(info[3].ToNumber().Uint32Value(), bytes.data, written)));
  return out;
}

Napi::Value PackSpansOf(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Span<uint8_t> data, out;
  Span<uint32_t> spans;
  if (!ReadBytes(info[0], "packSpans: data", &data) ||
      !ReadUint32s(info[1], "packSpans: spans", &spans) ||
      !ReadBytes(info[3], "packSpans: out", &out)) {
    return env.Undefined();
  }
  const uint32_t key = info[2].ToNumber().Uint32Value();
  for (size_t i = 0; i + 1 < spans.size; i += 2) {
    const uint64_t size = spans.data[i + 1];
    if (spans.data[i] + size > data.size ||
        std::min<uint64_t>(key == 0 ? size : key, size) > kMaxKeyBytes) {
      ThrowArgument(env, "packSpans: a span lies outside the block, or its key has more than 1 MB");
      return env.Undefined();
    }
  }
  size_t written = 0;
  const size_t records =
      PackSpans(data.data, spans.data, spans.size / 2, key, out.data, out.size, &written);
  Napi::Object result = Napi::Object::New(env);
  result.Set("records", Number(env, records));
  result.Set("written", Number(env, written));
  return result;
}

class CutPointsWrap : public Napi::ObjectWrap<CutPointsWrap> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return DefineClass(env, "CutPoints",
                       {InstanceAccessor<&CutPointsWrap::Size>("size"),
                        InstanceMethod("partition", &CutPointsWrap::Partition)});
  }

  explicit CutPointsWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<CutPointsWrap>(info) {
    Span<uint8_t> packed;
    if (ReadBytes(info[0], "CutPoints: packed", &packed))
      (void)Check(info.Env(), cuts_.Init(packed.data, packed.size));
  }

 private:
  Napi::Value Size(const Napi::CallbackInfo& info) { return Number(info.Env(), cuts_.size()); }
  Napi::Value Partition(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Span<uint8_t> batch;
    Span<double> at;
    Span<uint32_t> out;
    if (!ReadBytes(info[0], "partition: batch", &batch) ||
        !ReadFloat64s(info[2], "partition: at", &at) ||
        !ReadUint32s(info[3], "partition: out", &out)) {
      return env.Undefined();
    }
    if (out.size < at.size) {
      ThrowArgument(env, "partition: out is shorter than at");
      return env.Undefined();
    }
    (void)Check(env, cuts_.Partition(batch.data, batch.size, info[1].ToNumber().Uint32Value(),
                                     at.data, at.size, out.data));
    return env.Undefined();
  }

  CutPoints cuts_;
};

}  // namespace

void RegisterShuffle(Napi::Env env, Napi::Object exports) {
  exports.Set("MapFold", MapFoldWrap::Class(env));
  exports.Set("MapWriter", MapWriterWrap::Class(env));
  exports.Set("MergeReader", MergeReaderWrap::Class(env));
  exports.Set("partitionOf", Napi::Function::New(env, PartitionOfKey, "partitionOf"));
  exports.Set("readSegmentIndex", Napi::Function::New(env, ReadIndex, "readSegmentIndex"));
  exports.Set("verifySegments", Napi::Function::New(env, VerifySegments, "verifySegments"));
  exports.Set("splitLines", Napi::Function::New(env, SplitLinesOf, "splitLines"));
  exports.Set("formatRecords", Napi::Function::New(env, FormatRecordsOf, "formatRecords"));
  exports.Set("packSpans", Napi::Function::New(env, PackSpansOf, "packSpans"));
  exports.Set("CutPoints", CutPointsWrap::Class(env));
}

}  // namespace daf::node
