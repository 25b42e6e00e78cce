// Gathers what a map emits by key, for a combiner that is not native: records go in packed, groups
// of values that came one after another come out as a combine pass has them.
#pragma once

#include <functional>

#include "native/shuffle/fold.h"

namespace daf {

class MapFold final : private FoldPort {
 public:
  // Takes the groups in out[0, groups): flagged records, every group whole. Then the records in
  // out[half of its size, + singles): of keys with one value, which no combiner makes fewer.
  using Sink = std::function<Status(size_t groups, size_t singles)>;

  // Each half of `out`, which is borrowed until the fold is gone, takes the longest record of a
  // fold; a group that does not fit comes in parts, each a group of its own. Errors: kMemory,
  // kBadArgument.
  Status Init(size_t bytes, uint8_t* out, size_t out_size);
  // Takes records up to the first that no fold takes. What is held of that one's key is handed on,
  // and it, with the pieces of its value that are here and those like it that follow, *pass bytes
  // long, is the caller's to write. From some time on all are, where most are of that kind.
  // Errors: kBadData, those of the sink.
  Status Add(const uint8_t* batch, size_t size, const Sink& sink, size_t* taken, size_t* pass);
  Status HandOnAll(const Sink& sink);

 private:
  bool Combine(const FoldTable::Entry&, const uint8_t*, size_t, std::vector<uint8_t>*) override {
    return true;  // never called
  }
  bool HandOn(const FoldTable::Entry& entry, const uint8_t* values, size_t size,
              bool last) override;
  bool Settle() override { return Flush(); }
  bool HandOnSingle(const FoldTable::Entry& entry, const FoldTable::Run& run);
  bool Flush();

  Fold fold_{this, false};
  FoldGain gain_;
  uint8_t* out_ = nullptr;
  size_t half_ = 0;
  size_t groups_ = 0;           // bytes
  size_t singles_ = 0;          // bytes
  const Sink* sink_ = nullptr;  // of the call that runs
  Status status_;
};

}  // namespace daf
