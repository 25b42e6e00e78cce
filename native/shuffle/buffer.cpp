#include "native/shuffle/buffer.h"

#include <sys/mman.h>

#include <cstring>
#include <string>

namespace daf {

ByteBuffer& ByteBuffer::operator=(ByteBuffer&& other) noexcept {
  if (this == &other) return *this;
  Release();
  budget_ = other.budget_;
  data_ = other.data_;
  size_ = other.size_;
  other.data_ = nullptr;
  other.size_ = 0;
  return *this;
}

Status ByteBuffer::Reserve(size_t bytes, size_t keep) {
  if (bytes <= size_) return Status::Ok();
  constexpr size_t kPage = 4096;
  if (bytes > SIZE_MAX - kPage) return Status(Code::kMemory, "allocation size overflows");
  const size_t size = (bytes + kPage - 1) / kPage * kPage;
  if (keep == 0) Release();
  DAF_RETURN_IF_ERROR(budget_->Take(size));
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    budget_->Give(size);
    return Status(Code::kMemory, "the system refused " + std::to_string(size) + " bytes");
  }
  if (keep != 0) std::memcpy(memory, data_, keep);
  Release();
  data_ = static_cast<uint8_t*>(memory);
  size_ = size;
  return Status::Ok();
}

void ByteBuffer::Release() {
  if (data_ == nullptr) return;
  ::munmap(data_, size_);
  budget_->Give(size_);
  data_ = nullptr;
  size_ = 0;
}

}  // namespace daf
