#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "native/host/runner.h"
#include "native/shuffle/test_support.h"

namespace daf {
namespace {

using testing::Group;
using testing::Record;
using testing::TempFolder;

const std::string kBinaries = DAF_BINARIES;

enum class Where { kChild, kTrusted };

PluginOptions Options(const std::string& plugin, Where where) {
  PluginOptions options;
  options.plugin = kBinaries + "/plugins/" + plugin + ".so";
  if (where == Where::kChild) options.host = kBinaries + "/daf-host";
  options.input_bytes = 2u << 20;
  return options;
}

std::unique_ptr<PluginRunner> Open(const PluginOptions& options) {
  std::unique_ptr<PluginBackend> backend;
  const Status status = OpenPlugin(options, &backend);
  EXPECT_TRUE(status.ok()) << status.message();
  return status.ok() ? std::make_unique<PluginRunner>(std::move(backend)) : nullptr;
}

PluginCall Block(PluginRunner* runner, const std::string& text) {
  std::copy(text.begin(), text.end(), runner->backend().memory().input);
  PluginCall call;
  call.input_bytes = text.size();
  call.document = "doc";
  call.offset = 1000;
  return call;
}

// Maps lines without a shuffle and returns what came out.
Status MapLines(PluginRunner* runner, const std::string& text, std::vector<Record>* out,
                const TaskControl& control = {}) {
  uint64_t records = 0;
  const PluginRunner::Sink sink = [&](const uint8_t* packed, size_t size, size_t) {
    for (size_t at = 0; at < size;) {
      Piece piece;
      DAF_RETURN_IF_ERROR(ParsePiece(packed, size, &at, &piece));
      const std::string value(piece.value, piece.value + piece.value_size);
      if (piece.continues) {
        out->back().value += value;
      } else {
        out->push_back({std::string(piece.key, piece.key + piece.key_size), value});
      }
    }
    return Status::Ok();
  };
  return runner->Map(Block(runner, text), sink, control, &records);
}

class Both : public ::testing::TestWithParam<Where> {};
INSTANTIATE_TEST_SUITE_P(Plugin, Both, ::testing::Values(Where::kChild, Where::kTrusted),
                         [](const auto& param) {
                           return param.param == Where::kChild ? "Child" : "Trusted";
                         });

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
    ASSERT_OK(runner->Combine(&writer, true, 0, 0, {}));
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

TEST_P(Both, RecordsParamsCountersLogsAndOffsets) {
  PluginOptions options = Options("misbehave", GetParam());
  options.params = {{"prefix", "p:"}, {"other", "x"}};
  std::unique_ptr<PluginRunner> runner = Open(options);
  ASSERT_NE(runner, nullptr);
  std::vector<std::string> logged;
  runner->set_log(
      [&](int level, const std::string& text) { logged.push_back(std::to_string(level) + text); });
  std::vector<Record> out;
  ASSERT_OK(MapLines(runner.get(), "one two\r\nlog\n\nlast", &out));
  EXPECT_EQ(out, (std::vector<Record>{{"p:one", "doc:1000"},
                                      {"p:log", "doc:1009"},
                                      {"p:", "doc:1013"},
                                      {"p:last", "doc:1014"}}));
  EXPECT_EQ(logged, std::vector<std::string>{"2logged on demand"});
  EXPECT_EQ(runner->backend().TakeCounters(), (std::map<std::string, int64_t>{{"lines", 4}}));
  EXPECT_TRUE(runner->backend().TakeCounters().empty());
}

TEST_P(Both, FailuresSayWhatAndWho) {
  for (const auto& [word, said] : std::map<std::string, std::string>{{"throw", "thrown on demand"},
                                                                     {"fail", "failed on demand"},
                                                                     {"false", "did not say why"},
                                                                     {"longkey", "above 1 MB"}}) {
    std::unique_ptr<PluginRunner> runner = Open(Options("misbehave", GetParam()));
    ASSERT_NE(runner, nullptr);
    std::vector<Record> out;
    const Status status = MapLines(runner.get(), "good\n" + word + "\n", &out);
    EXPECT_EQ(status.code(), Code::kPlugin);
    EXPECT_NE(status.message().find("misbehave"), std::string::npos);
    EXPECT_NE(status.message().find(said), std::string::npos) << status.message();
    EXPECT_TRUE(runner->backend().TakeCounters().empty()) << "counters of a failed call";
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
  const Status changed = second->Combine(&third, true, 0, 0, {});
  EXPECT_EQ(changed.code(), Code::kPlugin);
  EXPECT_NE(changed.message().find("another key"), std::string::npos) << changed.message();
}

// AddressSanitizer handles the signal itself and ends the process.
#ifdef __SANITIZE_ADDRESS__
constexpr char kSegfault[] = "status 1";
#else
constexpr char kSegfault[] = "SIGSEGV";
#endif

TEST(Child, ACrashIsAnErrorThatNamesItsCauseAndTheNextChildWorks) {
  for (const auto& [word, said] : std::map<std::string, std::string>{
           {"segfault", kSegfault}, {"abort", "SIGABRT"}, {"exit", "status 3"}}) {
    std::unique_ptr<PluginRunner> runner = Open(Options("misbehave", Where::kChild));
    ASSERT_NE(runner, nullptr);
    std::vector<Record> out;
    const Status status = MapLines(runner.get(), word + "\n", &out);
    EXPECT_EQ(status.code(), Code::kPlugin);
    EXPECT_NE(status.message().find(said), std::string::npos) << status.message();
    EXPECT_EQ(MapLines(runner.get(), "good\n", &out).code(), Code::kPlugin)
        << "a dead host answers no more";
    std::unique_ptr<PluginRunner> fresh = Open(Options("misbehave", Where::kChild));
    ASSERT_OK(MapLines(fresh.get(), "good\n", &out));
  }
}

TEST(Child, CancelAndSilenceKillIt) {
  int32_t words[3] = {0, 0, 0};
  std::unique_ptr<PluginRunner> runner = Open(Options("misbehave", Where::kChild));
  ASSERT_NE(runner, nullptr);
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    __atomic_store_n(&words[0], 1, __ATOMIC_RELAXED);
  });
  std::vector<Record> out;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(MapLines(runner.get(), "loop\n", &out, TaskControl(words)).code(), Code::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  canceller.join();
  PluginOptions options = Options("misbehave", Where::kChild);
  options.timeout_ms = 50;
  std::unique_ptr<PluginRunner> silent = Open(options);
  const Status status = MapLines(silent.get(), "loop\n", &out);
  EXPECT_EQ(status.code(), Code::kPlugin);
  EXPECT_NE(status.message().find("silent"), std::string::npos);
}

TEST(Child, IsNotSilentWhileItEmitsLittle) {
  PluginOptions options = Options("misbehave", Where::kChild);
  options.timeout_ms = 400;
  std::unique_ptr<PluginRunner> runner = Open(options);
  ASSERT_NE(runner, nullptr);
  std::vector<Record> out;
  ASSERT_OK(MapLines(runner.get(), "slow\n", &out));  // a second, and one message at its end
  EXPECT_EQ(out.size(), 100u);
}

TEST(Child, ItsMemoryIsLimitedAndItsEnvironmentEmpty) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve more memory than the limit";
#endif
  PluginOptions options = Options("misbehave", Where::kChild);
  options.memory_bytes = 64u << 20;
  std::unique_ptr<PluginRunner> runner = Open(options);
  ASSERT_NE(runner, nullptr);
  std::vector<Record> out;
  ASSERT_OK(MapLines(runner.get(), "environment\n", &out));
  EXPECT_EQ(out, (std::vector<Record>{{"environment", "empty"}}));
  const Status status = MapLines(runner.get(), "allocate\n", &out);
  EXPECT_EQ(status.code(), Code::kPlugin);
  EXPECT_NE(status.message().find("out of memory"), std::string::npos) << status.message();
}

TEST(Child, HoldsNoFileOfItsParentAndDiesWithIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);  // not close-on-exec: what a careless library leaves open
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    std::unique_ptr<PluginBackend> backend;
    const bool good = OpenPlugin(Options("misbehave", Where::kChild), &backend).ok();
    (void)!::write(ready[1], good ? "y" : "n", 1);
    for (;;) ::pause();
  }
  ::close(ends[1]);
  ::close(ready[1]);
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  // Find the host by its parent.
  pid_t host = -1;
  DIR* proc = ::opendir("/proc");
  while (dirent* entry = ::readdir(proc)) {
    std::FILE* file = std::fopen((std::string("/proc/") + entry->d_name + "/stat").c_str(), "r");
    if (file == nullptr) continue;
    int pid = 0, ppid = 0;
    if (std::fscanf(file, "%d (%*[^)]) %*c %d", &pid, &ppid) == 2 && ppid == parent) host = pid;
    std::fclose(file);
  }
  ::closedir(proc);
  ASSERT_GT(host, 0);
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(host) + "/fd")) {
    (void)entry;
    ++files;
  }
  EXPECT_LE(files, 4u) << "null three times and the socket";
  ::kill(parent, SIGKILL);
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
  bool gone = false;
  for (int i = 0; i < 200 && !gone; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::FILE* file = std::fopen(("/proc/" + std::to_string(host) + "/stat").c_str(), "r");
    char state = 'Z';
    if (file != nullptr) {
      if (std::fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'Z';
      std::fclose(file);
    }
    gone = state == 'Z';
  }
  EXPECT_TRUE(gone);
  ::close(ends[0]);
  ::close(ready[0]);
}

TEST(Load, RefusalsAreClear) {
  std::unique_ptr<PluginBackend> backend;
  for (Where where : {Where::kChild, Where::kTrusted}) {
    const Status other = OpenPlugin(Options("other_abi", where), &backend);
    EXPECT_EQ(other.code(), Code::kPlugin);
    EXPECT_NE(other.message().find("ABI"), std::string::npos) << other.message();
    const Status missing = OpenPlugin(Options("missing", where), &backend);
    EXPECT_EQ(missing.code(), Code::kPlugin);
    EXPECT_NE(missing.message().find("missing.so"), std::string::npos);
    PluginOptions text = Options("x", where);
    TempFolder folder;
    text.plugin = folder / "text.so";
    testing::WriteBytes(text.plugin, "not a library");
    EXPECT_EQ(OpenPlugin(text, &backend).code(), Code::kPlugin);
  }
  PluginOptions no_host = Options("wordcount", Where::kChild);
  no_host.host = "/nonexistent/daf-host";
  EXPECT_EQ(OpenPlugin(no_host, &backend).code(), Code::kIo);
}

TEST(Exports, APluginShowsItsEntryPointsAndNothingElse) {
  if (std::system("nm --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "nm is missing";
  for (const auto& [name, expected] : std::map<std::string, std::vector<std::string>>{
           {"wordcount", {"CombineMain", "DafPluginGetInfo", "MapMain", "ReduceMain"}},
           {"misbehave",
            {"CombineMain", "DafPluginGetInfo", "MapMain", "PartitionMain", "ReduceMain"}}}) {
    const std::string command =
        "nm -D --defined-only " + kBinaries + "/plugins/" + name + ".so | cut -d' ' -f3 | sort";
    std::FILE* pipe = ::popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::vector<std::string> found;
    char line[256];
    while (std::fgets(line, sizeof(line), pipe) != nullptr)
      found.push_back(std::string(line, std::strcspn(line, "\n")));
    ::pclose(pipe);
    EXPECT_EQ(found, expected);
  }
}

TEST(Threads, SeveralChildrenAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 3; ++i) {
        std::unique_ptr<PluginBackend> backend;
        if (!OpenPlugin(Options("misbehave", t % 2 == 0 ? Where::kChild : Where::kTrusted),
                        &backend)
                 .ok())
          return;
        PluginRunner runner(std::move(backend));
        std::vector<Record> out;
        if (!MapLines(&runner, "a\nb\n", &out).ok() || out.size() != 2) return;
      }
      ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 4);
}

}  // namespace
}  // namespace daf
