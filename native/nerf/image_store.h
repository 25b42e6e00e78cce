// Training pictures in memory that the kernel may take back: bytes in an unlinked file, mapped. A
// hundred pictures of 800 × 800 RGBA are 256 MB, but page cache, not the process's own memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "native/base/arena.h"
#include "native/base/status.h"

namespace daf::nerf {

// A picture in tiles of a page each, so that a pixel and its neighbours cost one page.
class StoredImage {
 public:
  static constexpr uint32_t kTile = 32;  // pixels along a side: 4096 bytes of RGBA

  StoredImage() = default;
  StoredImage(const uint8_t* tiles, uint32_t width, uint32_t height)
      : tiles_(tiles), width_(width), height_(height), across_((width + kTile - 1) / kTile) {}

  uint32_t width() const { return width_; }
  uint32_t height() const { return height_; }
  // sRGB and straight alpha; of transparent pixels the colour is black.
  const uint8_t* Pixel(uint32_t x, uint32_t y) const {
    const size_t tile = size_t{y / kTile} * across_ + x / kTile;
    return tiles_ + (tile * kTile * kTile + (y % kTile) * kTile + x % kTile) * 4;
  }
  // Whether a pixel was masked out: nothing may be learnt from it.
  static bool Ignored(const uint8_t* pixel) { return pixel[3] == 0 && pixel[0] != 0; }

 private:
  const uint8_t* tiles_ = nullptr;
  uint32_t width_ = 0, height_ = 0, across_ = 0;
};

// Holds pictures until it is destroyed. One thread adds; any number read what was added before they
// began.
class ImageStore {
 public:
  ~ImageStore();
  ImageStore(const ImageStore&) = delete;
  ImageStore& operator=(const ImageStore&) = delete;
  // `directory` is where the file goes; it never has a name there. Where that is memory itself
  // (tmpfs), the pictures are drawn from `budget`. Errors: kIo.
  static Status Open(const std::string& directory, std::unique_ptr<ImageStore>* out,
                     Budget& budget = Budget::Process());

  // Copies rgba[height][width][4]. mask[height][width], which may be null: 0 where nothing may be
  // learnt. *out is valid as long as the store. Errors: kBadArgument for a side outside 1–16384;
  // kIo, e.g. a full disk; kMemory.
  Status Add(uint32_t width, uint32_t height, const uint8_t* rgba, const uint8_t* mask,
             StoredImage* out);
  // Whether the kernel can take the pages back.
  bool reclaimable() const { return reclaimable_; }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Mapping {
    void* address;
    size_t size;
  };
  explicit ImageStore(Budget* budget) : budget_(*budget) {}
  Status Append(const uint8_t* tiles, size_t size);

  Budget& budget_;
  int file_ = -1;
  bool reclaimable_ = true;
  uint64_t bytes_ = 0;
  std::vector<Mapping> mappings_;
};

}  // namespace daf::nerf
