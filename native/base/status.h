// Errors are values inside the core; they become exceptions only in bindings/.
#pragma once

#include <memory>
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

// Success is a null pointer: returned for every record, it must cost nothing.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message, std::string hint = {});
  Status(const Status& other) : failure_(Copy(other.failure_)) {}
  Status(Status&& other) noexcept = default;
  Status& operator=(const Status& other) {
    failure_ = Copy(other.failure_);
    return *this;
  }
  Status& operator=(Status&& other) noexcept = default;
  static Status Ok() { return {}; }

  bool ok() const { return failure_ == nullptr; }
  Code code() const { return failure_ == nullptr ? Code::kOk : failure_->code; }
  const std::string& message() const { return failure_ == nullptr ? kNone : failure_->message; }
  // What the reader can do about it; may be empty.
  const std::string& hint() const { return failure_ == nullptr ? kNone : failure_->hint; }

 private:
  struct Failure {
    Code code;
    std::string message;
    std::string hint;
  };
  using Pointer = std::unique_ptr<const Failure>;
  static Pointer Copy(const Pointer& failure) {
    return failure == nullptr ? nullptr : std::make_unique<const Failure>(*failure);
  }
  static const std::string kNone;

  Pointer failure_;
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
