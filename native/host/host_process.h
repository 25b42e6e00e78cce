// A daf-host child as a process: how it is started, found, ended.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "native/base/status.h"

namespace daf {

class HostProcess {
 public:
  HostProcess() = default;
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;
  ~HostProcess() { Kill(); }
  // Starts the executable at `host` with a socket to this process and the shared memory, whose
  // blocks are `input_bytes` long; nothing else of this process goes with it. Errors: kIo.
  Status Start(const std::string& host, int memory, size_t input_bytes);
  bool running() const { return child_ > 0; }
  int socket() const { return socket_; }
  // To be called once the socket is of no more use: waits for the end, which it brings about where
  // it does not come, and says how it came, as a sentence without its subject.
  std::string HowItEnded();
  void Kill();

 private:
  // Whether it ends by itself. It stays unreaped.
  bool EndsSoon() const;

  int socket_ = -1;
  pid_t child_ = -1;
};

}  // namespace daf
