#include "native/shuffle/map_writer.h"

#include <sys/resource.h>

#include <cstdlib>
#include <map>

#include "native/shuffle/test_support.h"

namespace daf {
namespace {

using testing::Group;
using testing::Record;
using testing::TempFolder;

MapWriterOptions Options(const std::string& path, uint32_t partitions, size_t buffer = 64u << 10) {
  MapWriterOptions options;
  options.path = path;
  options.partitions = partitions;
  options.buffer_bytes = buffer;
  options.fan_in = 3;
  return options;
}

std::vector<Record> ReadPartition(const std::string& path, uint32_t partition) {
  MergeReader reader;
  MergeReaderOptions options;
  options.sources = {{path, partition}};
  std::vector<Group> groups;
  EXPECT_TRUE(reader.Open(options, {}).ok());
  const Status status = testing::ReadGroups(&reader, &groups);
  EXPECT_TRUE(status.ok()) << status.message();
  return testing::Flatten(groups);
}

std::vector<Record> Awkward(uint64_t seed, uint32_t count) {
  Rng rng(seed);
  std::vector<Record> records;
  for (uint32_t i = 0; i < count; ++i) {
    records.push_back(
        {testing::AwkwardKey(&rng), std::to_string(i) + std::string(rng.Below(30), 'v')});
  }
  return records;
}

TEST(MapWriter, ManySpillsGiveTheBytesOfOneInMemorySort) {
  TempFolder folder;
  for (uint32_t partitions : {1u, 5u, 1000u}) {
    const std::vector<Record> records = Awkward(partitions, 20000);
    MapOutput small, large;
    ASSERT_OK(testing::WriteMap(Options(folder / "small", partitions), records, &small));
    ASSERT_OK(testing::WriteMap(Options(folder / "large", partitions, 32u << 20), records, &large));
    EXPECT_GT(small.spills, 9u);  // more than fan_in²: three levels of merging
    EXPECT_EQ(large.spills, 1u);
    ASSERT_EQ(testing::Bytes(folder / "small"), testing::Bytes(folder / "large"));
    EXPECT_EQ(small.records, records.size());
    std::vector<std::vector<Record>> expected(partitions);
    for (const Record& record : records) {
      expected[PartitionOf(reinterpret_cast<const uint8_t*>(record.key.data()), record.key.size(),
                           partitions)]
          .push_back(record);
    }
    for (uint32_t p = 0; p < partitions; ++p) {
      ASSERT_EQ(small.segments[p].records, expected[p].size());
      if (partitions <= 5 || p % 97 == 0) {
        ASSERT_EQ(ReadPartition(folder / "small", p), testing::StableSorted(expected[p]));
      }
    }
    EXPECT_EQ(folder.files(), 2u) << "spills were left behind";
  }
}

TEST(MapWriter, KeysOfAMegabyteAndValuesOfManyKeepTheirBytes) {
  TempFolder folder;
  std::vector<Record> records;
  const std::string megabyte(kMaxKeyBytes, 'k');
  records.push_back({megabyte, "of the longest key"});
  records.push_back({std::string(kMaxKeyBytes - 1, 'k') + "j", std::string(100000, 'x')});
  records.push_back({"", "of the empty key"});
  for (int i = 0; i < 3; ++i)
    records.push_back({"big", std::string(9000000 + i * 70001, static_cast<char>('a' + i))});
  records.push_back({"big", "small"});
  records.push_back({megabyte, ""});
  MapOutput first, second;
  ASSERT_OK(testing::WriteMap(Options(folder / "a", 1, 4u << 20), records, &first, 2));
  ASSERT_OK(testing::WriteMap(Options(folder / "b", 1, 64u << 20), records, &second, 100));
  EXPECT_GT(first.spills, 0u);
  EXPECT_TRUE(testing::Bytes(folder / "a") == testing::Bytes(folder / "b"));
  EXPECT_TRUE(ReadPartition(folder / "a", 0) == testing::StableSorted(records));
  EXPECT_EQ(folder.files(), 2u);
}

TEST(MapWriter, ValuesInPiecesAcrossCalls) {
  TempFolder folder;
  MapWriter writer;
  ASSERT_OK(writer.Init(Options(folder / "map", 1), {}));
  size_t consumed = 0, taken = 0;
  const auto append = [&](uint32_t key_word, uint32_t more, const std::string& key,
                          const std::string& value) {
    std::vector<uint8_t> packed;
    testing::Pack({key, value}, &packed);
    Store32(packed.data(), key_word | static_cast<uint32_t>(key.size()));
    Store32(packed.data() + 4, more | static_cast<uint32_t>(value.size()));
    return writer.Append(packed.data(), packed.size(), nullptr, 0, &consumed, &taken);
  };
  ASSERT_OK(append(0, kMore, "key", "one "));
  EXPECT_EQ(append(0, 0, "other", "").code(), Code::kBadData) << "a value was left open";
  ASSERT_OK(append(kPiece, kMore, "", std::string(70000, '-')));
  ASSERT_OK(append(kPiece, 0, "", " end"));
  EXPECT_EQ(append(kPiece, 0, "", "of nothing").code(), Code::kBadData);
  ASSERT_OK(append(0, 0, "a", "b"));
  MapOutput output;
  ASSERT_OK(writer.Finish(&output));
  EXPECT_EQ(ReadPartition(folder / "map", 0),
            (std::vector<Record>{{"a", "b"}, {"key", "one " + std::string(70000, '-') + " end"}}));
}

TEST(MapWriter, NothingInGivesEmptySegments) {
  TempFolder folder;
  MapOutput output;
  ASSERT_OK(testing::WriteMap(Options(folder / "map", 4), {}, &output));
  EXPECT_EQ(output.records, 0u);
  ASSERT_EQ(output.segments.size(), 4u);
  for (uint32_t p = 0; p < 4; ++p) EXPECT_TRUE(ReadPartition(folder / "map", p).empty());
}

TEST(MapWriter, CustomPartitionsAreObeyedAndChecked) {
  TempFolder folder;
  MapWriterOptions options = Options(folder / "map", 3);
  options.custom_partitions = true;
  MapWriter writer;
  ASSERT_OK(writer.Init(options, {}));
  std::vector<Record> records;
  std::vector<uint32_t> where;
  for (int i = 0; i < 10000; ++i) {
    records.push_back({"k" + std::to_string(i % 100), std::to_string(i)});
    where.push_back(static_cast<uint32_t>(i % 3));
  }
  const std::vector<uint8_t> packed = testing::PackAll(records);
  size_t consumed = 0, taken = 0;
  ASSERT_OK(
      writer.Append(packed.data(), packed.size(), where.data(), where.size(), &consumed, &taken));
  EXPECT_EQ(taken, records.size());
  const uint32_t beyond = 3;
  const std::vector<uint8_t> one = testing::PackAll({{"x", ""}});
  EXPECT_EQ(writer.Append(one.data(), one.size(), &beyond, 1, &consumed, &taken).code(),
            Code::kBadArgument);
  EXPECT_EQ(writer.Append(one.data(), one.size(), &beyond, 0, &consumed, &taken).code(),
            Code::kBadArgument);
  EXPECT_EQ(writer.Append(one.data(), one.size(), nullptr, 0, &consumed, &taken).code(),
            Code::kBadArgument);
  MapOutput output;
  ASSERT_OK(writer.Finish(&output));
  for (uint32_t p = 0; p < 3; ++p) {
    std::vector<Record> expected;
    for (size_t i = p; i < records.size(); i += 3) expected.push_back(records[i]);
    EXPECT_EQ(ReadPartition(folder / "map", p), testing::StableSorted(expected));
  }
}

// Runs the combine loop of map_writer.h with a combiner that adds decimal numbers.
Status CombineSums(MapWriter* writer, bool last, bool change_keys) {
  std::vector<uint8_t> buffer(GroupPacker::kLeastCapacity);
  for (;;) {
    bool pass = false;
    DAF_RETURN_IF_ERROR(writer->BeginCombine(last, &pass));
    if (!pass) return Status::Ok();
    for (;;) {
      size_t used = 0;
      DAF_RETURN_IF_ERROR(writer->NextGroups(buffer.data(), buffer.size(), &used));
      if (used == 0) break;
      std::vector<uint8_t> out;
      long sum = 0;
      for (size_t at = 0; at < used;) {
        Piece piece;
        DAF_RETURN_IF_ERROR(ParsePiece(buffer.data(), used, &at, &piece));
        sum += std::atol(std::string(piece.value, piece.value + piece.value_size).c_str());
        if (!piece.last) continue;
        const std::string key(piece.key, piece.key + piece.key_size);
        testing::Pack({change_keys ? "a" : key, std::to_string(sum)}, &out);
        sum = 0;
      }
      DAF_RETURN_IF_ERROR(writer->WriteCombined(out.data(), out.size()));
    }
    DAF_RETURN_IF_ERROR(writer->EndCombine());
    if (!last) return Status::Ok();
  }
}

TEST(MapWriter, CombinesEachSpillAndTheMerge) {
  for (uint32_t distinct : {10u, 3000u}) {
    TempFolder folder;
    MapWriterOptions options = Options(folder / "map", 4);
    options.combine = true;
    MapWriter writer;
    ASSERT_OK(writer.Init(options, {}));
    std::map<std::string, int> expected;
    std::vector<Record> records;
    for (uint32_t i = 0; i < 30000; ++i) {
      records.push_back({"word" + std::to_string(i * 7919u % distinct), "1"});
      ++expected[records.back().key];
    }
    const std::vector<uint8_t> packed = testing::PackAll(records);
    for (size_t at = 0; at < packed.size();) {
      size_t consumed = 0, taken = 0;
      ASSERT_OK(
          writer.Append(packed.data() + at, packed.size() - at, nullptr, 0, &consumed, &taken));
      at += consumed;
      if (at < packed.size()) ASSERT_OK(CombineSums(&writer, false, false));
    }
    ASSERT_OK(CombineSums(&writer, true, false));
    MapOutput output;
    ASSERT_OK(writer.Finish(&output));
    EXPECT_GT(output.spills, 3u);
    EXPECT_EQ(output.records, expected.size());
    for (uint32_t p = 0; p < 4; ++p) {
      for (const Record& record : ReadPartition(folder / "map", p)) {
        EXPECT_EQ(record.value, std::to_string(expected[record.key]));
      }
    }
  }
}

// A combiner of keys that agree in their prefix would move later values under the first key, before
// those of other maps that belong in between.
TEST(MapWriter, CombinesWholeKeysHoweverReducesGroup) {
  TempFolder folder;
  MapWriterOptions options = Options(folder / "map", 1);
  options.combine = true;
  options.group_prefix = 1;
  MapWriter writer;
  ASSERT_OK(writer.Init(options, {}));
  const std::vector<uint8_t> packed =
      testing::PackAll({{"a1", "1"}, {"a2", "1"}, {"a3", "1"}, {"a2", "1"}});
  size_t consumed = 0, taken = 0;
  ASSERT_OK(writer.Append(packed.data(), packed.size(), nullptr, 0, &consumed, &taken));
  ASSERT_OK(CombineSums(&writer, true, false));
  MapOutput output;
  ASSERT_OK(writer.Finish(&output));
  EXPECT_EQ(ReadPartition(folder / "map", 0),
            (std::vector<Record>{{"a1", "1"}, {"a2", "2"}, {"a3", "1"}}));
}

TEST(MapWriter, RefusesACombinerThatChangesKeys) {
  TempFolder folder;
  MapWriterOptions options = Options(folder / "map", 1);
  options.combine = true;
  MapWriter writer;
  ASSERT_OK(writer.Init(options, {}));
  const std::vector<uint8_t> packed = testing::PackAll({{"b", "1"}, {"c", "1"}});
  size_t consumed = 0, taken = 0;
  ASSERT_OK(writer.Append(packed.data(), packed.size(), nullptr, 0, &consumed, &taken));
  ASSERT_OK(CombineSums(&writer, true, true));  // "a", "a" is at least in order
  MapWriter other;
  options.path = folder / "other";
  ASSERT_OK(other.Init(options, {}));
  ASSERT_OK(other.Append(packed.data(), packed.size(), nullptr, 0, &consumed, &taken));
  bool pass = false;
  ASSERT_OK(other.BeginCombine(true, &pass));
  const std::vector<uint8_t> wrong = testing::PackAll({{"c", "1"}, {"b", "1"}});
  EXPECT_EQ(other.WriteCombined(wrong.data(), wrong.size()).code(), Code::kBadArgument);
}

TEST(MapWriter, GivesItsSortBufferBackBeforeItMergesRuns) {
  TempFolder folder;
  MapWriterOptions options = Options(folder / "map", 1, 1u << 20);
  options.combine = true;
  MapWriter writer;
  ASSERT_OK(writer.Init(options, {}));
  const std::vector<uint8_t> packed = testing::PackAll({{"a", "1"}, {"b", "1"}});
  size_t consumed = 0, taken = 0;
  for (int run = 0; run < 2; ++run) {
    ASSERT_OK(writer.Append(packed.data(), packed.size(), nullptr, 0, &consumed, &taken));
    ASSERT_OK(CombineSums(&writer, false, false));
  }
  const size_t filled = Budget::Process().used();
  bool pass = false;
  ASSERT_OK(writer.BeginCombine(true, &pass));
  ASSERT_TRUE(pass);
  EXPECT_LT(Budget::Process().used() + (512u << 10), filled);
  writer.Discard();
  EXPECT_EQ(writer.Append(packed.data(), packed.size(), nullptr, 0, &consumed, &taken).code(),
            Code::kBadArgument);
}

TEST(MapWriter, LeavesNoFileBehindWhenItIsGivenUp) {
  TempFolder folder;
  {
    MapWriter writer;
    ASSERT_OK(writer.Init(Options(folder / "map", 2), {}));
    const std::vector<uint8_t> packed = testing::PackAll(Awkward(3, 9000));
    size_t consumed = 0, taken = 0;
    ASSERT_OK(writer.Append(packed.data(), packed.size(), nullptr, 0, &consumed, &taken));
    EXPECT_GT(folder.files(), 2u);
  }
  EXPECT_EQ(folder.files(), 0u);
}

TEST(MapWriter, BadArgumentsAndFullDisks) {
  MapWriter writer;
  EXPECT_EQ(writer.Init(Options("", 1), {}).code(), Code::kBadArgument);
  EXPECT_EQ(writer.Init(Options("x", 0), {}).code(), Code::kBadArgument);
  EXPECT_EQ(writer.Init(Options("x", 1, 1000), {}).code(), Code::kBadArgument);
  MapOutput output;
  const Status missing =
      testing::WriteMap(Options("/nonexistent/folder/map", 1), {{"a", "b"}}, &output);
  EXPECT_EQ(missing.code(), Code::kIo);
  EXPECT_NE(missing.message().find("/nonexistent/folder/map"), std::string::npos);
  // /dev/full answers every write with ENOSPC; behind a link, because a failed writer removes its
  // file.
  TempFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "full");
  const Status full =
      testing::WriteMap(Options(folder / "full", 1, 4u << 20), {{"a", "b"}}, &output);
  EXPECT_EQ(full.code(), Code::kIo);
  EXPECT_FALSE(full.hint().empty());
}

TEST(MapWriter, GensortRecordsComeOutSorted) {
  const char* shared = std::getenv("DAF_SHARED_DATA");
  const std::string file =
      std::string(shared ? shared : "../shared/data") + "/records/gensort_bin20k.dat";
  const std::string bytes = testing::Bytes(file);
  if (bytes.empty()) GTEST_SKIP() << file << " is missing";
  std::vector<Record> records;
  for (size_t at = 0; at < bytes.size(); at += 100)
    records.push_back({bytes.substr(at, 10), bytes.substr(at + 10, 90)});
  TempFolder folder;
  MapOutput output;
  ASSERT_OK(testing::WriteMap(Options(folder / "map", 1, 256u << 10), records, &output));
  EXPECT_GT(output.spills, 9u);
  EXPECT_EQ(ReadPartition(folder / "map", 0), testing::StableSorted(records));
}

}  // namespace
}  // namespace daf
