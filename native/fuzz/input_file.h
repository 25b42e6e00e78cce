// Bytes behind a path, for readers that open files.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace daf::fuzz {

class InputFile {
 public:
  InputFile(const uint8_t* data, size_t size) {
    char name[] = "/tmp/daf-fuzz-XXXXXX";
    descriptor_ = mkstemp(name);
    if (descriptor_ < 0) abort();
    path_ = name;
    if (write(descriptor_, data, size) != static_cast<ssize_t>(size)) abort();
  }
  ~InputFile() {
    close(descriptor_);
    unlink(path_.c_str());
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

}  // namespace daf::fuzz
