// Plugins in a process of their own: the worker's side.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>

#include "native/base/arena.h"
#include "native/host/backend.h"
#include "native/host/failpoint.h"
#include "native/host/protocol.h"
#include "native/host/shared_memory.h"

namespace daf {
namespace {

constexpr int kPollMs = 5;  // how late a cancel may be heard

// A descriptor above those that the child gets under fixed numbers.
int Raise(int fd) {
  const int raised = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
  ::close(fd);
  return raised;
}

const char* SignalName(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV (it used memory that is not its own)";
    case SIGABRT:
      return "SIGABRT (it aborted; out of memory is one reason)";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE (division by zero?)";
    case SIGILL:
      return "SIGILL";
    case SIGKILL:
      return "SIGKILL";
    case SIGTERM:
      return "SIGTERM";
    case SIGSYS:
      return "SIGSYS";
    default:
      return nullptr;
  }
}

// All children of the process; guarded, because every task thread has its own.
struct Children {
  std::mutex mutex;
  std::vector<int> pids;
  static Children& Get() {
    static Children children;
    return children;
  }
  void Add(int pid) {
    const std::lock_guard<std::mutex> lock(mutex);
    pids.push_back(pid);
  }
  // Before the process is reaped, so that the number cannot mean another one.
  void Remove(int pid) {
    const std::lock_guard<std::mutex> lock(mutex);
    pids.erase(std::remove(pids.begin(), pids.end(), pid), pids.end());
  }
};

class ChildBackend final : public PluginBackend {
 public:
  ~ChildBackend() override {
    Kill();
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
    const Status spawned = Spawn(options.host, memory);
    ::close(memory);
    DAF_RETURN_IF_ERROR(spawned);
    return Load(options);
  }

  Status Run(const PluginCall& call, const PluginHooks& hooks, const TaskControl& control,
             uint64_t* records) override {
    if (child_ <= 0)
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
    ask.group_prefix = call.group_prefix;
    ask.fold_bytes = call.fold_bytes;
    ask.begin = call.begin;
    ask.text = call.document.size();
    std::memcpy(layout_.Text(base_), call.document.data(), call.document.size());
    HostMessage answer;
    const PluginMemory& input = call.work == PluginWork::kCombine ? combine_memory_ : memory_;
    const Status status = Talk(ask, input, hooks, control, &answer);
    if (!status.ok()) {
      Kill();
      return status;
    }
    *records = answer.count;
    return TakeCounts(answer);
  }

 private:
  Status Spawn(const std::string& host, int memory) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
      return IoError("cannot make a socket pair");
    socket_ = Raise(pair[0]);
    const int theirs = Raise(pair[1]);
    const int shared = ::fcntl(memory, F_DUPFD_CLOEXEC, 10);
    if (socket_ < 0 || theirs < 0 || shared < 0) {
      const Status status = IoError("cannot duplicate a file descriptor");
      if (theirs >= 0) ::close(theirs);
      if (shared >= 0) ::close(shared);
      return status;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < 3; ++fd)
      posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, theirs, kHostSocket);
    posix_spawn_file_actions_adddup2(&actions, shared, kHostMemory);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // A group of its own: Ctrl-C at the terminal is the worker's to handle.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    const std::string input = std::to_string(layout_.input_bytes),
                      parent = std::to_string(::getpid()), failpoints = HostFailpoints();
    char* const arguments[] = {const_cast<char*>(host.c_str()), const_cast<char*>(input.c_str()),
                               const_cast<char*>(parent.c_str()),
                               const_cast<char*>(failpoints.c_str()), nullptr};
    char* const environment[] = {nullptr};  // a plugin needs no secret of the worker
    const int error =
        ::posix_spawn(&child_, host.c_str(), &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ::close(theirs);
    ::close(shared);
    if (error == 0) {
      Children::Get().Add(child_);
      return Status::Ok();
    }
    child_ = -1;
    errno = error;
    return IoError("cannot start " + host);
  }

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
    if (!SendMessage(socket_, ask)) return Died();
    for (;;) {
      DAF_RETURN_IF_ERROR(Wait(control));
      if (!ReceiveMessage(socket_, answer)) return Died();
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
      if (!SendMessage(socket_, reply)) return Died();
    }
  }

  Status Wait(const TaskControl& control) {
    using Clock = std::chrono::steady_clock;
    Clock::time_point start = Clock::now();
    uint32_t pulse = memory_.pulse->load(std::memory_order_relaxed);
    for (;;) {
      pollfd poll = {socket_, POLLIN, 0};
      const int ready = ::poll(&poll, 1, kPollMs);
      if (ready > 0) return Status::Ok();
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

  // The socket closed: says how the child ended.
  Status Died() {
    int status = 0;
    pid_t ended = 0;
    Children::Get().Remove(child_);
    do {
      ended = ::waitpid(child_, &status, 0);
    } while (ended < 0 && errno == EINTR);
    child_ = -1;
    if (ended < 0) return Status(Code::kPlugin, Name() + ": its host process is gone");
    if (WIFSIGNALED(status)) {
      const char* name = SignalName(WTERMSIG(status));
      return Status(Code::kPlugin,
                    Name() + " was killed by " +
                        (name != nullptr ? name : "signal " + std::to_string(WTERMSIG(status))));
    }
    return Status(Code::kPlugin,
                  Name() + " ended its process with status " + std::to_string(WEXITSTATUS(status)));
  }

  void Kill() {
    if (child_ > 0) {
      Children::Get().Remove(child_);
      ::kill(child_, SIGKILL);
      while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
      }
      child_ = -1;
    }
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

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
      counters_[name] += amount;
    }
    return Status::Ok();
  }

  HostLayout layout_;
  std::string file_;
  uint8_t* base_ = nullptr;
  int socket_ = -1;
  pid_t child_ = -1;
  uint32_t timeout_ms_ = 0;
};

}  // namespace

std::vector<int> PluginHostPids() {
  Children& children = Children::Get();
  const std::lock_guard<std::mutex> lock(children.mutex);
  return children.pids;
}

Status OpenChildPlugin(const PluginOptions& options, std::unique_ptr<PluginBackend>* out) {
  auto backend = std::make_unique<ChildBackend>();
  DAF_RETURN_IF_ERROR(backend->Open(options));
  *out = std::move(backend);
  return Status::Ok();
}

}  // namespace daf
