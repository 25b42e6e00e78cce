// Where plugin calls run: in a daf-host child by default, in this process for a trusted plugin.
// Both behave the same, down to the bytes; a crash of the child becomes an error that costs one
// attempt.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "native/base/control.h"
#include "native/host/session.h"

namespace daf {

struct PluginOptions {
  std::string host;    // path of daf-host; empty: trusted, run in this process
  std::string plugin;  // path of the shared object
  std::map<std::string, std::string> params;
  size_t input_bytes = 4u << 20;  // the longest block, file or batch: at least 1.1 MB
  size_t memory_bytes = 0;  // what the child may allocate beside the shared memory; 0: no limit
  uint32_t timeout_ms = 0;  // longest silence of the child before it is killed; 0: none
};

struct PluginHooks {
  std::function<Status(const PluginOutput&)> flush;
  std::function<Status(uint8_t* input, size_t capacity, size_t* size)> more;  // groups only
  std::function<void(int level, const std::string& message)> log;
};

class PluginBackend {
 public:
  virtual ~PluginBackend() = default;
  const Plugin& plugin() const { return plugin_; }
  const PluginMemory& memory() const { return memory_; }
  const PluginMemory& combine_memory() const { return combine_memory_; }
  // The call's input lies at memory().input, a combine's at combine_memory().input. A combine may
  // be run from within the flush hook of a map, once the hook has taken what it was given out of
  // the output memory. Errors: kPlugin (the plugin failed, crashed, hung), kCancelled, those of the
  // hooks. After an error of a child the backend is dead and every call fails.
  virtual Status Run(const PluginCall& call, const PluginHooks& hooks, const TaskControl& control,
                     uint64_t* records) = 0;
  // Counters of finished calls since they were last taken.
  std::map<std::string, int64_t> TakeCounters() {
    std::map<std::string, int64_t> out;
    out.swap(counters_);
    return out;
  }

 protected:
  Plugin plugin_;  // for a child only its description, no entry points that may be called
  PluginMemory memory_;
  PluginMemory combine_memory_;
  std::map<std::string, int64_t> counters_;
};

// Loads the plugin and reads its info. Errors: kPlugin, kIo, kMemory, kBadArgument.
Status OpenPlugin(const PluginOptions& options, std::unique_ptr<PluginBackend>* out);
Status OpenLocalPlugin(const PluginOptions& options, std::unique_ptr<PluginBackend>* out);
Status OpenChildPlugin(const PluginOptions& options, std::unique_ptr<PluginBackend>* out);

// The daf-host processes of this process that live now, whatever thread they serve: their memory
// counts as its own.
std::vector<int> PluginHostPids();

// Output memory of either backend: the longest key and a good part of a value.
constexpr size_t kPluginOutputBytes = 2u << 20;

}  // namespace daf
