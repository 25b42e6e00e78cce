// k-way merge of sorted segments by a loser tree: (key, source number, order in the source).
#pragma once

#include <memory>
#include <vector>

#include "native/base/control.h"
#include "native/shuffle/segment.h"

namespace daf {

class MergeStream final : public SortedStream {
 public:
  explicit MergeStream(const TaskControl& control = {}) : control_(control) {}

  // Takes `count` sources whose readers were opened by Reader(i). Errors: as SegmentReader::Next.
  Status Start(size_t count);
  SegmentReader& Reader(size_t i);
  Status Next(Piece* out, bool* more) override;
  // The source being read when the last error came up, or -1.
  int failed_source() const { return failed_; }

 private:
  struct Source {
    SegmentReader reader;
    Piece piece;
    uint64_t prefix = 0;
    bool done = false;
  };
  Status Load(size_t i);
  bool Before(size_t a, size_t b) const;
  void Replay(size_t i);

  TaskControl control_;
  std::vector<std::unique_ptr<Source>> sources_;
  size_t count_ = 0;
  std::vector<uint32_t> losers_;  // inner nodes 1 … count - 1
  uint32_t winner_ = 0;
  bool advance_ = false;  // the winner's piece was handed out
  uint32_t polls_ = 0;
  int failed_ = -1;
};

}  // namespace daf
