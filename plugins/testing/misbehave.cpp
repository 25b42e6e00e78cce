// A plugin that does what a plugin should not, on demand: the first word of each line says what.
// For tests.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "daf_plugin.hpp"

namespace {

bool Map(MapContext& context) {
  const std::string word(context.text().substr(0, context.text().find(' ')));
  if (word == "segfault") std::raise(SIGSEGV);
  if (word == "segfault-once") {
    // The parameter names a file that says whether it has happened already.
    const char* marker = context.param_fn(&context, "marker");
    if (marker == nullptr) return context.fail("segfault-once needs the parameter marker");
    if (std::FILE* file = std::fopen(marker, "wx")) {
      std::fclose(file);
      std::raise(SIGSEGV);
    }
  }
  if (word == "abort") std::abort();
  if (word == "exit") std::exit(3);
  if (word == "throw") throw std::runtime_error("thrown on demand");
  if (word == "fail") return context.fail("failed on demand");
  if (word == "false") return false;
  if (word == "loop") {
    for (;;) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (word == "slow") {
    for (int i = 0; i < 100; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      if (!context.emit("slow", "1")) return false;
    }
    return true;
  }
  if (word == "hang-up" || word == "babble" || word == "stammer") {
    const std::string nonsense(word == "babble" ? 4096 : 1, 'x');
    const bool spoilt =
        word == "hang-up" ? ::close(3) == 0 : ::write(3, nonsense.data(), nonsense.size()) > 0;
    if (!spoilt) return context.fail("no socket");
    for (;;) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (word == "chatter") {
    for (;;) context.log_fn(&context, DAF_LOG_DEBUG, "again");
  }
  if (word == "allocate") {
    std::vector<std::vector<char>> all;
    for (int i = 0; i < 4096; ++i) all.emplace_back(size_t{1} << 20, 'x');
  }
  if (word == "longkey") {
    const std::string key((1u << 20) + 1, 'k');
    return context.emit(key, "");
  }
  if (word == "big") {
    const std::string part(3u << 20, 'b');
    for (int i = 0; i < 5; ++i) {
      if (!context.emit_part_fn(&context, "big", 3, part.data(), part.size(), i < 4)) return false;
    }
    return true;
  }
  if (word == "log") context.log_fn(&context, DAF_LOG_WARN, "logged on demand");
  if (word == "environment")
    return context.emit("environment", std::getenv("HOME") ? "there" : "empty");
  if (word == "count-far") {
    // A plugin's own counters, and names that JavaScript or UTF-8 know something else by.
    for (const char* name : {"constructor", "toString", "\xff", "\xfe"})
      context.counter_fn(&context, name, 3);
    return true;
  }
  if (word == "count-proto") context.counter_fn(&context, "__proto__", 3);
  if (word == "count-over") {
    for (int i = 0; i < 2; ++i) context.counter_fn(&context, "far", INT64_MAX / 2);
  }
  context.counter_fn(&context, "lines", 1);
  const char* prefix = context.param_fn(&context, "prefix");
  char* scratch = static_cast<char*>(context.scratch_fn(&context, 64));
  if (scratch == nullptr) return context.fail("no scratch memory");
  const std::string key = std::string(prefix ? prefix : "") + word;
  return context.emit(key, std::string(context.name) + ":" + std::to_string(context.offset));
}

bool Combine(std::string_view key, ReduceContext& context) {
  // Passes everything on, except that it changes the key of one group.
  while (context.next()) {
    if (!context.emit(key == "changed" ? "another" : key, context.text())) return false;
  }
  return true;
}

bool Reduce(std::string_view key, ReduceContext& context) {
  if (key == "segfault-reduce") std::raise(SIGSEGV);
  if (key == "dawdle") {
    int values = 0;
    for (; context.next(); ++values) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return context.emit(key, std::to_string(values));
  }
  // Reads only the first value of a group, and says how long it is.
  if (!context.next()) return false;
  return context.emit(key, std::to_string(context.value_size));
}

}  // namespace

DAF_PLUGIN("misbehave", "1.0", DAF_INPUT_RECORDS)
DAF_PLUGIN_MAP(Map)
DAF_PLUGIN_COMBINE(Combine)
DAF_PLUGIN_REDUCE(Reduce)

// Keys that begin with "p" and a digit go where the digit says.
extern "C" DAF_EXPORT uint32_t PartitionMain(const char* key, size_t key_size,
                                             uint32_t partitions) {
  return key_size >= 2 && key[0] == 'p' ? static_cast<uint32_t>(key[1] - '0') : partitions - 1;
}
