// Trusted plugins: the session runs right here.
#include "native/host/backend.h"
#include "native/shuffle/buffer.h"

namespace daf {
namespace {

class HookPort final : public PluginPort {
 public:
  HookPort(const PluginMemory& memory, const PluginHooks& hooks, const TaskControl& control)
      : memory_(memory), hooks_(hooks), control_(control) {}
  Status Flush(const PluginOutput& output) override {
    DAF_RETURN_IF_ERROR(control_.Check());
    return hooks_.flush(output);
  }
  Status More(const PluginOutput& output, size_t* size) override {
    if (output.size != 0) DAF_RETURN_IF_ERROR(Flush(output));
    DAF_RETURN_IF_ERROR(control_.Check());
    return hooks_.more(memory_.input, memory_.input_size, size);
  }
  bool Cancelled() override { return control_.cancelled(); }
  void Log(int level, const char* message) override { hooks_.log(level, message); }

 private:
  const PluginMemory& memory_;
  const PluginHooks& hooks_;
  const TaskControl& control_;
};

class LocalBackend final : public PluginBackend {
 public:
  Status Open(const PluginOptions& options) {
    DAF_RETURN_IF_ERROR(LoadPlugin(options.plugin, &plugin_));
    constexpr size_t kPartitions = 64u << 10;
    DAF_RETURN_IF_ERROR(bytes_.Reserve(options.input_bytes + kCombineInputBytes +
                                       kPluginOutputBytes + kPartitions * sizeof(uint32_t)));
    uint8_t* output = bytes_.data() + kPartitions * sizeof(uint32_t);
    memory_ = {output + kPluginOutputBytes,
               options.input_bytes,
               output,
               kPluginOutputBytes,
               reinterpret_cast<uint32_t*>(bytes_.data()),
               kPartitions};
    combine_memory_ = memory_;
    combine_memory_.input += options.input_bytes;
    combine_memory_.input_size = kCombineInputBytes;
    session_ = std::make_unique<PluginSession>(plugin_, options.params, memory_);
    combine_ = std::make_unique<PluginSession>(plugin_, options.params, combine_memory_);
    return Status::Ok();
  }

  Status Run(const PluginCall& call, const PluginHooks& hooks, const TaskControl& control,
             uint64_t* records) override {
    const bool combine = call.work == PluginWork::kCombine;
    HookPort port(combine ? combine_memory_ : memory_, hooks, control);
    PluginSession& session = combine ? *combine_ : *session_;
    Status status = session.Run(call, &port, records);
    for (const auto& [name, amount] : session.TakeCounters()) {
      if (!status.ok()) break;
      status = AddToCounter(&counters_, name, amount);
      if (!status.ok())
        status = Status(Code::kPlugin, "plugin " + plugin_.name + ": " + status.message());
    }
    return status.ok() ? status : control.cancelled() ? control.Check() : status;
  }

 private:
  ByteBuffer bytes_;
  std::unique_ptr<PluginSession> session_;
  std::unique_ptr<PluginSession> combine_;
};

}  // namespace

Status OpenLocalPlugin(const PluginOptions& options, std::unique_ptr<PluginBackend>* out) {
  auto backend = std::make_unique<LocalBackend>();
  DAF_RETURN_IF_ERROR(backend->Open(options));
  *out = std::move(backend);
  return Status::Ok();
}

Status OpenPlugin(const PluginOptions& options, std::unique_ptr<PluginBackend>* out) {
  if (options.input_bytes < (1u << 20) + (64u << 10) || options.input_bytes > (size_t{2} << 30)) {
    return Status(Code::kBadArgument, "the input memory of a plugin must have 1.1 MB to 2 GB");
  }
  return options.host.empty() ? OpenLocalPlugin(options, out) : OpenChildPlugin(options, out);
}

}  // namespace daf
