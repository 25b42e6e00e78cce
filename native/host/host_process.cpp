#include "native/host/host_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <vector>

#include "native/host/backend.h"
#include "native/host/failpoint.h"
#include "native/host/protocol.h"

namespace daf {
namespace {

// How long a child has for the rest of a message, for taking one, and for its end once its socket
// has closed. Everything else it may take its time for is waited for elsewhere.
constexpr int kGraceMs = 1000;

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

}  // namespace

Status HostProcess::Start(const std::string& host, int memory, size_t input_bytes) {
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
  // A plugin may have written into the socket itself, or never read it: no call waits forever.
  const timeval grace = {kGraceMs / 1000, kGraceMs % 1000 * 1000};
  (void)::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &grace, sizeof(grace));
  (void)::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &grace, sizeof(grace));
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
  const std::string input = std::to_string(input_bytes), parent = std::to_string(::getpid()),
                    failpoints = HostFailpoints();
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

bool HostProcess::EndsSoon() const {
  for (int ms = 0; ms < kGraceMs; ++ms) {
    siginfo_t info{};
    const int got = ::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (got != 0 || info.si_pid != 0) return true;
    ::usleep(1000);
  }
  return false;
}

std::string HostProcess::HowItEnded() {
  if (!EndsSoon()) {
    Kill();
    return ": its host process sent nonsense";
  }
  int status = 0;
  pid_t ended = 0;
  Children::Get().Remove(child_);
  do {
    ended = ::waitpid(child_, &status, 0);
  } while (ended < 0 && errno == EINTR);
  child_ = -1;
  if (ended < 0) return ": its host process is gone";
  if (WIFSIGNALED(status)) {
    const char* name = SignalName(WTERMSIG(status));
    return std::string(" was killed by ") +
           (name != nullptr ? name : "signal " + std::to_string(WTERMSIG(status)));
  }
  return " ended its process with status " + std::to_string(WEXITSTATUS(status));
}

void HostProcess::Kill() {
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

std::vector<int> PluginHostPids() {
  Children& children = Children::Get();
  const std::lock_guard<std::mutex> lock(children.mutex);
  return children.pids;
}

}  // namespace daf
