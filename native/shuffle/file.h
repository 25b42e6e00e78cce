// A file descriptor that closes itself; calls that survive EINTR and short transfers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "native/base/status.h"

namespace daf {

class File {
 public:
  File() = default;
  ~File() { Close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  File(File&& other) noexcept { *this = static_cast<File&&>(other); }
  File& operator=(File&& other) noexcept;

  Status OpenRead(const std::string& path);
  Status Create(
      const std::string& path);  // truncates, mode 0600: intermediate data is the worker's own
  void Close();
  bool is_open() const { return fd_ >= 0; }
  const std::string& path() const { return path_; }

  Status Write(const void* data, size_t size);
  // Reads up to `size` bytes at `offset`; *got is smaller only at the end of the file.
  Status ReadAt(uint64_t offset, void* data, size_t size, size_t* got) const;
  Status Size(uint64_t* out) const;
  Status Truncate();  // to nothing, writing starts at the front again

 private:
  int fd_ = -1;
  std::string path_;
};

// Removes a file; a missing one is fine.
void RemoveFile(const std::string& path);
Status RenameFile(const std::string& from, const std::string& to);

}  // namespace daf
