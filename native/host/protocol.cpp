#include "native/host/protocol.h"

#include <sys/socket.h>

#include <cerrno>

namespace daf {

bool SendMessage(int socket, const HostMessage& message) {
  const char* p = reinterpret_cast<const char*>(&message);
#ifdef MSG_NOSIGNAL
  constexpr int kFlags = MSG_NOSIGNAL;
#else
  constexpr int kFlags = 0;
#endif
  for (size_t done = 0; done < sizeof(message);) {
    const ssize_t n = ::send(socket, p + done, sizeof(message) - done, kFlags);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

bool ReceiveMessage(int socket, HostMessage* message) {
  char* p = reinterpret_cast<char*>(message);
  for (size_t done = 0; done < sizeof(*message);) {
    const ssize_t n = ::recv(socket, p + done, sizeof(*message) - done, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return message->protocol == kProtocol;
}

}  // namespace daf
