#include <sys/resource.h>

#include "native/shuffle/test_support.h"

namespace daf {
namespace {

using testing::Group;
using testing::Record;
using testing::TempFolder;

MapWriterOptions Options(const std::string& path) {
  MapWriterOptions options;
  options.path = path;
  options.buffer_bytes = 128u << 10;
  return options;
}

struct Maps {
  TempFolder folder;
  MergeReaderOptions options;
  std::vector<Record> all;  // in map order
};

// `count` map outputs whose values say where they come from.
void Make(Maps* maps, int count, uint32_t records) {
  for (int m = 0; m < count; ++m) {
    Rng rng(static_cast<uint64_t>(m) + 1);
    std::vector<Record> some;
    for (uint32_t i = 0; i < records; ++i) {
      some.push_back({testing::AwkwardKey(&rng), std::to_string(m) + ":" + std::to_string(i)});
    }
    MapOutput output;
    const std::string path = maps->folder / ("map" + std::to_string(m));
    ASSERT_OK(testing::WriteMap(Options(path), some, &output));
    maps->options.sources.push_back({path, 0});
    maps->all.insert(maps->all.end(), some.begin(), some.end());
  }
  maps->options.temp = maps->folder / "temp";
}

TEST(MergeReader, OrdersByKeyThenMapThenEmission) {
  for (uint32_t fan_in : {2u, 3u, 64u}) {
    Maps maps;
    Make(&maps, 23, 400);
    maps.options.fan_in = fan_in;
    MergeReader reader;
    ASSERT_OK(reader.Open(maps.options, {}));
    std::vector<Group> groups;
    ASSERT_OK(testing::ReadGroups(&reader, &groups));
    ASSERT_EQ(testing::Flatten(groups), testing::StableSorted(maps.all));
    for (const Group& group : groups) {
      for (const Record& record : group.records) ASSERT_EQ(record.key, group.records[0].key);
    }
    EXPECT_EQ(reader.groups(), groups.size());
    EXPECT_EQ(reader.records(), maps.all.size());
    reader.Close();
    EXPECT_EQ(maps.folder.files(), 23u) << "intermediate files were left behind";
  }
}

TEST(MergeReader, GroupsByPrefixInTheOrderOfWholeKeys) {
  TempFolder folder;
  MapOutput output;
  MapWriterOptions write = Options(folder / "map");
  write.group_prefix = 2;
  ASSERT_OK(
      testing::WriteMap(write, {{"aa2", "x"}, {"ab1", "y"}, {"aa1", "z"}, {"aa2", "w"}}, &output));
  MergeReaderOptions options;
  options.sources = {{folder / "map", 0}};
  options.group_prefix = 2;
  MergeReader reader;
  ASSERT_OK(reader.Open(options, {}));
  std::vector<Group> groups;
  ASSERT_OK(testing::ReadGroups(&reader, &groups));
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].records, (std::vector<Record>{{"aa1", "z"}, {"aa2", "x"}, {"aa2", "w"}}));
  EXPECT_EQ(groups[1].records, (std::vector<Record>{{"ab1", "y"}}));
}

TEST(MergeReader, SmallBatchesSplitValuesAndStillNest) {
  TempFolder folder;
  std::vector<Record> records;
  for (int i = 0; i < 40; ++i)
    records.push_back(
        {"k" + std::to_string(i % 4), std::string(static_cast<size_t>(i) * 997, 'v')});
  MapOutput output;
  ASSERT_OK(testing::WriteMap(Options(folder / "map"), records, &output));
  for (size_t capacity : {100u, 1000u, 70000u}) {
    MergeReaderOptions options;
    options.sources = {{folder / "map", 0}};
    MergeReader reader;
    ASSERT_OK(reader.Open(options, {}));
    std::vector<Group> groups;
    ASSERT_OK(testing::ReadGroups(&reader, &groups, capacity));
    ASSERT_EQ(testing::Flatten(groups), testing::StableSorted(records)) << capacity;
  }
}

TEST(MergeReader, NoSourcesAndEmptySources) {
  MergeReader none;
  ASSERT_OK(none.Open({}, {}));
  uint8_t buffer[64];
  size_t used = 1;
  ASSERT_OK(none.Next(buffer, sizeof(buffer), &used));
  EXPECT_EQ(used, 0u);
  Maps maps;
  Make(&maps, 3, 0);
  MergeReader empty;
  ASSERT_OK(empty.Open(maps.options, {}));
  ASSERT_OK(empty.Next(buffer, sizeof(buffer), &used));
  EXPECT_EQ(used, 0u);
}

Status ReadAll(const MergeReaderOptions& options, int* failed) {
  MergeReader reader;
  Status status = reader.Open(options, {});
  std::vector<Group> groups;
  if (status.ok()) status = testing::ReadGroups(&reader, &groups);
  *failed = reader.failed_source();
  return status;
}

TEST(MergeReader, EveryDamagedByteOfASegmentIsFoundAndNamed) {
  Maps maps;
  Make(&maps, 3, 300);
  const std::string path = maps.options.sources[1].path;
  const std::string good = testing::Bytes(path);
  File file;
  std::vector<SegmentInfo> index;
  ASSERT_OK(file.OpenRead(path));
  ASSERT_OK(ReadSegmentIndex(file, &index));
  for (uint32_t fan_in : {2u, 8u}) {
    maps.options.fan_in = fan_in;
    for (size_t at = index[0].offset; at < index[0].offset + index[0].bytes; at += 61) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x10);
      testing::WriteBytes(path, bad);
      int failed = -1;
      const Status status = ReadAll(maps.options, &failed);
      ASSERT_EQ(status.code(), Code::kBadData) << at;
      ASSERT_NE(status.message().find(path), std::string::npos);
      ASSERT_NE(status.message().find("block"), std::string::npos);
      ASSERT_EQ(failed, 1);
    }
  }
}

TEST(MergeReader, EveryTruncationIsFound) {
  Maps maps;
  Make(&maps, 2, 500);
  const std::string path = maps.options.sources[1].path;
  const std::string good = testing::Bytes(path);
  File file;
  std::vector<SegmentInfo> index;
  ASSERT_OK(file.OpenRead(path));
  ASSERT_OK(ReadSegmentIndex(file, &index));
  // The bare segment, as fetched from another host, so that its own blocks must tell.
  maps.options.sources[1] = {path, -1, index[0].offset, index[0].bytes};
  for (size_t size = 0; size < index[0].offset + index[0].bytes; size += 97) {
    testing::WriteBytes(path, good.substr(0, size));
    int failed = -1;
    ASSERT_EQ(ReadAll(maps.options, &failed).code(), Code::kBadData) << size;
    ASSERT_EQ(failed, 1);
  }
  for (size_t size = 0; size < good.size(); size += 97) {
    testing::WriteBytes(path, good.substr(0, size));
    ASSERT_OK(file.OpenRead(path));
    ASSERT_EQ(ReadSegmentIndex(file, &index).code(), Code::kBadData) << size;
  }
}

TEST(MergeReader, VerifyFindsWhatChanged) {
  Maps maps;
  Make(&maps, 1, 2000);
  const std::string path = maps.options.sources[0].path;
  File file;
  std::vector<SegmentInfo> index;
  ASSERT_OK(file.OpenRead(path));
  ASSERT_OK(ReadSegmentIndex(file, &index));
  ASSERT_OK(VerifySegment(file, index[0]));
  std::string bad = testing::Bytes(path);
  bad[index[0].offset + index[0].bytes / 2] ^= 1;
  testing::WriteBytes(path, bad);
  ASSERT_OK(file.OpenRead(path));
  EXPECT_EQ(VerifySegment(file, index[0]).code(), Code::kBadData);
}

TEST(MergeReader, MissingFilesAndTooFewDescriptorsAreClear) {
  Maps maps;
  Make(&maps, 5, 10);
  maps.options.sources[3].path = maps.folder / "gone";
  int failed = -1;
  EXPECT_EQ(ReadAll(maps.options, &failed).code(), Code::kIo);
  EXPECT_EQ(failed, 3);
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  maps.options.sources.erase(maps.options.sources.begin() + 3);
  const int next = ::dup(0);
  ::close(next);
  const rlimit few = {static_cast<rlim_t>(next) + 2, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const Status status = ReadAll(maps.options, &failed);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_FALSE(status.hint().empty());
}

TEST(MergeReader, StopsWhenCancelled) {
  Maps maps;
  Make(&maps, 4, 5000);
  int32_t words[3] = {0, 0, 0};
  MergeReader reader;
  ASSERT_OK(reader.Open(maps.options, TaskControl(words)));
  words[0] = 1;
  std::vector<Group> groups;
  EXPECT_EQ(testing::ReadGroups(&reader, &groups).code(), Code::kCancelled);
}

TEST(MergeReader, MillionsOfValuesOfOneKeyAreStreamedInOrder) {
  constexpr uint32_t kCount = 2000000;
  TempFolder folder;
  MapWriter writer;
  MapWriterOptions write = Options(folder / "map");
  write.buffer_bytes = 4u << 20;
  ASSERT_OK(writer.Init(write, {}));
  std::vector<uint8_t> batch;
  for (uint32_t i = 0; i < kCount; ++i) {
    testing::Pack({"hot", std::to_string(i)}, &batch);
    if (batch.size() < (1u << 18) && i + 1 != kCount) continue;
    size_t consumed = 0, taken = 0;
    ASSERT_OK(writer.Append(batch.data(), batch.size(), nullptr, 0, &consumed, &taken));
    batch.clear();
  }
  MapOutput output;
  ASSERT_OK(writer.Finish(&output));
  EXPECT_GT(output.spills, 10u);
  MergeReaderOptions options;
  options.sources = {{folder / "map", 0}};
  const size_t before = Budget::Process().used();
  Budget::Process().ResetPeak();
  MergeReader reader;
  ASSERT_OK(reader.Open(options, {}));
  std::vector<uint8_t> buffer(1u << 20);
  uint32_t next = 0;
  for (size_t used = 1; used != 0;) {
    ASSERT_OK(reader.Next(buffer.data(), buffer.size(), &used));
    for (size_t at = 0; at < used; ++next) {
      Piece piece;
      ASSERT_OK(ParsePiece(buffer.data(), used, &at, &piece));
      ASSERT_EQ(std::string(piece.value, piece.value + piece.value_size), std::to_string(next));
      ASSERT_EQ(piece.first, next == 0);
      ASSERT_EQ(piece.last, next + 1 == kCount);
    }
  }
  EXPECT_EQ(next, kCount);
  EXPECT_EQ(reader.groups(), 1u);
  EXPECT_LT(Budget::Process().peak() - before, 1u << 20);
}

TEST(MergeReader, MemoryStaysBoundedByTheFanIn) {
  Maps maps;
  Make(&maps, 60, 300);
  maps.options.fan_in = 8;
  Budget::Process().ResetPeak();
  const size_t before = Budget::Process().used();
  int failed = -1;
  ASSERT_OK(ReadAll(maps.options, &failed));
  EXPECT_LE(Budget::Process().peak() - before, size_t{8} * (160u << 10) + (1u << 20));
}

}  // namespace
}  // namespace daf
