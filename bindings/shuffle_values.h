// What the bindings of native/shuffle share: the classes that shuffle.cpp exports, and plain
// values.
#pragma once

#include <vector>

#include "bindings/napi_setup.h"
#include "native/shuffle/segment.h"

namespace daf::node {

// Constructors for the exports: shuffle_map.cpp, shuffle_merge.cpp.
Napi::Function MapFoldClass(Napi::Env env);
Napi::Function MapWriterClass(Napi::Env env);
Napi::Function MergeReaderClass(Napi::Env env);

inline Napi::Value Number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

// Objects with offset, bytes, records and crc, one for each partition.
Napi::Array SegmentArray(Napi::Env env, const std::vector<SegmentInfo>& index);

}  // namespace daf::node
