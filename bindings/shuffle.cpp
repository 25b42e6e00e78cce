// native/shuffle for TypeScript; declared again in src/core/addon/shuffle.ts.
#include "bindings/shuffle_values.h"

#include <algorithm>

#include "bindings/fields.h"
#include "native/base/crc32c.h"
#include "native/shuffle/cut_points.h"
#include "native/shuffle/text.h"

namespace daf::node {
namespace {

Napi::Object SegmentObject(Napi::Env env, const SegmentInfo& info) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("offset", Number(env, info.offset));
  out.Set("bytes", Number(env, info.bytes));
  out.Set("records", Number(env, info.records));
  out.Set("crc", Number(env, info.crc));
  return out;
}

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

Napi::Array SegmentArray(Napi::Env env, const std::vector<SegmentInfo>& index) {
  Napi::Array out = Napi::Array::New(env, index.size());
  for (size_t i = 0; i < index.size(); ++i)
    out.Set(static_cast<uint32_t>(i), SegmentObject(env, index[i]));
  return out;
}

void RegisterShuffle(Napi::Env env, Napi::Object exports) {
  exports.Set("MapFold", MapFoldClass(env));
  exports.Set("MapWriter", MapWriterClass(env));
  exports.Set("MergeReader", MergeReaderClass(env));
  exports.Set("partitionOf", Napi::Function::New(env, PartitionOfKey, "partitionOf"));
  exports.Set("readSegmentIndex", Napi::Function::New(env, ReadIndex, "readSegmentIndex"));
  exports.Set("verifySegments", Napi::Function::New(env, VerifySegments, "verifySegments"));
  exports.Set("splitLines", Napi::Function::New(env, SplitLinesOf, "splitLines"));
  exports.Set("formatRecords", Napi::Function::New(env, FormatRecordsOf, "formatRecords"));
  exports.Set("packSpans", Napi::Function::New(env, PackSpansOf, "packSpans"));
  exports.Set("CutPoints", CutPointsWrap::Class(env));
}

}  // namespace daf::node
