// Plugins behind the whole shuffle: map, fold, combine, partition, spill, merge, reduce.
#include <map>

#include "native/host/testing_plugins.h"

namespace daf {
namespace {

using testing::Block;
using testing::Both;
using testing::MapLines;
using testing::Open;
using testing::Options;
using testing::Record;
using testing::TempFolder;
using testing::Where;

INSTANTIATE_TEST_SUITE_P(Plugin, Both, ::testing::Values(Where::kChild, Where::kTrusted),
                         testing::WhereName);

TEST_P(Both, WordCountThroughTheWholeShuffle) {
  TempFolder folder;
  std::unique_ptr<PluginRunner> runner = Open(Options("wordcount", GetParam()));
  ASSERT_NE(runner, nullptr);
  EXPECT_EQ(runner->backend().plugin().name, "wordcount");
  std::map<std::string, int> expected;
  Rng rng(5);
  MergeReaderOptions merge;
  for (int m = 0; m < 3; ++m) {
    MapWriterOptions options;
    options.path = folder / ("map" + std::to_string(m));
    options.partitions = 2;
    options.buffer_bytes = 256u << 10;  // combines many times inside a map
    options.combine = true;
    MapWriter writer;
    ASSERT_OK(writer.Init(options, {}));
    for (int block = 0; block < 3; ++block) {
      std::string text;
      for (int i = 0; i < 60000; ++i) {
        const std::string word(1 + rng.Below(3), static_cast<char>('a' + rng.Below(26)));
        text += word;
        text += i % 11 == 10 ? ".\n" : i % 3 == 0 ? " \xc3\xa9 " : "-";
        ++expected[word];
      }
      uint64_t records = 0;
      ASSERT_OK(runner->Map(Block(runner.get(), text), &writer, {}, &records));
      EXPECT_EQ(records, static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n')) +
                             (text.back() != '\n'));
    }
    ASSERT_OK(runner->Combine(&writer, true, 0, {}));
    MapOutput output;
    ASSERT_OK(writer.Finish(&output));
    EXPECT_GT(output.spills, 3u);
    EXPECT_LE(output.records, expected.size());
    merge.sources.push_back({options.path, 0});
  }
  std::map<std::string, int> found;
  for (int partition = 0; partition < 2; ++partition) {
    for (MergeSource& source : merge.sources) source.partition = partition;
    MergeReader reader;
    ASSERT_OK(reader.Open(merge, {}));
    std::string last;
    ASSERT_OK(runner->Reduce(&reader, 0,
                             [&](const uint8_t* packed, size_t size, size_t) {
                               for (size_t at = 0; at < size;) {
                                 Piece piece;
                                 DAF_RETURN_IF_ERROR(ParsePiece(packed, size, &at, &piece));
                                 const std::string key(piece.key, piece.key + piece.key_size);
                                 EXPECT_LT(last, key);
                                 last = key;
                                 found[key] = std::stoi(
                                     std::string(piece.value, piece.value + piece.value_size));
                               }
                               return Status::Ok();
                             },
                             {}));
  }
  EXPECT_EQ(found, expected);
}

// Maps blocks of one task with a fold table of `bytes`, and returns the emitted counts by word, in
// the order in which they came.
Status MapFolded(PluginRunner* runner, const std::vector<std::string>& blocks, uint64_t bytes,
                 std::vector<Record>* out) {
  const PluginRunner::Sink sink = [&](const uint8_t* packed, size_t size, size_t) {
    for (size_t at = 0; at < size;) {
      Piece piece;
      DAF_RETURN_IF_ERROR(ParsePiece(packed, size, &at, &piece));
      out->push_back({std::string(piece.key, piece.key + piece.key_size),
                      std::string(piece.value, piece.value + piece.value_size)});
    }
    return Status::Ok();
  };
  uint64_t records = 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    PluginCall call = Block(runner, blocks[i]);
    call.partitions = 2;
    call.fold_bytes = bytes;
    call.begin = i == 0;
    DAF_RETURN_IF_ERROR(runner->Map(call, sink, {}, &records));
  }
  PluginCall end;
  end.work = PluginWork::kMapEnd;
  end.partitions = 2;
  end.fold_bytes = bytes;
  return runner->Map(end, sink, {}, &records);
}

TEST_P(Both, AFoldedMapHandsOnItsSurvivorsOnly) {
  std::map<std::string, int> expected;
  std::vector<std::string> blocks(3);
  Rng rng(9);
  size_t emitted = 0;
  for (std::string& block : blocks) {
    for (int i = 0; i < 40000; ++i) {
      // Words of every way into the table: short ones, some above what waits, some above its keys.
      const uint32_t length = i % 5000 == 0 ? 2000 : i % 100 == 0 ? 60 : 1 + rng.Below(3);
      const std::string word(length, static_cast<char>('a' + rng.Below(26)));
      const std::string unique = i % 7 == 0 ? word + std::string(1 + rng.Below(12), 'x') : word;
      block += unique + ' ';
      ++expected[unique];
      ++emitted;
    }
  }
  for (const uint64_t bytes : {uint64_t{64} << 10, uint64_t{8} << 20}) {
    std::unique_ptr<PluginRunner> runner = Open(Options("wordcount", GetParam()));
    ASSERT_NE(runner, nullptr);
    std::vector<Record> first, abandoned, again;
    ASSERT_OK(MapFolded(runner.get(), blocks, bytes, &first));
    std::map<std::string, int> found;
    for (const Record& record : first) found[record.key] += std::stoi(record.value);
    EXPECT_EQ(found, expected);
    EXPECT_LT(first.size(), emitted / 3);
    if (bytes > 1u << 20) {
      EXPECT_LE(first.size(), expected.size() + 100);  // keys above 1 KB pass by
    }
    // A task that ended half-way leaves nothing to the next one, whose records come as before.
    PluginCall half = Block(runner.get(), "left over by a task that failed");
    half.fold_bytes = bytes;
    half.begin = true;
    uint64_t records = 0;
    ASSERT_OK(runner->Map(
        half, [](const uint8_t*, size_t, size_t) { return Status::Ok(); }, {}, &records));
    ASSERT_OK(MapFolded(runner.get(), blocks, bytes, &again));
    EXPECT_EQ(again, first);
  }
}

TEST_P(Both, LargeValuesInPartsPartitionsAndCombineKeys) {
  TempFolder folder;
  std::unique_ptr<PluginRunner> runner = Open(Options("misbehave", GetParam()));
  ASSERT_NE(runner, nullptr);
  ASSERT_NE(runner->backend().plugin().partition, nullptr);
  MapWriterOptions options;
  options.path = folder / "map";
  options.partitions = 3;
  options.buffer_bytes = 1u << 20;
  options.custom_partitions = true;
  MapWriter writer;
  ASSERT_OK(writer.Init(options, {}));
  std::string text = "big\np0\np1\np2\n";
  for (int i = 0; i < 20000; ++i)
    text += "p" + std::to_string(i % 3) + " " + std::to_string(i) + "\n";
  uint64_t records = 0;
  ASSERT_OK(runner->Map(
      [&] {
        PluginCall c = Block(runner.get(), text);
        c.partitions = 3;
        return c;
      }(),
      &writer, {}, &records));
  MapOutput output;
  ASSERT_OK(writer.Finish(&output));
  EXPECT_EQ(output.segments[0].records, 1u + 6667u);
  EXPECT_EQ(output.segments[2].records, 1u + 6666u + 1u);
  MergeReaderOptions merge;
  merge.sources = {{options.path, 2}};
  MergeReader reader;
  ASSERT_OK(reader.Open(merge, {}));
  // 15 MB under one key: this plugin does not read values in parts.
  const Status large =
      runner->Reduce(&reader, 2, [](const uint8_t*, size_t, size_t) { return Status::Ok(); }, {});
  EXPECT_EQ(large.code(), Code::kPlugin);
  EXPECT_NE(large.message().find("8 MB"), std::string::npos);

  std::unique_ptr<PluginRunner> second = Open(Options("misbehave", GetParam()));
  MergeReader again;
  merge.sources[0].partition = 1;
  ASSERT_OK(again.Open(merge, {}));
  std::vector<uint8_t> reduced;
  ASSERT_OK(second->Reduce(&again, 1,
                           [&](const uint8_t* p, size_t n, size_t) {
                             reduced.insert(reduced.end(), p, p + n);
                             return Status::Ok();
                           },
                           {}));
  EXPECT_EQ(reduced, testing::PackAll({{"p1", "8"}})) << "values that were not read are skipped";

  MapWriterOptions combining = options;
  combining.path = folder / "combined";
  combining.custom_partitions = false;
  combining.combine = true;
  MapWriter third;
  ASSERT_OK(third.Init(combining, {}));
  const std::vector<uint8_t> packed =
      testing::PackAll({{"alone", "a"}, {"changed", "v"}, {"changed", "w"}});
  size_t consumed = 0, taken = 0;
  ASSERT_OK(third.Append(packed.data(), packed.size(), nullptr, 0, &consumed, &taken));
  const Status changed = second->Combine(&third, true, 0, {});
  EXPECT_EQ(changed.code(), Code::kPlugin);
  EXPECT_NE(changed.message().find("another key"), std::string::npos) << changed.message();
}

}  // namespace
}  // namespace daf
