// The reduce side of the shuffle: the segments of one partition, in the order of their maps, merged
// into one stream of groups with bounded memory and a bounded number of open files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "native/base/control.h"
#include "native/shuffle/group_packer.h"
#include "native/shuffle/merge.h"
#include "native/shuffle/segment.h"

namespace daf {

struct MergeSource {
  std::string path;
  int64_t partition =
      -1;  // of a whole segment file, whose index says where it lies; -1: offset and bytes do
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

struct MergeReaderOptions {
  std::vector<MergeSource> sources;  // by map index
  std::string temp;      // prefix of intermediate files, needed with more sources than fan_in
  uint32_t fan_in = 32;  // segments merged (files open) at a time: 2 … 512; each costs about 128 KB
  uint32_t group_prefix = 0;
  uint32_t block_bytes = kDefaultBlock;
};

class MergeReader {
 public:
  ~MergeReader() { Close(); }
  // Opens, and merges down to fan_in sources when there are more. Errors: kBadData, kIo, kMemory,
  // kCancelled.
  Status Open(const MergeReaderOptions& options, const TaskControl& control);
  // Packed records with group flags; *used = 0 at the end. Errors: as Open, kBadArgument (capacity
  // below GroupPacker::kLeastCapacity and a key that needs it).
  Status Next(uint8_t* buffer, size_t capacity, size_t* used);
  void Close();  // removes intermediate files

  // Index in options.sources of the segment an error came from, or -1.
  int failed_source() const { return failed_; }
  uint64_t records() const { return packer_.records(); }
  uint64_t groups() const { return packer_.groups(); }

 private:
  struct Source {
    MergeSource at;
    int origin;  // index in options.sources, -1 for an intermediate file
    bool temporary;
  };
  Status OpenGroup(size_t first, size_t count);
  Status MergeDown();
  void Blame(size_t first);

  MergeReaderOptions options_;
  TaskControl control_;
  std::vector<Source> sources_;
  std::vector<File> files_;
  std::unique_ptr<MergeStream> merge_;
  GroupPacker packer_;
  uint32_t next_temp_ = 0;
  int failed_ = -1;
};

}  // namespace daf
