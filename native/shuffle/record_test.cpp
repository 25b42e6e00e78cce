#include "native/shuffle/record.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "native/base/rng.h"
#include "native/shuffle/text.h"

namespace daf {
namespace {

const uint8_t* U(const std::string& s) { return reinterpret_cast<const uint8_t*>(s.data()); }
uint64_t Hash(const std::string& s) { return HashKey(U(s), s.size()); }

// Fixed for all time: another value would send a key to another reducer than an older worker does.
TEST(Hash, TestVectors) {
  EXPECT_EQ(Hash(""), 0xd67411c4baf265e9ull);
  EXPECT_EQ(Hash("a"), 0xe12083852144ab43ull);
  EXPECT_EQ(Hash("the"), 0xc8247f8ed853cd10ull);
  EXPECT_EQ(Hash("12345678"), 0x6a90bda7e7dddc05ull);
  EXPECT_EQ(Hash(std::string("\0\xff\n", 3)), 0x5760ed98d2ff5f8aull);
  EXPECT_EQ(Hash("a key of more than one word"), 0x16bc7a20826e41e8ull);
}

TEST(Hash, SpreadsKeysEvenly) {
  constexpr uint32_t kPartitions = 7;
  std::vector<int> counts(kPartitions);
  for (int i = 0; i < 70000; ++i) {
    const std::string key = "key" + std::to_string(i);
    ++counts[PartitionOf(U(key), key.size(), kPartitions)];
  }
  for (int count : counts) EXPECT_NEAR(count, 10000, 400);  // 4 standard deviations
  const std::string a = "user1|2020", b = "user1|2021";
  EXPECT_EQ(PartitionOf(U(a), a.size(), 1000, 5), PartitionOf(U(b), b.size(), 1000, 5));
}

TEST(Key, TailsAndPrefixesOrderAsMemcmp) {
  Rng rng(1);
  for (int i = 0; i < 20000; ++i) {
    std::string a(rng.Below(11), '\0'), b(rng.Below(11), '\0');
    for (char& c : a) c = static_cast<char>(rng.Below(3) * 127);
    for (char& c : b) c = static_cast<char>(rng.Below(3) * 127);
    const uint64_t x = KeyPrefix(U(a), a.size()), y = KeyPrefix(U(b), b.size());
    const int order = CompareKeys(U(a), a.size(), U(b), b.size());
    if (x != y) {
      ASSERT_EQ(x < y, order < 0);
    } else if (a.size() == b.size() && a.size() <= 8) {
      ASSERT_EQ(order, 0);
    }
  }
}

TEST(Piece, RefusesWhatIsCutOff) {
  std::vector<uint8_t> bytes = {3, 0, 0, 0, 2, 0, 0, 0, 'k', 'e', 'y', 'v', 'v'};
  Piece piece;
  size_t at = 0;
  ASSERT_TRUE(ParsePiece(bytes.data(), bytes.size(), &at, &piece).ok());
  EXPECT_EQ(at, bytes.size());
  for (size_t size = 0; size < bytes.size(); ++size) {
    at = 0;
    const std::vector<uint8_t> cut(bytes.begin(),
                                   bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(ParsePiece(cut.data(), cut.size(), &at, &piece).code(), Code::kBadData) << size;
    EXPECT_EQ(at, 0u);
  }
  bytes[2] = 0x11;  // a key of more than 1 MB
  EXPECT_EQ(ParsePiece(bytes.data(), bytes.size(), &at, &piece).code(), Code::kBadData);
}

TEST(Lines, EndingsAndRests) {
  const std::string text = "a\r\n\n\rb\nlast";
  uint32_t out[16];
  size_t consumed = 0;
  ASSERT_EQ(SplitLines(U(text), text.size(), false, out, 8, &consumed), 3u);
  EXPECT_EQ(consumed, 7u);
  EXPECT_EQ(std::vector<uint32_t>(out, out + 6), (std::vector<uint32_t>{0, 1, 3, 0, 4, 2}));
  ASSERT_EQ(SplitLines(U(text), text.size(), true, out, 8, &consumed), 4u);
  EXPECT_EQ(consumed, text.size());
  ASSERT_EQ(SplitLines(U(text), text.size(), true, out, 2, &consumed), 2u);
  EXPECT_EQ(consumed, 4u);
  EXPECT_EQ(SplitLines(U(text), 0, true, out, 8, &consumed), 0u);
}

TEST(Lines, AreCountedInAnyNumber) {
  EXPECT_EQ(CountLines(nullptr, 0), 0u);
  for (const size_t lines : {1, 254, 255, 256, 511, 100000}) {
    const std::string feeds(lines, '\n');
    EXPECT_EQ(CountLines(U(feeds), feeds.size()), lines);
    const std::string longer = feeds + "x";
    EXPECT_EQ(CountLines(U(longer), longer.size()), lines + 1);
  }
  std::string mixed;
  for (int i = 0; i < 3000; ++i) mixed += std::string(static_cast<size_t>(i % 7), 'a') + "\n";
  EXPECT_EQ(CountLines(U(mixed), mixed.size()), 3000u);
}

TEST(Text, CutsSpansIntoKeyAndValue) {
  const std::string data = "k1aa..k2b....x";
  const uint32_t spans[] = {0, 4, 6, 3, 13, 1, 9, 0};
  uint8_t out[64];
  size_t written = 0;
  ASSERT_EQ(PackSpans(U(data), spans, 4, 2, out, sizeof(out), &written), 4u);
  std::vector<std::string> seen;
  for (size_t at = 0; at < written;) {
    Piece piece;
    ASSERT_TRUE(ParsePiece(out, written, &at, &piece).ok());
    seen.push_back(std::string(piece.key, piece.key + piece.key_size) + "=" +
                   std::string(piece.value, piece.value + piece.value_size));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"k1=aa", "k2=b", "x=", "="}));
  EXPECT_EQ(PackSpans(U(data), spans, 4, 2, out, 22, &written), 1u) << "the second does not fit";
  EXPECT_EQ(PackSpans(U(data), spans, 1, 0, out, sizeof(out), &written), 1u);
  EXPECT_EQ(Load32(out), 4u) << "0: the whole span is the key";
}

TEST(Text, StopsWhereTheNextRecordDoesNotFit) {
  const std::vector<uint8_t> batch = {1,   0, 0, 0, 2, 0, 0, 0, 'a', '1',
                                      '2', 1, 0, 0, 0, 0, 0, 0, 0,   'b'};
  const std::string tab = "\t";
  const RecordFormat lines = {true, U(tab), 1, true};
  uint8_t out[8];
  size_t consumed = 0, written = 0, records = 0;
  const auto format = [&](const RecordFormat& how, size_t capacity) {
    return FormatRecords(batch.data(), batch.size(), how, out, capacity, &consumed, &written,
                         &records);
  };
  ASSERT_TRUE(format(lines, 7).ok());
  EXPECT_EQ(consumed, 11u);
  EXPECT_EQ(std::string(out, out + written), "a\t12\n");
  ASSERT_TRUE(format(lines, 8).ok());
  EXPECT_EQ(consumed, batch.size());
  EXPECT_EQ(records, 2u);
  EXPECT_EQ(std::string(out, out + written), "a\t12\nb\t\n");
  ASSERT_TRUE(format({true, nullptr, 0, false}, 8).ok());
  EXPECT_EQ(std::string(out, out + written), "a12b");
  ASSERT_TRUE(format({false, nullptr, 0, false}, 8).ok());
  EXPECT_EQ(std::string(out, out + written), "12");
  EXPECT_EQ(records, 2u);
}

}  // namespace
}  // namespace daf
