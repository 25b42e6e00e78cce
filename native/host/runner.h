// A plugin joined to the shuffle: maps into a MapWriter, combines its spills, reduces a
// MergeReader. No record is seen by JavaScript on the way.
#pragma once

#include "native/host/backend.h"
#include "native/shuffle/map_writer.h"
#include "native/shuffle/merge_reader.h"

namespace daf {

class PluginRunner {
 public:
  using Sink = std::function<Status(const uint8_t* packed, size_t size, size_t records)>;

  explicit PluginRunner(std::unique_ptr<PluginBackend> backend) : backend_(std::move(backend)) {}
  PluginBackend& backend() { return *backend_; }
  void set_log(std::function<void(int, const std::string&)> log) { log_ = std::move(log); }

  // Maps the block at backend().memory().input. Records go to the writer (whose spills are combined
  // when it asks for that), or to the sink of a map-only job.
  Status Map(const PluginCall& call, MapWriter* writer, const TaskControl& control,
             uint64_t* records);
  Status Map(const PluginCall& call, const Sink& sink, const TaskControl& control,
             uint64_t* records);
  // The passes of MapWriter::BeginCombine(last) through CombineMain.
  Status Combine(MapWriter* writer, bool last, uint32_t task, const TaskControl& control);
  Status Reduce(MergeReader* reader, uint32_t task, const Sink& sink, const TaskControl& control);

 private:
  std::unique_ptr<PluginBackend> backend_;
  std::function<void(int, const std::string&)> log_ = [](int, const std::string&) {};
};

}  // namespace daf
