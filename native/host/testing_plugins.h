// What the tests of plugins share: opening one in a child or in this process, and mapping lines.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "native/host/runner.h"
#include "native/shuffle/test_support.h"

namespace daf::testing {

inline const std::string kBinaries = DAF_BINARIES;

enum class Where { kChild, kTrusted };

inline PluginOptions Options(const std::string& plugin, Where where) {
  PluginOptions options;
  options.plugin = kBinaries + "/plugins/" + plugin + ".so";
  if (where == Where::kChild) options.host = kBinaries + "/daf-host";
  options.input_bytes = 2u << 20;
  return options;
}

inline std::unique_ptr<PluginRunner> Open(const PluginOptions& options) {
  std::unique_ptr<PluginBackend> backend;
  const Status status = OpenPlugin(options, &backend);
  EXPECT_TRUE(status.ok()) << status.message();
  return status.ok() ? std::make_unique<PluginRunner>(std::move(backend)) : nullptr;
}

inline PluginCall Block(PluginRunner* runner, const std::string& text) {
  std::copy(text.begin(), text.end(), runner->backend().memory().input);
  PluginCall call;
  call.input_bytes = text.size();
  call.document = "doc";
  call.offset = 1000;
  return call;
}

// Maps lines without a shuffle and returns what came out.
inline Status MapLines(PluginRunner* runner, const std::string& text, std::vector<Record>* out,
                       const TaskControl& control = {}) {
  uint64_t records = 0;
  const PluginRunner::Sink sink = [&](const uint8_t* packed, size_t size, size_t) {
    for (size_t at = 0; at < size;) {
      Piece piece;
      DAF_RETURN_IF_ERROR(ParsePiece(packed, size, &at, &piece));
      const std::string value(piece.value, piece.value + piece.value_size);
      if (piece.continues) {
        out->back().value += value;
      } else {
        out->push_back({std::string(piece.key, piece.key + piece.key_size), value});
      }
    }
    return Status::Ok();
  };
  return runner->Map(Block(runner, text), sink, control, &records);
}

// Tests that hold wherever the plugin runs.
class Both : public ::testing::TestWithParam<Where> {};

inline std::string WhereName(const ::testing::TestParamInfo<Where>& param) {
  return param.param == Where::kChild ? "Child" : "Trusted";
}

}  // namespace daf::testing
