#include "native/host/failpoint.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace daf {

std::string HostFailpoints() {
  const char* asked = std::getenv("DAF_FAILPOINT");
  if (asked == nullptr || std::string(asked).find("host.") == std::string::npos) return "";
  const char* once = std::getenv("DAF_FAILPOINT_ONCE");
  return std::string(asked) + "\n" + (once == nullptr ? "" : once);
}

Failpoints::Failpoints(const std::string& specification) {
  const size_t line = specification.find('\n');
  if (line != std::string::npos) once_ = specification.substr(line + 1);
  std::istringstream parts(specification.substr(0, line));
  for (std::string part; std::getline(parts, part, ',');) {
    const size_t first = part.find(':'), second = part.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;  // the worker checks
    points_.push_back(
        {part.substr(0, first), part.substr(second + 1), std::atol(part.c_str() + first + 1), 0});
  }
}

Status Failpoints::Pass(const char* name) {
  for (Point& point : points_) {
    if (point.name != name || ++point.hits != point.at) continue;
    if (!once_.empty()) {
      const int file = ::open(once_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
      if (file < 0) continue;
      ::close(file);
    }
    if (point.action == "error") return Status(Code::kPlugin, std::string("fail point ") + name);
    ::raise(point.action == "kill" ? SIGKILL : SIGSTOP);
  }
  return Status::Ok();
}

}  // namespace daf
