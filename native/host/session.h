// Calls a plugin: cuts inputs, walks groups, collects what it emits. The same code runs inside
// daf-host and, for trusted plugins, inside the worker; a Port says where batches come from and go
// to.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "native/base/arena.h"
#include "native/host/plugin.h"
#include "native/shuffle/buffer.h"
#include "native/shuffle/fold.h"
#include "native/shuffle/record.h"

namespace daf {

// kMapEnd: the last block of a task was mapped; hands on what was folded.
enum class PluginWork : uint32_t { kMap = 1, kCombine = 2, kReduce = 3, kMapEnd = 4 };
// How the bytes of a map input are cut when the plugin wants single records.
enum class PluginCut : uint32_t { kLines = 1, kFixed = 2, kPacked = 3, kWhole = 4 };

// One piece of work; the input bytes lie in the port's input memory.
struct PluginCall {
  PluginWork work = PluginWork::kMap;
  PluginCut cut = PluginCut::kLines;
  uint32_t record_bytes = 0;  // kFixed
  uint32_t task = 0;
  uint32_t partitions = 0;
  uint64_t input_bytes =
      0;                // map: of the block; combine, reduce: of the first batch (0 asks for one)
  uint64_t offset = 0;  // of the block in its document
  // map: memory in which a plugin with CombineMain folds what it emits until kMapEnd, the same in
  // every call; 0: nothing is folded.
  uint64_t fold_bytes = 0;
  bool begin = false;  // map: the first block of a task
  std::string document;
};

// Emitted records on their way out.
struct PluginOutput {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  const uint32_t* partitions = nullptr;  // one per record when the plugin partitions, else null
  size_t count = 0;
};

class PluginPort {
 public:
  virtual ~PluginPort() = default;
  virtual Status Flush(const PluginOutput& output) = 0;
  // The next batch of groups replaces the input; *size = 0 ends them. Output comes along, so that a
  // combiner's records are written before its next groups are read.
  virtual Status More(const PluginOutput& output, size_t* size) = 0;
  virtual bool Cancelled() = 0;
  virtual void Log(int level, const char* message) = 0;
};

// Input memory of a combine: GroupPacker::kLeastCapacity and some more.
constexpr size_t kCombineInputBytes = (1u << 20) + (256u << 10);

struct PluginMemory {
  uint8_t* input = nullptr;
  size_t input_size = 0;
  uint8_t* output = nullptr;
  size_t output_size = 0;
  uint32_t* partitions = nullptr;  // of the records in output
  size_t partitions_size = 0;      // in elements
  // Changes while the plugin reads and emits: what is folded sends no message for long. May be
  // null.
  std::atomic<uint32_t>* pulse = nullptr;
};

// Error: kPlugin for a sum beyond 2^53 - 1, up to where JavaScript counts whole numbers.
Status AddToCounter(std::map<std::string, int64_t>* counters, const std::string& name,
                    int64_t amount);

class PluginSession final : private FoldPort {
 public:
  PluginSession(const Plugin& plugin, const std::map<std::string, std::string>& params,
                const PluginMemory& memory);

  // Runs the call to its end. *records: input records of a map. Errors: kPlugin (what the plugin
  // said, or did), those of the port.
  Status Run(const PluginCall& call, PluginPort* port, uint64_t* records);
  // Counters since the last call.
  std::map<std::string, int64_t> TakeCounters();

 private:
  friend struct PluginCallbacks;

  Status MapInputs(const PluginCall& call, uint64_t* records);
  Status MapOne(const uint8_t* key, size_t key_size, const uint8_t* input, size_t size,
                uint64_t offset);
  Status Groups();
  Status OneGroup();
  Status Refill();
  Status NextPiece(Piece* piece);
  bool NextValue();
  bool NextPart();
  bool Emit(const void* key, size_t key_size, const void* value, size_t value_size);
  bool EmitPart(const void* key, size_t key_size, const void* part, size_t part_size, bool more);
  bool EmitSlowly(const uint8_t* key, size_t key_size, const uint8_t* value, size_t value_size,
                  bool continues, bool more);
  bool Checked(const void* key, size_t key_size);
  bool Append(const uint8_t* key, size_t key_size, const uint8_t* value, size_t value_size,
              bool continues, bool more);
  bool Room(size_t bytes);
  bool Stop(const Status& status);
  void Count(const char* name, int64_t amount);

  Status PrepareFold(const PluginCall& call);
  // Stops folding for the rest of the task where too much of what is emitted is not for a fold.
  bool FoldWhileItPays();
  // Whether what the plugin emits now goes into the fold.
  bool Folds(size_t key_size, size_t value_size) const {
    return open_ && Fold::Takes(key_size, value_size);
  }
  void Beat() { pulse_->store(static_cast<uint32_t>(++beats_), std::memory_order_relaxed); }
  void SetOpen() { open_ = folds_ && folding_ == nullptr && !value_open_ && status_.ok(); }
  FoldKey KeyOf(const uint8_t* key, size_t key_size) const {
    // Most keys are part of the input, where more than the key may be read.
    const uintptr_t at =
        reinterpret_cast<uintptr_t>(key) - reinterpret_cast<uintptr_t>(memory_.input);
    const bool inside = at < memory_.input_size && memory_.input_size - at >= FoldKey::kHead;
    return FoldKey::Of(key, key_size, inside);
  }
  bool Combine(const FoldTable::Entry& entry, const uint8_t* values, size_t size,
               std::vector<uint8_t>* folded) override;
  bool HandOn(const FoldTable::Entry& entry, const uint8_t* values, size_t size,
              bool last) override;
  bool NextFolded() {
    if (fold_run_.times == 0) {
      if (fold_at_ == fold_end_ || !status_.ok()) return false;
      fold_at_ += FoldTable::ReadRun(fold_at_, &fold_run_);
    }
    --fold_run_.times;
    // For every value of a run anew: a combiner may have moved what it was given.
    reduce_.value = reinterpret_cast<const char*>(fold_run_.value);
    reduce_.value_size = fold_run_.size;
    reduce_.value_key = folding_->key();
    reduce_.value_key_size = folding_->key_size;
    reduce_.value_more = false;
    return true;
  }
  bool OwnsKey(const void* key, size_t key_size) const;
  bool KeepFolded(const uint8_t* value, size_t value_size);
  bool HandOnFolded();
  Status Failed(const std::string& what) const;
  PluginOutput Output() const;
  bool IsMap() const { return call_.work == PluginWork::kMap || call_.work == PluginWork::kMapEnd; }

  Plugin plugin_;
  std::map<std::string, std::string> params_;
  PluginMemory memory_;
  std::map<std::string, int64_t> counters_;
  Arena scratch_;
  MapContext map_;
  ReduceContext reduce_;

  PluginPort* port_ = nullptr;
  PluginCall call_;
  Status status_;            // the first failure of this call
  std::string message_;      // what the plugin said
  size_t used_ = 0;          // of output
  size_t count_ = 0;         // records in output
  bool value_open_ = false;  // a value in parts is being emitted

  size_t at_ = 0;  // in the input, while walking groups
  size_t input_end_ = 0;
  bool group_open_ = false;  // the group's last piece was not read yet
  bool more_ = false;        // the value read last goes on
  std::vector<char> key_;    // of the group, NUL-terminated
  ByteBuffer assembled_;     // a value that came in pieces
  std::vector<uint8_t> value_key_;

  std::atomic<uint32_t> own_pulse_{0};
  std::atomic<uint32_t>* pulse_;
  uint64_t beats_ = 0;

  bool folds_ = false;  // this call folds
  FoldGain gain_;       // of the task's fold
  bool open_ = false;   // and takes what is emitted now
  Fold fold_{this, true};
  const FoldTable::Entry* folding_ = nullptr;  // whose values CombineMain sees now
  const uint8_t* fold_at_ = nullptr;           // its runs that are still to be read
  const uint8_t* fold_end_ = nullptr;
  FoldTable::Run fold_run_{nullptr, 0, 0};  // the run being read, and how often it still comes
  std::vector<uint8_t>* folded_ = nullptr;  // what CombineMain has made of them
  Arena fold_scratch_;                      // a map's own scratch outlives its emits
};

}  // namespace daf
