// Plugins in a process of their own: the worker's side of the conversation.
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "native/base/arena.h"
#include "native/host/backend.h"
#include "native/host/host_process.h"
#include "native/host/protocol.h"
#include "native/host/shared_memory.h"

namespace daf {
namespace {

constexpr int kPollMs = 5;  // how late a cancel may be heard

class ChildBackend final : public PluginBackend {
 public:
  ~ChildBackend() override {
    process_.Kill();
    if (base_ != nullptr) {
      ::munmap(base_, layout_.total());
      Budget::Process().Give(layout_.total());
    }
  }

  Status Open(const PluginOptions& options) {
    timeout_ms_ = options.timeout_ms;
    file_ = options.plugin;
    layout_.input_bytes = options.input_bytes;
    layout_.output_bytes = kPluginOutputBytes;
    DAF_RETURN_IF_ERROR(Budget::Process().Take(layout_.total()));
    int memory = -1;
    const Status mapped = CreateSharedMemory(layout_.total(), &memory, &base_);
    if (!mapped.ok()) {
      Budget::Process().Give(layout_.total());
      return mapped;
    }
    memory_ = layout_.Memory(base_);
    combine_memory_ = layout_.CombineMemory(base_);
    const Status started = process_.Start(options.host, memory, layout_.input_bytes);
    ::close(memory);
    DAF_RETURN_IF_ERROR(started);
    return Load(options);
  }

  Status Run(const PluginCall& call, const PluginHooks& hooks, const TaskControl& control,
             uint64_t* records) override {
    if (!process_.running())
      return Status(Code::kPlugin, "plugin " + plugin_.name + ": its host process is gone");
    if (call.document.size() >= HostLayout::kText)
      return Status(Code::kBadArgument, "a document's name is too long");
    HostMessage ask;
    ask.verb = HostVerb::kRun;
    ask.size = call.input_bytes;
    ask.offset = call.offset;
    ask.work = static_cast<uint32_t>(call.work);
    ask.cut = static_cast<uint32_t>(call.cut);
    ask.record_bytes = call.record_bytes;
    ask.task = call.task;
    ask.partitions = call.partitions;
    ask.fold_bytes = call.fold_bytes;
    ask.begin = call.begin;
    ask.text = call.document.size();
    std::memcpy(layout_.Text(base_), call.document.data(), call.document.size());
    HostMessage answer;
    const PluginMemory& input = call.work == PluginWork::kCombine ? combine_memory_ : memory_;
    const Status status = Talk(ask, input, hooks, control, &answer);
    if (!status.ok()) {
      process_.Kill();
      return status;
    }
    *records = answer.count;
    return TakeCounts(answer);
  }

 private:
  Status Load(const PluginOptions& options) {
    std::string text;
    PutString(&text, options.plugin);
    for (const auto& [name, value] : options.params) {
      PutString(&text, name);
      PutString(&text, value);
    }
    if (text.size() > HostLayout::kText)
      return Status(Code::kBadArgument, "the parameters of a plugin exceed 128 KB");
    std::memcpy(layout_.Text(base_), text.data(), text.size());
    HostMessage ask;
    ask.verb = HostVerb::kLoad;
    ask.text = text.size();
    ask.limit = options.memory_bytes;
    HostMessage answer;
    DAF_RETURN_IF_ERROR(Talk(ask, memory_, {}, {}, &answer));
    const char* at = layout_.Text(base_);
    const char* end = at + std::min<uint64_t>(answer.text, HostLayout::kText);
    DAF_RETURN_IF_ERROR(TakeString(&at, end, &plugin_.name));
    DAF_RETURN_IF_ERROR(TakeString(&at, end, &plugin_.version));
    plugin_.input = answer.cut;
    plugin_.flags = answer.record_bytes;
    // Never called here; they say which entry points there are.
    const auto has = [&](uint32_t bit) { return (answer.work & bit) != 0; };
    plugin_.map = [](MapContext*) { return false; };
    if (has(1)) plugin_.reduce = [](const char*, ReduceContext*) { return false; };
    if (has(2)) plugin_.combine = [](const char*, ReduceContext*) { return false; };
    if (has(4)) plugin_.partition = [](const char*, size_t, uint32_t) { return 0u; };
    return Status::Ok();
  }

  // Sends and serves the host until it is done. Every size it names is checked: a plugin may have
  // scribbled there.
  Status Talk(const HostMessage& ask, const PluginMemory& input, const PluginHooks& hooks,
              const TaskControl& control, HostMessage* answer) {
    if (!SendMessage(process_.socket(), ask)) return Died();
    for (;;) {
      DAF_RETURN_IF_ERROR(Wait(control));
      if (!ReceiveMessage(process_.socket(), answer)) return Died();
      HostMessage reply;
      reply.verb = HostVerb::kContinue;
      switch (answer->verb) {
        case HostVerb::kFlush:
        case HostVerb::kWant: {
          if (answer->size > layout_.output_bytes || answer->count > HostLayout::kPartitions)
            return Scribbled();
          if (answer->size != 0) {
            const uint32_t* partitions = answer->partitions != 0 ? memory_.partitions : nullptr;
            DAF_RETURN_IF_ERROR(hooks.flush({memory_.output, static_cast<size_t>(answer->size),
                                             partitions, static_cast<size_t>(answer->count)}));
          }
          if (answer->verb == HostVerb::kWant) {
            size_t size = 0;
            DAF_RETURN_IF_ERROR(hooks.more(input.input, input.input_size, &size));
            reply.size = size;
          }
          break;
        }
        case HostVerb::kLog:
          if (hooks.log) hooks.log(static_cast<int>(answer->count), Text(*answer));
          break;
        case HostVerb::kDone:
          return Status::Ok();
        case HostVerb::kFailed: {
          // Only what a plugin can cause; anything else would be a lie of a damaged host.
          const Code code = static_cast<Code>(answer->count);
          return Status(code == Code::kMemory || code == Code::kBadData ? code : Code::kPlugin,
                        Text(*answer));
        }
        default:
          return Scribbled();
      }
      if (!SendMessage(process_.socket(), reply)) return Died();
    }
  }

  Status Wait(const TaskControl& control) {
    using Clock = std::chrono::steady_clock;
    Clock::time_point start = Clock::now();
    uint32_t pulse = memory_.pulse->load(std::memory_order_relaxed);
    for (;;) {
      pollfd poll = {process_.socket(), POLLIN, 0};
      const int ready = ::poll(&poll, 1, kPollMs);
      // Also where there is a message each time: a plugin that logs without end is cancelled too.
      if (ready > 0) return control.Check();
      if (ready < 0 && errno != EINTR) return IoError("cannot wait for a plugin");
      DAF_RETURN_IF_ERROR(control.Check());
      const uint32_t now = memory_.pulse->load(std::memory_order_relaxed);
      if (now != pulse) start = Clock::now();
      pulse = now;
      if (timeout_ms_ != 0 && Clock::now() - start > std::chrono::milliseconds(timeout_ms_)) {
        return Status(Code::kPlugin, Name() + " was silent for " + std::to_string(timeout_ms_) +
                                         " ms and was killed");
      }
    }
  }

  std::string Text(const HostMessage& message) const {
    return std::string(layout_.Text(base_),
                       static_cast<size_t>(std::min<uint64_t>(message.text, HostLayout::kText)));
  }
  std::string Name() const { return "plugin " + (plugin_.name.empty() ? file_ : plugin_.name); }
  Status Scribbled() const {
    return Status(Code::kPlugin, Name() + ": its host process sent nonsense");
  }

  Status Died() { return Status(Code::kPlugin, Name() + process_.HowItEnded()); }

  Status TakeCounts(const HostMessage& answer) {
    const char* at = layout_.Text(base_);
    const char* end = at + std::min<uint64_t>(answer.text, HostLayout::kText);
    while (at < end) {
      std::string name;
      int64_t amount = 0;
      if (!TakeString(&at, end, &name).ok() ||
          end - at < static_cast<std::ptrdiff_t>(sizeof(amount)))
        return Scribbled();
      std::memcpy(&amount, at, sizeof(amount));
      at += sizeof(amount);
      const Status counted = AddToCounter(&counters_, name, amount);
      if (!counted.ok()) return Status(Code::kPlugin, Name() + ": " + counted.message());
    }
    return Status::Ok();
  }

  HostLayout layout_;
  std::string file_;
  uint8_t* base_ = nullptr;
  HostProcess process_;
  uint32_t timeout_ms_ = 0;
};

}  // namespace

Status OpenChildPlugin(const PluginOptions& options, std::unique_ptr<PluginBackend>* out) {
  auto backend = std::make_unique<ChildBackend>();
  DAF_RETURN_IF_ERROR(backend->Open(options));
  *out = std::move(backend);
  return Status::Ok();
}

}  // namespace daf
