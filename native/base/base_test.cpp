#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/cpu.h"
#include "native/base/crc32c.h"
#include "native/base/rng.h"
#include "native/base/sha256.h"

namespace daf {
namespace {

TEST(Arena, RefusesBeyondTheBudgetAndReusesBlocks) {
  Budget budget(3 << 20);
  Arena arena(budget);
  float* first = nullptr;
  ASSERT_TRUE(arena.Allocate(100, &first).ok());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0u);
  char* big = nullptr;
  const Status refused = arena.Allocate(size_t{4} << 20, &big);
  EXPECT_EQ(refused.code(), Code::kMemory);
  EXPECT_EQ(big, nullptr);
  const size_t used = budget.used();
  for (int task = 0; task < 10; ++task) {
    arena.Reset();
    float* again = nullptr;
    ASSERT_TRUE(arena.Allocate(100, &again).ok());
    EXPECT_EQ(again, first);
  }
  EXPECT_EQ(budget.used(), used);
  EXPECT_GE(budget.peak(), used);
  arena.Release();
  EXPECT_EQ(budget.used(), 0u);
}

TEST(Arena, LeavesItsBlocksToTheNext) {
  Budget budget(size_t{64} << 20);
  for (int task = 0; task < 5; ++task) {
    Arena arena(budget), other(budget);
    char *small, *large;
    ASSERT_TRUE(arena.Allocate(1000, &small).ok());
    ASSERT_TRUE(other.Allocate(size_t{5} << 20, &large).ok());
    EXPECT_EQ(budget.system_blocks(), 2u);
    EXPECT_EQ(budget.kept(), 0u);
  }
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(budget.kept(), size_t{6} << 20);
}

TEST(Arena, KeepsAQuarterOfTheLimitAndNothingThatWouldBeMissed) {
  Budget budget(size_t{16} << 20);
  {
    Arena first(budget), second(budget), third(budget);
    char* bytes;
    for (Arena* arena : {&first, &second, &third})
      ASSERT_TRUE(arena->Allocate(size_t{2} << 20, &bytes).ok());
  }
  EXPECT_EQ(budget.kept(), size_t{4} << 20);
  Arena whole(budget);
  char* bytes;
  ASSERT_TRUE(whole.Allocate(size_t{16} << 20, &bytes).ok());  // what was kept makes room
  EXPECT_EQ(budget.kept(), 0u);
  EXPECT_EQ(whole.Allocate(1, &bytes).code(), Code::kMemory);
  whole.Release();
  EXPECT_EQ(budget.kept(), 0u);  // a block beyond the quarter is not kept
  EXPECT_EQ(budget.used(), 0u);
}

TEST(Arena, TakesNoBlockTwiceAsLargeAsNeeded) {
  Budget budget(size_t{256} << 20);
  {
    Arena large(budget);
    char* bytes;
    ASSERT_TRUE(large.Allocate(size_t{40} << 20, &bytes).ok());
  }
  Arena small(budget);
  char* bytes;
  ASSERT_TRUE(small.Allocate(100, &bytes).ok());
  EXPECT_EQ(budget.used(), size_t{1} << 20);
  EXPECT_EQ(budget.kept(), size_t{40} << 20);
}

TEST(Arena, RefusesSizesThatOverflow) {
  Arena arena;
  double* out = nullptr;
  EXPECT_EQ(arena.Allocate(SIZE_MAX / 4, &out).code(), Code::kMemory);
}

TEST(Crc32c, KnownValues) {
  EXPECT_EQ(Crc32c(0, "123456789", 9), 0xE3069283u);
  const std::string zeros(32, '\0');
  EXPECT_EQ(Crc32c(0, zeros.data(), zeros.size()), 0x8A9136AAu);  // RFC 3720 B.4
  EXPECT_EQ(Crc32c(Crc32c(0, "1234", 4), "56789", 5), 0xE3069283u);
}

std::string Hex(const std::array<uint8_t, 32>& digest) {
  std::string out;
  for (uint8_t byte : digest) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

// FIPS 180-4's examples, and a million letters.
TEST(Sha256, KnownValues) {
  EXPECT_EQ(Hex(Sha256("", 0)), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(Sha256("abc", 3)),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  EXPECT_EQ(Hex(Sha256(two.data(), two.size())),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const std::string million(1000000, 'a');
  EXPECT_EQ(Hex(Sha256(million.data(), million.size())),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Rng, ReferenceStreamAndRange) {
  Rng rng(42, 54);
  EXPECT_EQ(rng.Next(), 0xa15c02b7u);  // first values of the published pcg32 demo
  EXPECT_EQ(rng.Next(), 0x7b47f409u);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const float u = rng.Uniform();
    ASSERT_GE(u, 0.0f);
    ASSERT_LT(u, 1.0f);
    sum += u;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 0.005);
}

TEST(TaskControl, SharesWordsWithItsWatcher) {
  int32_t words[3] = {0, 0, 0};
  TaskControl control(words);
  EXPECT_TRUE(control.Check().ok());
  control.Progress(3, 7);
  EXPECT_EQ(words[1], 3);
  EXPECT_EQ(words[2], 7);
  words[0] = 1;
  EXPECT_EQ(control.Check().code(), Code::kCancelled);
}

TEST(Cpu, ForcedInstructionSetIsTheOneInUse) {
  Isa isa;
  const Status status = ChosenIsa(&isa);
  const char* forced = std::getenv("DAF_FORCE_ISA");
  if (forced == nullptr) {
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(isa, BestIsa());
  } else if (status.ok()) {
    EXPECT_STREQ(IsaName(isa), forced);
  }
}

}  // namespace
}  // namespace daf
