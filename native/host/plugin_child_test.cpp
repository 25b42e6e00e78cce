// daf-host as a process: crashes, silence, cancel, limits, what it inherits, whose end is its own.
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "native/host/testing_plugins.h"

namespace daf {
namespace {

using testing::MapLines;
using testing::Open;
using testing::Options;
using testing::Record;
using testing::Where;

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

TEST(Child, IsEndedWhenItSpoilsItsSocket) {
  for (const char* how : {"hang-up\n", "babble\n", "stammer\n"}) {
    std::unique_ptr<PluginRunner> runner = Open(Options("misbehave", Where::kChild));
    ASSERT_NE(runner, nullptr);
    std::vector<Record> out;
    const Status status = MapLines(runner.get(), how, &out);
    EXPECT_EQ(status.code(), Code::kPlugin) << how;
    EXPECT_NE(status.message().find("nonsense"), std::string::npos) << status.message();
    EXPECT_TRUE(PluginHostPids().empty()) << how;
  }
}

TEST(Child, IsCancelledWhileItLogsWithoutEnd) {
  int32_t words[3] = {1, 0, 0};
  std::unique_ptr<PluginRunner> runner = Open(Options("misbehave", Where::kChild));
  ASSERT_NE(runner, nullptr);
  std::vector<Record> out;
  EXPECT_EQ(MapLines(runner.get(), "chatter\n", &out, TaskControl(words)).code(), Code::kCancelled);
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

TEST(Child, IsNotSilentWhileItReadsOnly) {
  testing::TempFolder folder;
  MapWriterOptions write;
  write.path = folder / "map";
  MapOutput output;
  ASSERT_OK(testing::WriteMap(write, std::vector<Record>(100, {"dawdle", "v"}), &output));
  MergeReaderOptions merge;
  merge.sources.push_back({write.path, 0});
  MergeReader reader;
  ASSERT_OK(reader.Open(merge, {}));
  PluginOptions options = Options("misbehave", Where::kChild);
  options.timeout_ms = 400;
  std::unique_ptr<PluginRunner> runner = Open(options);
  ASSERT_NE(runner, nullptr);
  std::vector<uint8_t> out;  // after a second, in which all is read from one batch
  ASSERT_OK(runner->Reduce(&reader, 0,
                           [&](const uint8_t* p, size_t n, size_t) {
                             out.insert(out.end(), p, p + n);
                             return Status::Ok();
                           },
                           {}));
  EXPECT_EQ(out, testing::PackAll({{"dawdle", "100"}}));
}

// Sanitizers reserve more memory than any limit, so this is for other builds; plugin-runner.test.ts
// asks the same of the addon.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Child, ItsMemoryIsLimitedAndItsEnvironmentEmpty) {
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
#endif

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

}  // namespace
}  // namespace daf
