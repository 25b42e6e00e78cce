#include "native/shuffle/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace daf {

File& File::operator=(File&& other) noexcept {
  if (this == &other) return *this;
  Close();
  fd_ = other.fd_;
  path_ = static_cast<std::string&&>(other.path_);
  other.fd_ = -1;
  return *this;
}

Status File::OpenRead(const std::string& path) {
  Close();
  path_ = path;
  do {
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (fd_ < 0 && errno == EINTR);
  return fd_ < 0 ? IoError("cannot open " + path) : Status::Ok();
}

Status File::Create(const std::string& path) {
  Close();
  path_ = path;
  do {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  } while (fd_ < 0 && errno == EINTR);
  return fd_ < 0 ? IoError("cannot create " + path) : Status::Ok();
}

void File::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Status File::Write(const void* data, size_t size) {
  const char* p = static_cast<const char*>(data);
  while (size != 0) {
    const ssize_t n = ::write(fd_, p, size);
    if (n < 0) {
      if (errno == EINTR) continue;
      return IoError("cannot write " + path_);
    }
    p += n;
    size -= static_cast<size_t>(n);
  }
  return Status::Ok();
}

Status File::ReadAt(uint64_t offset, void* data, size_t size, size_t* got) const {
  char* p = static_cast<char*>(data);
  *got = 0;
  while (*got < size) {
    const ssize_t n = ::pread(fd_, p + *got, size - *got, static_cast<off_t>(offset + *got));
    if (n < 0) {
      if (errno == EINTR) continue;
      return IoError("cannot read " + path_);
    }
    if (n == 0) break;
    *got += static_cast<size_t>(n);
  }
  return Status::Ok();
}

Status File::Size(uint64_t* out) const {
  struct stat info;
  if (::fstat(fd_, &info) != 0) return IoError("cannot stat " + path_);
  *out = static_cast<uint64_t>(info.st_size);
  return Status::Ok();
}

Status File::Truncate() {
  if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0)
    return IoError("cannot truncate " + path_);
  return Status::Ok();
}

void RemoveFile(const std::string& path) { (void)::unlink(path.c_str()); }

Status RenameFile(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str()) != 0 ? IoError("cannot rename " + from + " to " + to)
                                                 : Status::Ok();
}

}  // namespace daf
