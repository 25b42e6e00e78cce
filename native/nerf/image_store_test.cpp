// Pictures come back as they were stored, and do not count as the process's own memory.
#include "native/nerf/image_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "native/base/rng.h"

namespace daf::nerf {
namespace {

std::string Directory() {
  const char* chosen = getenv("TMPDIR");
  return chosen != nullptr ? chosen : "/tmp";
}

std::unique_ptr<ImageStore> Open() {
  std::unique_ptr<ImageStore> store;
  const Status status = ImageStore::Open(Directory(), &store);
  EXPECT_TRUE(status.ok()) << status.message();
  return store;
}

std::vector<uint8_t> Noise(uint32_t width, uint32_t height, uint64_t seed) {
  Rng rng(seed, 1);
  std::vector<uint8_t> rgba(size_t{width} * height * 4);
  for (uint8_t& byte : rgba) byte = static_cast<uint8_t>(1 + rng.Below(255));
  return rgba;
}

TEST(ImageStore, EveryPixelComesBack) {
  const auto store = Open();
  const uint32_t sizes[][2] = {{1, 1}, {32, 32}, {33, 31}, {100, 100}, {5, 200}, {257, 129}};
  std::vector<std::vector<uint8_t>> pictures;
  std::vector<StoredImage> stored(std::size(sizes));
  for (size_t i = 0; i < std::size(sizes); ++i) {
    pictures.push_back(Noise(sizes[i][0], sizes[i][1], i));
    ASSERT_TRUE(store->Add(sizes[i][0], sizes[i][1], pictures[i].data(), nullptr, &stored[i]).ok());
  }
  for (size_t i = 0; i < std::size(sizes); ++i) {
    const auto [width, height] = sizes[i];
    ASSERT_EQ(stored[i].width(), width);
    ASSERT_EQ(stored[i].height(), height);
    for (uint32_t y = 0; y < height; ++y) {
      for (uint32_t x = 0; x < width; ++x) {
        const uint8_t* pixel = stored[i].Pixel(x, y);
        ASSERT_EQ(std::memcmp(pixel, pictures[i].data() + (size_t{y} * width + x) * 4, 4), 0);
        ASSERT_FALSE(StoredImage::Ignored(pixel));
      }
    }
  }
}

TEST(ImageStore, TransparentPixelsAreBlackAndMaskedOnesIgnored) {
  const auto store = Open();
  const uint8_t rgba[] = {10, 20, 30, 0, 10, 20, 30, 40, 10, 20, 30, 255, 10, 20, 30, 0};
  const uint8_t mask[] = {255, 1, 0, 0};
  StoredImage image;
  ASSERT_TRUE(store->Add(4, 1, rgba, mask, &image).ok());
  const uint8_t clear[4] = {}, soft[4] = {10, 20, 30, 40};
  EXPECT_EQ(std::memcmp(image.Pixel(0, 0), clear, 4), 0);
  EXPECT_EQ(std::memcmp(image.Pixel(1, 0), soft, 4), 0);
  const bool ignored[] = {false, false, true, true};
  for (uint32_t x = 0; x < 4; ++x) {
    EXPECT_EQ(StoredImage::Ignored(image.Pixel(x, 0)), ignored[x]);
    EXPECT_EQ(image.Pixel(x, 0)[3], x == 1 ? 40 : 0);
  }
}

TEST(ImageStore, LeavesNoFileBehind) {
  std::string folder = Directory() + "/daf-store-test-XXXXXX";
  ASSERT_NE(mkdtemp(&folder[0]), nullptr);
  {
    std::unique_ptr<ImageStore> store;
    ASSERT_TRUE(ImageStore::Open(folder, &store).ok());
    StoredImage image;
    ASSERT_TRUE(store->Add(64, 64, Noise(64, 64, 1).data(), nullptr, &image).ok());
    EXPECT_EQ(rmdir(folder.c_str()), 0) << "the folder is not empty";
  }
}

TEST(ImageStore, RefusesWhatCannotBe) {
  std::unique_ptr<ImageStore> store;
  EXPECT_EQ(ImageStore::Open("/nonexistent/folder", &store).code(), Code::kIo);
  store = Open();
  StoredImage image;
  const auto pixels = Noise(1, 1, 1);
  EXPECT_EQ(store->Add(0, 1, pixels.data(), nullptr, &image).code(), Code::kBadArgument);
  EXPECT_EQ(store->Add(1, 16385, pixels.data(), nullptr, &image).code(), Code::kBadArgument);
}

#ifdef __linux__
// On tmpfs the pages are memory, and a budget must know.
TEST(ImageStore, DrawsOnTheBudgetWhereTheFolderIsMemory) {
  struct stat info;
  Budget budget(1 << 20);
  std::unique_ptr<ImageStore> store;
  if (stat("/dev/shm", &info) != 0 || !ImageStore::Open("/dev/shm", &store, budget).ok() ||
      store->reclaimable())
    GTEST_SKIP() << "no writable tmpfs";
  StoredImage image;
  const auto pixels = Noise(400, 400, 1);
  ASSERT_TRUE(store->Add(400, 400, pixels.data(), nullptr, &image).ok());
  EXPECT_EQ(budget.used(), store->bytes());
  EXPECT_EQ(store->Add(400, 400, pixels.data(), nullptr, &image).code(), Code::kMemory);
  store.reset();
  EXPECT_EQ(budget.used(), 0u);
}

size_t AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  size_t bytes = 0;
  for (std::string word; status >> word;) {
    size_t kilobytes;
    if ((word == "RssAnon:" || word == "RssShmem:") && status >> kilobytes)
      bytes += kilobytes * 1024;
  }
  return bytes;
}

TEST(ImageStore, IsNotTheProcessesOwnMemory) {
  const auto store = Open();
  if (!store->reclaimable()) GTEST_SKIP() << "the scratch folder is a tmpfs";
  const auto pixels = Noise(800, 800, 1);
  const size_t before = AnonymousBytes();
  uint64_t sum = 0;
  for (int i = 0; i < 12; ++i) {
    StoredImage image;
    ASSERT_TRUE(store->Add(800, 800, pixels.data(), nullptr, &image).ok());
    for (uint32_t y = 0; y < 800; ++y) sum += *image.Pixel(y, y);
  }
  EXPECT_GT(sum, 0u);
  EXPECT_GT(store->bytes(), size_t{12} * 800 * 800 * 4);
  EXPECT_LT(AnonymousBytes(), before + (size_t{2} << 20));
}
#endif

}  // namespace
}  // namespace daf::nerf
