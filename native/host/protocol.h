// How a worker and its daf-host talk: fixed-size messages over a socket pair, bulk data in shared
// memory. The worker asks (kLoad, kRun), the host answers with any number of kFlush, kMore and
// kLog, each of which it waits for to be acknowledged, and ends with kDone or kFailed. While a map
// waits for its kFlush to be acknowledged the worker may ask for a combine with another kRun.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "native/base/status.h"
#include "native/host/session.h"

namespace daf {

constexpr int kHostSocket = 3;  // file descriptors of the child
constexpr int kHostMemory = 4;
constexpr uint32_t kProtocol = 3;

enum class HostVerb : uint32_t {
  kLoad = 1,      // worker → host: plugin path and parameters lie in the text area
  kRun = 2,       // worker → host: a PluginCall; the document's name lies in the text area
  kContinue = 3,  // worker → host: acknowledged; `size` bytes of input after kWant
  kStop = 4,      // worker → host: the other side failed, end this call
  kFlush = 5,     // host → worker: `size` bytes of output, `count` records
  kWant = 6,      // host → worker: as kFlush, and the next input is wanted
  kLog = 7,       // host → worker: a line in the text area, `count` its level
  kDone = 8,      // host → worker: `count` input records; counters lie in the text area
  kFailed = 9,    // host → worker: the status' code in `count`; message in the text area
};

struct HostMessage {
  uint32_t protocol = kProtocol;
  HostVerb verb = HostVerb::kDone;
  uint64_t size = 0;
  uint64_t count = 0;
  uint64_t offset = 0;
  uint32_t work = 0;
  uint32_t cut = 0;
  uint32_t record_bytes = 0;
  uint32_t task = 0;
  uint32_t partitions = 0;
  uint64_t fold_bytes = 0;
  uint64_t begin = 0;
  uint64_t text = 0;   // bytes in the text area
  uint64_t limit = 0;  // kLoad: bytes of memory the host may allocate; 0 for no limit
};
static_assert(std::is_trivially_copyable_v<HostMessage>);

// The shared memory: pulse, text, partitions of the output's records, a combine's input, input,
// output.
struct HostLayout {
  static constexpr size_t kPulse = 64;
  static constexpr size_t kText = 128u << 10;
  static constexpr size_t kPartitions = 64u << 10;  // elements
  static constexpr size_t kCombine = kCombineInputBytes;
  size_t input_bytes = 0;
  size_t output_bytes = 0;

  size_t total() const {
    return kPulse + kText + kPartitions * sizeof(uint32_t) + kCombine + input_bytes + output_bytes;
  }
  std::atomic<uint32_t>* Pulse(uint8_t* base) const {
    return reinterpret_cast<std::atomic<uint32_t>*>(base);
  }
  char* Text(uint8_t* base) const { return reinterpret_cast<char*>(base) + kPulse; }
  PluginMemory Memory(uint8_t* base) const {
    uint8_t* partitions = base + kPulse + kText;
    uint8_t* input = partitions + kPartitions * sizeof(uint32_t) + kCombine;
    return {input,
            input_bytes,
            input + input_bytes,
            output_bytes,
            reinterpret_cast<uint32_t*>(partitions),
            kPartitions,
            Pulse(base)};
  }
  // A combine has its own input, because it may run while a map's block is still in use. It shares
  // the output: a map that waits has handed its own on.
  PluginMemory CombineMemory(uint8_t* base) const {
    PluginMemory memory = Memory(base);
    memory.input -= kCombine;
    memory.input_size = kCombine;
    return memory;
  }
};

// Whole messages, whatever the kernel makes of them. False: the other side is gone.
bool SendMessage(int socket, const HostMessage& message);
bool ReceiveMessage(int socket, HostMessage* message);

// Strings one after another, each with its NUL. Errors of Split: kBadData.
inline void PutString(std::string* out, const std::string& text) {
  out->append(text);
  out->push_back('\0');
}
inline Status TakeString(const char** at, const char* end, std::string* out) {
  const void* nul = std::memchr(*at, '\0', static_cast<size_t>(end - *at));
  if (nul == nullptr) return Status(Code::kBadData, "a string of the plugin host is cut off");
  out->assign(*at, static_cast<const char*>(nul));
  *at = static_cast<const char*>(nul) + 1;
  return Status::Ok();
}

}  // namespace daf
