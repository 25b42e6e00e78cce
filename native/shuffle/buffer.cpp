#include "native/shuffle/buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace daf {
namespace {

// Large buffers lie on pages of this size where the system has them: visited at random they would
// otherwise cost a walk of the page tables, most of an access, nearly every time.
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kHugeFrom = 4 * kHugePage;

// `size` bytes of zeros, or null.
void* Map(size_t size) {
  const size_t slack = size >= kHugeFrom ? kHugePage : 0;
  void* memory =
      ::mmap(nullptr, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  if (slack == 0) return memory;
  // Only the part between two boundaries stays.
  uint8_t* const begin = static_cast<uint8_t*>(memory);
  const size_t head = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  if (head != 0) ::munmap(begin, head);
  if (head != slack) ::munmap(begin + head + size, slack - head);
#ifdef MADV_HUGEPAGE
  // Not the last pages that do not fill a huge one: what is taken stays what was declared.
  (void)::madvise(begin + head, size / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return begin + head;
}

}  // namespace

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
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  if (bytes > SIZE_MAX - page - kHugePage)
    return Status(Code::kMemory, "allocation size overflows");
  const size_t size = (bytes + page - 1) / page * page;
  if (keep == 0) Release();
  DAF_RETURN_IF_ERROR(budget_->Take(size));
  void* memory = Map(size);
  if (memory == nullptr) {
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
