// Fills buffers with packed records of a sorted stream and marks where groups begin and end.
#pragma once

#include "native/shuffle/buffer.h"
#include "native/shuffle/stream.h"

namespace daf {

class GroupPacker {
 public:
  // A batch buffer must at least take the longest key and a little of its value.
  static constexpr size_t kLeastCapacity = kMaxKeyBytes + (64u << 10);

  // prefix: keys that agree in their first `prefix` bytes are one group; 0 compares whole keys.
  void Start(SortedStream* stream, uint32_t prefix);
  // Packs as many pieces as fit. A piece that would not fit into an empty buffer is split; pieces
  // of one value are joined where they meet. *used = 0 means the end. Errors: the stream's,
  // kBadArgument (capacity).
  Status Fill(uint8_t* buffer, size_t capacity, size_t* used);

  // The next piece, when it begins a group; null at the end and inside a group. Views as Fill's
  // stream gives them.
  Status Peek(const Piece** out);
  // Passes over the piece that Peek gave, which must be a whole group.
  Status Skip();

  uint64_t records() const { return records_; }
  uint64_t groups() const { return groups_; }

 private:
  Status Advance();
  bool SameGroup(const Piece& piece) const;

  SortedStream* stream_ = nullptr;
  uint32_t prefix_ = 0;
  Piece pending_;
  bool has_pending_ = false;
  bool started_ = false;
  bool open_ = false;  // group_ is the group of the piece packed last
  ByteBuffer group_;   // its key, as far as it decides the group
  size_t group_size_ = 0;
  uint64_t records_ = 0;
  uint64_t groups_ = 0;
};

}  // namespace daf
