// Errors are values inside the core; they become exceptions only in bindings/.
#pragma once

#include <string>
#include <utility>

namespace daf {

enum class Code {
  kOk,
  kBadArgument,  // the caller's mistake: ERR_DAF_BAD_ARGUMENT
  kBadData,      // a file or buffer that does not say what it should: ERR_DAF_BAD_DATA
  kMemory,       // a budget or the machine ran out: ERR_DAF_MEMORY_LIMIT
  kCancelled,    // the cancel flag was raised: ERR_DAF_CANCELLED
  kIo,           // the operating system refused: ERR_DAF_IO
  kUnsupported,  // this machine or build lacks it: ERR_DAF_UNSUPPORTED
  kPlugin,       // a plugin failed or crashed: ERR_DAF_PLUGIN
  kInternal,     // a broken invariant of ours: ERR_DAF_INTERNAL
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message, std::string hint = {})
      : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}
  static Status Ok() { return {}; }

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  // What the reader can do about it; may be empty.
  const std::string& hint() const { return hint_; }

 private:
  Code code_ = Code::kOk;
  std::string message_;
  std::string hint_;
};

// The stable name that TypeScript matches, e.g. "ERR_DAF_BAD_DATA".
const char* CodeName(Code code);

// Status of the last failed system call: "<what>: <strerror(errno)>".
Status IoError(const std::string& what);

}  // namespace daf

#define DAF_RETURN_IF_ERROR(expr)              \
  do {                                         \
    ::daf::Status daf_status_ = (expr);        \
    if (!daf_status_.ok()) return daf_status_; \
  } while (0)
