#include "native/shuffle/sort.h"

#include "native/shuffle/test_support.h"

namespace daf {
namespace {

using testing::Record;

// Sorts records through SortIndex and returns their numbers in order.
std::vector<size_t> Sorted(const std::vector<Record>& records,
                           const std::vector<uint32_t>& partitions, uint32_t count) {
  std::vector<uint8_t> buffer;
  std::vector<IndexEntry> entries, scratch(records.size());
  std::vector<size_t> offsets;
  for (size_t i = 0; i < records.size(); ++i) {
    const std::string& key = records[i].key;
    entries.push_back({KeyPrefix(reinterpret_cast<const uint8_t*>(key.data()), key.size()),
                       static_cast<uint32_t>(buffer.size()), partitions[i]});
    offsets.push_back(buffer.size());
    testing::Pack(records[i], &buffer);
  }
  std::vector<size_t> bounds;
  EXPECT_TRUE(
      SortIndex(entries.data(), scratch.data(), entries.size(), buffer.data(), count, {}, &bounds)
          .ok());
  EXPECT_EQ(bounds.front(), 0u);
  EXPECT_EQ(bounds.back(), records.size());
  std::vector<size_t> order;
  for (const IndexEntry& e : entries) {
    order.push_back(static_cast<size_t>(std::lower_bound(offsets.begin(), offsets.end(), e.offset) -
                                        offsets.begin()));
  }
  return order;
}

TEST(SortIndex, EqualsAStableSort) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    const uint32_t partitions = 1 + rng.Below(5);
    const uint32_t n = rng.Below(seed % 10 == 0 ? 20000 : 400);
    std::vector<Record> records;
    std::vector<uint32_t> where;
    for (uint32_t i = 0; i < n; ++i) {
      records.push_back({testing::AwkwardKey(&rng), ""});
      where.push_back(rng.Below(partitions));
    }
    std::vector<size_t> expected(n);
    for (size_t i = 0; i < n; ++i) expected[i] = i;
    std::stable_sort(expected.begin(), expected.end(), [&](size_t a, size_t b) {
      if (where[a] != where[b]) return where[a] < where[b];
      const std::string &x = records[a].key, &y = records[b].key;
      return CompareKeys(reinterpret_cast<const uint8_t*>(x.data()), x.size(),
                         reinterpret_cast<const uint8_t*>(y.data()), y.size()) < 0;
    });
    ASSERT_EQ(Sorted(records, where, partitions), expected) << "seed " << seed;
  }
}

TEST(SortIndex, MillionsOfEqualKeysStayInEmissionOrder) {
  constexpr size_t kCount = 2000000;
  std::vector<uint8_t> buffer;
  testing::Pack(
      {"an equal key that is longer than a radix sort of sixty-four bytes goes, by far", ""},
      &buffer);
  std::vector<IndexEntry> entries, scratch(kCount);
  // All entries refer to one record: only offsets tell them apart, so the key itself must never be
  // moved.
  for (size_t i = 0; i < kCount; ++i) {
    entries.push_back(
        {KeyPrefix(buffer.data() + kRecordHeader, 8), 0, static_cast<uint32_t>(i % 2)});
  }
  std::vector<size_t> bounds;
  ASSERT_OK(SortIndex(entries.data(), scratch.data(), kCount, buffer.data(), 2, {}, &bounds));
  EXPECT_EQ(bounds, (std::vector<size_t>{0, kCount / 2, kCount}));
}

TEST(SortIndex, StopsWhenCancelled) {
  constexpr size_t kCount = 200001;
  std::vector<uint8_t> buffer;
  testing::Pack({"k", ""}, &buffer);
  std::vector<IndexEntry> entries(kCount), scratch(kCount);
  for (size_t i = 0; i < kCount; ++i) entries[i] = {i * 0x9E3779B97F4A7C15ull, 0, 0};
  int32_t words[3] = {1, 0, 0};
  std::vector<size_t> bounds;
  EXPECT_EQ(SortIndex(entries.data(), scratch.data(), kCount, buffer.data(), 1, TaskControl(words),
                      &bounds)
                .code(),
            Code::kCancelled);
}

}  // namespace
}  // namespace daf
