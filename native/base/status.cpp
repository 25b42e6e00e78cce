#include "native/base/status.h"

#include <cerrno>
#include <cstring>

namespace daf {

const std::string Status::kNone;

Status::Status(Code code, std::string message, std::string hint) {
  if (code == Code::kOk) return;
  failure_ = std::make_unique<const Failure>(Failure{code, std::move(message), std::move(hint)});
}

const char* CodeName(Code code) {
  switch (code) {
    case Code::kOk:
      return "OK";
    case Code::kBadArgument:
      return "ERR_DAF_BAD_ARGUMENT";
    case Code::kBadData:
      return "ERR_DAF_BAD_DATA";
    case Code::kMemory:
      return "ERR_DAF_MEMORY_LIMIT";
    case Code::kCancelled:
      return "ERR_DAF_CANCELLED";
    case Code::kIo:
      return "ERR_DAF_IO";
    case Code::kUnsupported:
      return "ERR_DAF_UNSUPPORTED";
    case Code::kPlugin:
      return "ERR_DAF_PLUGIN";
    case Code::kInternal:
      return "ERR_DAF_INTERNAL";
  }
  return "ERR_DAF_INTERNAL";
}

Status IoError(const std::string& what) {
  const int error = errno;
  const char* hint = "";
  if (error == ENOSPC) hint = "free space on the disk that holds the data directory";
  if (error == EMFILE || error == ENFILE) hint = "raise the limit of open files (ulimit -n)";
  return Status(Code::kIo, what + ": " + std::strerror(error), hint);
}

}  // namespace daf
