// The native objects behind the shuffle's JavaScript classes, for bindings that stream into or out
// of them.
#pragma once

#include "bindings/napi_setup.h"
#include "native/shuffle/map_writer.h"
#include "native/shuffle/merge_reader.h"

namespace daf::node {

// Null (and thrown) when the value is not a live MapWriter or MergeReader.
MapWriter* MapWriterOf(const Napi::Value& value);
MergeReader* MergeReaderOf(const Napi::Value& value);

}  // namespace daf::node
