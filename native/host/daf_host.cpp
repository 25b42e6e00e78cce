// daf-host: runs one plugin for one task thread. Started by child_backend.cpp with a socket and
// shared memory; ends when its worker does. It links nothing of Node.
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "native/host/backend.h"
#include "native/host/failpoint.h"
#include "native/host/protocol.h"

namespace daf {
namespace {

class SocketPort final : public PluginPort {
 public:
  // nested: serves a kRun that arrives while a flush waits for its acknowledgement.
  SocketPort(const HostLayout& layout, uint8_t* base,
             std::function<void(const HostMessage&)> nested)
      : layout_(layout), base_(base), nested_(std::move(nested)) {}
  Status Flush(const PluginOutput& output) override {
    size_t none = 0;
    return Ask(HostVerb::kFlush, output, &none);
  }
  Status More(const PluginOutput& output, size_t* size) override {
    return Ask(HostVerb::kWant, output, size);
  }
  bool Cancelled() override { return false; }  // the worker kills the process
  void Log(int level, const char* text) override {
    HostMessage message;
    message.verb = HostVerb::kLog;
    message.count = static_cast<uint64_t>(level);
    message.text = PutText(text);
    if (!SendMessage(kHostSocket, message) || !ReceiveMessage(kHostSocket, &message)) std::_Exit(0);
  }
  size_t PutText(const std::string& text) {
    const size_t size = std::min(text.size(), HostLayout::kText);
    std::memcpy(layout_.Text(base_), text.data(), size);
    return size;
  }

 private:
  Status Ask(HostVerb verb, const PluginOutput& output, size_t* size) {
    HostMessage message;
    message.verb = verb;
    message.size = output.size;
    message.count = output.count;
    message.partitions = output.partitions != nullptr;
    if (!SendMessage(kHostSocket, message)) std::_Exit(0);
    for (;;) {
      if (!ReceiveMessage(kHostSocket, &message)) std::_Exit(0);
      if (message.verb != HostVerb::kRun) break;
      nested_(message);
    }
    if (message.verb != HostVerb::kContinue)
      return Status(Code::kInternal, "the worker stopped the call");
    *size = static_cast<size_t>(message.size);
    return Status::Ok();
  }

  HostLayout layout_;
  uint8_t* base_;
  std::function<void(const HostMessage&)> nested_;
};

void Limit(int what, rlim_t value) {
  rlimit limit;
  if (::getrlimit(what, &limit) != 0) return;
  if (limit.rlim_max == RLIM_INFINITY || value < limit.rlim_max) limit.rlim_max = value;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(what, &limit);
}

void Fail(SocketPort* port, const Status& status) {
  HostMessage message;
  message.verb = HostVerb::kFailed;
  message.count = static_cast<uint64_t>(status.code());
  message.text = port->PutText(status.message());
  (void)SendMessage(kHostSocket, message);
}

// Reads what kLoad left in the text area.
Status ReadLoad(const char* at, size_t size, std::string* path,
                std::map<std::string, std::string>* params) {
  const char* end = at + size;
  DAF_RETURN_IF_ERROR(TakeString(&at, end, path));
  while (at < end) {
    std::string name, value;
    DAF_RETURN_IF_ERROR(TakeString(&at, end, &name));
    DAF_RETURN_IF_ERROR(TakeString(&at, end, &value));
    (*params)[name] = value;
  }
  return Status::Ok();
}

class Host {
 public:
  Host(const HostLayout& layout, uint8_t* base, const std::string& failpoints)
      : layout_(layout),
        base_(base),
        failpoints_(failpoints),
        port_(layout, base, [this](const HostMessage& ask) {
          const Status status = Run(ask);
          if (!status.ok()) Fail(&port_, status);
        }) {}

  int Serve() {
    HostMessage message;
    while (ReceiveMessage(kHostSocket, &message)) {
      const Status status = message.verb == HostVerb::kLoad ? Load(message)
                            : message.verb == HostVerb::kRun
                                ? Run(message)
                                : Status(Code::kInternal, "an unexpected message");
      if (!status.ok()) Fail(&port_, status);
    }
    return 0;
  }

 private:
  Status Load(const HostMessage& ask) {
    DAF_RETURN_IF_ERROR(failpoints_.Pass("host.load"));
    Limit(RLIMIT_CORE, 0);
    if (ask.limit != 0) {
      Limit(RLIMIT_DATA, static_cast<rlim_t>(ask.limit));
      Budget::Process().SetLimit(static_cast<size_t>(ask.limit));
    }
    std::string path;
    std::map<std::string, std::string> params;
    DAF_RETURN_IF_ERROR(ReadLoad(layout_.Text(base_), ask.text, &path, &params));
    DAF_RETURN_IF_ERROR(LoadPlugin(path, &plugin_));
    session_ = std::make_unique<PluginSession>(plugin_, params, layout_.Memory(base_));
    combine_ = std::make_unique<PluginSession>(plugin_, params, layout_.CombineMemory(base_));
    HostMessage answer;
    std::string text;
    PutString(&text, plugin_.name);
    PutString(&text, plugin_.version);
    answer.text = port_.PutText(text);
    answer.cut = plugin_.input;
    answer.record_bytes = plugin_.flags;
    answer.work = (plugin_.reduce != nullptr ? 1u : 0u) | (plugin_.combine != nullptr ? 2u : 0u) |
                  (plugin_.partition != nullptr ? 4u : 0u);
    return Answer(answer);
  }

  Status Run(const HostMessage& ask) {
    if (session_ == nullptr) return Status(Code::kInternal, "no plugin was loaded");
    DAF_RETURN_IF_ERROR(failpoints_.Pass("host.run"));
    PluginCall call;
    call.work = static_cast<PluginWork>(ask.work);
    call.cut = static_cast<PluginCut>(ask.cut);
    call.record_bytes = ask.record_bytes;
    call.task = ask.task;
    call.partitions = ask.partitions;
    call.fold_bytes = ask.fold_bytes;
    call.begin = ask.begin != 0;
    call.input_bytes = ask.size;
    call.offset = ask.offset;
    call.document.assign(layout_.Text(base_), ask.text);
    HostMessage answer;
    PluginSession& session = call.work == PluginWork::kCombine ? *combine_ : *session_;
    DAF_RETURN_IF_ERROR(session.Run(call, &port_, &answer.count));
    std::string text;
    for (const auto& [name, amount] : session.TakeCounters()) {
      PutString(&text, name);
      text.append(reinterpret_cast<const char*>(&amount), sizeof(amount));
      if (text.size() > HostLayout::kText)
        return Status(Code::kPlugin, "plugin " + plugin_.name + ": too many counters");
    }
    answer.text = port_.PutText(text);
    DAF_RETURN_IF_ERROR(failpoints_.Pass("host.done"));
    return Answer(answer);
  }

  Status Answer(HostMessage answer) {
    answer.verb = HostVerb::kDone;
    if (!SendMessage(kHostSocket, answer)) std::_Exit(0);
    return Status::Ok();
  }

  HostLayout layout_;
  uint8_t* base_;
  Failpoints failpoints_;
  SocketPort port_;
  Plugin plugin_;
  std::unique_ptr<PluginSession> session_;
  std::unique_ptr<PluginSession> combine_;
};

int Main(int count, char** arguments) {
  if (count != 4) return 64;  // started by hand
  const long parent = std::atol(arguments[2]);
#ifdef __linux__
  // Before the check of the parent, which may have died in between.
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (::getppid() != parent) return 0;
  // Nothing of the worker stays open here, whether it remembered to say so or not.
  const long most = ::sysconf(_SC_OPEN_MAX);
#ifdef __linux__
  if (::close_range(kHostMemory + 1, ~0u, 0) != 0)
#endif
    for (int fd = kHostMemory + 1; fd < most; ++fd) ::close(fd);
  HostLayout layout;
  layout.input_bytes = static_cast<size_t>(std::atoll(arguments[1]));
  layout.output_bytes = kPluginOutputBytes;
  void* base = ::mmap(nullptr, layout.total(), PROT_READ | PROT_WRITE, MAP_SHARED, kHostMemory, 0);
  if (base == MAP_FAILED) return 71;
  ::close(kHostMemory);
  return Host(layout, static_cast<uint8_t*>(base), arguments[3]).Serve();
}

}  // namespace
}  // namespace daf

int main(int count, char** arguments) { return daf::Main(count, arguments); }
