// Single calls of plugins: what they are given, what they say, how they are loaded and refused.
#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <thread>

#include "native/host/testing_plugins.h"

namespace daf {
namespace {

using testing::Both;
using testing::kBinaries;
using testing::MapLines;
using testing::Open;
using testing::Options;
using testing::Record;
using testing::TempFolder;
using testing::Where;

INSTANTIATE_TEST_SUITE_P(Plugin, Both, ::testing::Values(Where::kChild, Where::kTrusted),
                         testing::WhereName);

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

TEST_P(Both, ASumThatIsTooFarFailsInsteadOfGoingRound) {
  std::unique_ptr<PluginRunner> runner = Open(Options("misbehave", GetParam()));
  ASSERT_NE(runner, nullptr);
  std::vector<Record> out;
  const Status status = MapLines(runner.get(), "count-over\n", &out);
  EXPECT_EQ(status.code(), Code::kPlugin);
  EXPECT_NE(status.message().find("counter far"), std::string::npos) << status.message();

  constexpr int64_t kMost = (int64_t{1} << 53) - 1;
  std::map<std::string, int64_t> counters;
  ASSERT_OK(AddToCounter(&counters, "most", kMost));
  EXPECT_EQ(AddToCounter(&counters, "most", 1).code(), Code::kPlugin);
  EXPECT_EQ(AddToCounter(&counters, "most", INT64_MAX).code(), Code::kPlugin);
  ASSERT_OK(AddToCounter(&counters, "most", -kMost));
  EXPECT_EQ(AddToCounter(&counters, "most", INT64_MIN).code(), Code::kPlugin);
  EXPECT_EQ(counters, (std::map<std::string, int64_t>{{"most", 0}}));
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
