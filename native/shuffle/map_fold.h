// Gathers what a map emits by key, for a combiner that is not native: records go in packed, groups
// of values that came one after another come out as a combine pass has them.
#pragma once

#include <functional>

#include "native/shuffle/fold.h"

namespace daf {

class MapFold final : private FoldPort {
 public:
  // Takes the groups in out[0, used): flagged records, every group whole.
  using Sink = std::function<Status(size_t used)>;

  // `out` is borrowed until the fold is gone and takes the longest record of a fold; a group that
  // does not fit comes in parts, each a group of its own. Errors: kMemory, kBadArgument.
  Status Init(size_t bytes, uint8_t* out, size_t out_size);
  // Takes records up to the first that no fold takes. What is held of that one's key is handed on,
  // and it, *pass bytes long with the pieces of its value that are here, is the caller's to write.
  // Errors: kBadData, those of the sink.
  Status Add(const uint8_t* batch, size_t size, const Sink& sink, size_t* taken, size_t* pass);
  Status HandOnAll(const Sink& sink);

 private:
  bool Combine(const FoldTable::Entry&, const uint8_t*, size_t, std::vector<uint8_t>*) override {
    return true;  // never called
  }
  bool HandOn(const FoldTable::Entry& entry, const uint8_t* values, size_t size) override;
  bool Flush();

  Fold fold_{this, false};
  uint8_t* out_ = nullptr;
  size_t out_size_ = 0;
  size_t used_ = 0;
  const Sink* sink_ = nullptr;  // of the call that runs
  Status status_;
};

}  // namespace daf
