#include "native/nerf/image_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

namespace daf::nerf {
namespace {

constexpr uint32_t kTile = StoredImage::kTile;
constexpr size_t kTileBytes = size_t{kTile} * kTile * 4;
constexpr size_t kMapAlign = size_t{1} << 16;  // offsets of mappings: no system has larger pages

// A file without a name.
Status OpenUnlinked(const std::string& directory, int* out) {
#ifdef O_TMPFILE
  *out = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (*out >= 0) return Status::Ok();
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return IoError(directory);
#endif
  std::string path = directory + "/daf-images-XXXXXX";
  *out = mkstemp(&path[0]);
  if (*out < 0) return IoError(directory);
  unlink(path.c_str());
  return Status::Ok();
}

bool InMemory(int file) {
#ifdef __linux__
  struct statfs info;
  return fstatfs(file, &info) == 0 &&
         (info.f_type == TMPFS_MAGIC ||
          info.f_type == static_cast<decltype(info.f_type)>(RAMFS_MAGIC));
#else
  return false;
#endif
}

void StorePixel(const uint8_t* rgba, bool counts, uint8_t* out) {
  if (counts && rgba[3] != 0) {
    std::memcpy(out, rgba, 4);
    return;
  }
  out[0] = counts ? 0 : 255;
  out[1] = out[2] = out[3] = 0;
}

}  // namespace

ImageStore::~ImageStore() {
  for (const Mapping& m : mappings_) munmap(m.address, m.size);
  if (file_ >= 0) close(file_);
  if (!reclaimable_) budget_.Give(bytes_);
}

Status ImageStore::Open(const std::string& directory, std::unique_ptr<ImageStore>* out,
                        Budget& budget) {
  std::unique_ptr<ImageStore> store(new ImageStore(&budget));
  DAF_RETURN_IF_ERROR(OpenUnlinked(directory, &store->file_));
  store->reclaimable_ = !InMemory(store->file_);
  *out = std::move(store);
  return Status::Ok();
}

Status ImageStore::Append(const uint8_t* tiles, size_t size) {
  for (size_t done = 0; done < size;) {
    const ssize_t wrote =
        pwrite(file_, tiles + done, size - done, static_cast<off_t>(bytes_ + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return IoError("training pictures' scratch file");
    done += static_cast<size_t>(wrote);
  }
  bytes_ += size;
  return Status::Ok();
}

Status ImageStore::Add(uint32_t width, uint32_t height, const uint8_t* rgba, const uint8_t* mask,
                       StoredImage* out) {
  if (width < 1 || height < 1 || width > 16384 || height > 16384)
    return Status(Code::kBadArgument, "a picture's sides must be 1–16384 pixels");
  const uint64_t begin = bytes_;
  const uint32_t across = (width + kTile - 1) / kTile, down = (height + kTile - 1) / kTile;
  const size_t size = (size_t{across} * down * kTileBytes + kMapAlign - 1) & ~(kMapAlign - 1);
  if (!reclaimable_) DAF_RETURN_IF_ERROR(budget_.Take(size));
  const auto undo = [&](Status status) {
    if (!reclaimable_) budget_.Give(size);
    bytes_ = begin;
    return status;
  };
  // Through write, not through the mapping: a full disk is then an error and not a signal.
  uint8_t tile[kTileBytes] = {};
  for (uint32_t t = 0; t < across * down; ++t) {
    const uint32_t x0 = t % across * kTile, y0 = t / across * kTile;
    for (uint32_t y = y0; y < std::min(y0 + kTile, height); ++y) {
      for (uint32_t x = x0; x < std::min(x0 + kTile, width); ++x) {
        const size_t at = size_t{y} * width + x;
        StorePixel(rgba + at * 4, mask == nullptr || mask[at] != 0,
                   tile + ((y - y0) * kTile + (x - x0)) * 4);
      }
    }
    const Status status = Append(tile, kTileBytes);
    if (!status.ok()) return undo(status);
  }
  if (ftruncate(file_, static_cast<off_t>(begin + size)) != 0)
    return undo(IoError("training pictures' scratch file"));
  void* address = mmap(nullptr, size, PROT_READ, MAP_SHARED, file_, static_cast<off_t>(begin));
  if (address == MAP_FAILED) return undo(IoError("training pictures' scratch file"));
  bytes_ = begin + size;
  mappings_.push_back({address, size});
  *out = StoredImage(static_cast<const uint8_t*>(address), width, height);
  return Status::Ok();
}

}  // namespace daf::nerf
