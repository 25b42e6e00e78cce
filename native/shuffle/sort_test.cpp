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
                       static_cast<uint32_t>(buffer.size()), static_cast<uint16_t>(partitions[i]),
                       IndexKeySize(static_cast<uint32_t>(key.size()))});
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

TEST(SortIndex, EqualKeysStayInEmissionOrder) {
  for (const std::string key :
       {"", "short", "12345678",
        "an equal key that is longer than a radix sort of sixty-four bytes goes, by far"}) {
    const size_t count = key.size() > 8 ? 200000 : 2000000;
    std::vector<uint8_t> buffer;
    std::vector<IndexEntry> entries, scratch(count);
    for (size_t i = 0; i < count; ++i) {
      const size_t at = buffer.size();
      testing::Pack({key, ""}, &buffer);
      entries.push_back({KeyPrefix(buffer.data() + at + kRecordHeader, key.size()),
                         static_cast<uint32_t>(at), static_cast<uint16_t>(i % 2),
                         IndexKeySize(static_cast<uint32_t>(key.size()))});
    }
    std::vector<size_t> bounds;
    ASSERT_OK(SortIndex(entries.data(), scratch.data(), count, buffer.data(), 2, {}, &bounds));
    ASSERT_EQ(bounds, (std::vector<size_t>{0, count / 2, count}));
    for (size_t i = 1; i < count; ++i) {
      ASSERT_TRUE(i == count / 2 || entries[i - 1].offset < entries[i].offset)
          << key << " at " << i;
    }
  }
}

TEST(SortIndex, StopsWhenCancelled) {
  constexpr size_t kCount = 200001;
  std::vector<uint8_t> buffer;
  testing::Pack({"k", ""}, &buffer);
  std::vector<IndexEntry> entries(kCount), scratch(kCount);
  for (size_t i = 0; i < kCount; ++i) entries[i] = {i * 0x9E3779B97F4A7C15ull, 0, 0, 1};
  int32_t words[3] = {1, 0, 0};
  std::vector<size_t> bounds;
  EXPECT_EQ(SortIndex(entries.data(), scratch.data(), kCount, buffer.data(), 1, TaskControl(words),
                      &bounds)
                .code(),
            Code::kCancelled);
}

}  // namespace
}  // namespace daf
