#include "native/shuffle/cut_points.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace daf {
namespace {

struct Sample {
  std::string key;
  Place place;
};

std::vector<uint8_t> Pack(const std::vector<Sample>& samples) {
  std::vector<uint8_t> packed;
  for (const Sample& sample : samples) {
    uint8_t head[kRecordHeader], place[kPlaceBytes];
    Store32(head, static_cast<uint32_t>(sample.key.size()));
    Store32(head + 4, kPlaceBytes);
    Store32(place, sample.place.split);
    std::memcpy(place + 4, &sample.place.at, 8);
    packed.insert(packed.end(), head, head + kRecordHeader);
    packed.insert(packed.end(), sample.key.begin(), sample.key.end());
    packed.insert(packed.end(), place, place + kPlaceBytes);
  }
  return packed;
}

uint32_t Find(const CutPoints& cuts, const std::string& key, Place place) {
  return cuts.PartitionOf(reinterpret_cast<const uint8_t*>(key.data()), key.size(), place);
}

TEST(CutPoints, PartitionsByKeyThenBySplitThenByPosition) {
  const std::vector<uint8_t> packed = Pack({{"b", {2, 100}}, {"b", {2, 200}}, {"ba", {0, 0}}});
  CutPoints cuts;
  ASSERT_TRUE(cuts.Init(packed.data(), packed.size()).ok());
  ASSERT_EQ(cuts.size(), 3u);
  EXPECT_EQ(Find(cuts, "a", {9, 9}), 0u);
  EXPECT_EQ(Find(cuts, "b", {1, 999}), 0u);
  EXPECT_EQ(Find(cuts, "b", {2, 99}), 0u);
  EXPECT_EQ(Find(cuts, "b", {2, 100}), 1u) << "a cut point is the first record behind it";
  EXPECT_EQ(Find(cuts, "b", {2, 199}), 1u);
  EXPECT_EQ(Find(cuts, "b", {3, 0}), 2u);
  EXPECT_EQ(Find(cuts, std::string("b\0", 2), {0, 0}), 2u) << "longer than its equal prefix";
  EXPECT_EQ(Find(cuts, "ba", {0, 0}), 3u);
  EXPECT_EQ(Find(cuts, "", {0, 0}), 0u);
}

TEST(CutPoints, KeysWithEqualFirstBytesAreComparedToTheirEnd) {
  const std::vector<uint8_t> packed = Pack({{"prefix-prefix-m", {0, 0}}});
  CutPoints cuts;
  ASSERT_TRUE(cuts.Init(packed.data(), packed.size()).ok());
  EXPECT_EQ(Find(cuts, "prefix-prefix-l", {5, 5}), 0u);
  EXPECT_EQ(Find(cuts, "prefix-prefix-n", {0, 0}), 1u);
}

TEST(CutPoints, PartitionsBatchesAndCountsTheirPositions) {
  const std::vector<uint8_t> packed = Pack({{"m", {0, 5}}});
  CutPoints cuts;
  ASSERT_TRUE(cuts.Init(packed.data(), packed.size()).ok());
  const std::vector<uint8_t> batch = Pack({{"m", {}}, {"a", {}}, {"m", {}}});
  const double at[] = {4, 5, 6};
  uint32_t out[3] = {};
  ASSERT_TRUE(cuts.Partition(batch.data(), batch.size(), 0, at, 3, out).ok());
  EXPECT_EQ(std::vector<uint32_t>(out, out + 3), (std::vector<uint32_t>{0, 0, 1}));
  EXPECT_EQ(cuts.Partition(batch.data(), batch.size(), 0, at, 2, out).code(), Code::kBadArgument);
}

TEST(CutPoints, RefusesWhatAreNone) {
  CutPoints cuts;
  EXPECT_TRUE(cuts.Init(nullptr, 0).ok());
  EXPECT_EQ(cuts.size(), 0u);
  const std::vector<uint8_t> unordered = Pack({{"b", {0, 0}}, {"b", {0, 0}}});
  EXPECT_EQ(cuts.Init(unordered.data(), unordered.size()).code(), Code::kBadData);
  const std::vector<uint8_t> cut_off(unordered.begin(), unordered.begin() + 12);
  EXPECT_EQ(cuts.Init(cut_off.data(), cut_off.size()).code(), Code::kBadData);
}

}  // namespace
}  // namespace daf
