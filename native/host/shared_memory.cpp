#include "native/host/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace daf {

Status CreateSharedMemory(size_t size, int* file, uint8_t** base) {
#ifdef __linux__
  *file = ::memfd_create("daf-plugin", MFD_CLOEXEC);
#else
  const std::string name = "/daf-plugin-" + std::to_string(::getpid()) + "-" +
                           std::to_string(reinterpret_cast<uintptr_t>(base));
  *file = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
  if (*file >= 0) ::shm_unlink(name.c_str());
#endif
  if (*file < 0) return IoError("cannot create shared memory");
  if (::ftruncate(*file, static_cast<off_t>(size)) != 0) {
    const Status status = IoError("cannot size shared memory");
    ::close(*file);
    return status;
  }
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
  if (memory == MAP_FAILED) {
    ::close(*file);
    return Status(Code::kMemory,
                  "the system refused " + std::to_string(size) + " bytes of shared memory");
  }
  *base = static_cast<uint8_t*>(memory);
  return Status::Ok();
}

}  // namespace daf
