// The map side of the shuffle: records go into one buffer of declared size, full buffers are sorted
// and spilled as runs, finish merges the runs into one segment file with an index per partition.
//
// Spill points depend on the declared sizes alone, and the output bytes not even on them (unless a
// combiner changes the records). Without a combiner Append and Finish do everything. With one, the
// caller drives:
//
//   Append → consumed less than given?   buffer full: BeginCombine(false), the loop, then append
//   the rest at the end: while (BeginCombine(true, &pass), pass) { the loop }   then Finish the
//   loop: while (NextGroups(buffer), used) WriteCombined(what the combiner made of them);
//   EndCombine
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "native/base/control.h"
#include "native/shuffle/group_packer.h"
#include "native/shuffle/merge.h"
#include "native/shuffle/segment.h"
#include "native/shuffle/sort.h"

namespace daf {

struct MapWriterOptions {
  std::string path;         // of the segment file; spills lie beside it (path + ".run0" …)
  uint32_t partitions = 1;  // 1 … 65536
  size_t buffer_bytes = 64u << 20;  // sort buffer, index included: 64 KB … 2 GB
  bool combine = false;
  bool custom_partitions = false;  // Append gets a partition for every record
  uint32_t group_prefix = 0;       // bytes of the key that form the group; 0: all
  uint32_t fan_in = 32;            // runs merged at a time: 2 … 512
  uint32_t block_bytes = kDefaultBlock;
};

struct MapOutput {
  std::vector<SegmentInfo> segments;
  uint64_t bytes = 0;    // of the file
  uint64_t records = 0;  // in it
  uint32_t spills = 0;
};

class SpillStream;

class MapWriter {
 public:
  MapWriter();
  ~MapWriter();
  Status Init(const MapWriterOptions& options, const TaskControl& control);

  // Takes packed records. *consumed (bytes) and *records say how far it came: all of them, unless a
  // combiner has to empty the buffer first. partitions: one per record (first pieces) when
  // custom_partitions, else null. Errors: kBadData (not packed records), kBadArgument (key or
  // partition out of range), kIo, kMemory, kCancelled.
  Status Append(const uint8_t* batch, size_t size, const uint32_t* partitions,
                size_t partition_count, size_t* consumed, size_t* records);

  Status BeginCombine(bool last, bool* pass);
  Status NextGroups(uint8_t* buffer, size_t capacity, size_t* used);
  // Records in key order, each key of the groups handed out last. Errors: kBadArgument when out of
  // order.
  Status WriteCombined(const uint8_t* batch, size_t size);
  Status EndCombine();

  // The output file. Nothing but Discard may follow.
  Status Finish(MapOutput* out);
  // Removes what was written (the output too) and gives the memory back.
  void Discard();

  uint64_t records_in() const { return records_in_; }

 private:
  struct Run {
    std::string path;
    std::vector<SegmentInfo> index;
    uint64_t bytes = 0;
  };

  bool Fits(size_t record_bytes) const;
  void Place(const Piece& piece, uint32_t partition);
  Status BeginLarge(const Piece& piece, uint32_t partition);
  Status AddLarge(const Piece& piece);
  Status Spill();
  Status SortBuffer();
  void ClearBuffer();
  Status StartPass(bool from_buffer, size_t first_run, size_t runs, const std::string& target);
  Status OpenPartition();
  Status PumpPass();
  Status WriteSingles();
  Status EndPass();
  Status ReduceRuns();
  std::string NextRunPath();

  MapWriterOptions options_;
  TaskControl control_;
  size_t large_value_ = 0;   // values above go to the side file
  size_t prefix_bytes_ = 0;  // 4 when each record in the buffer carries its partition
  ByteBuffer buffer_;
  size_t data_used_ = 0;
  size_t count_ = 0;
  std::vector<size_t> bounds_;
  IndexEntry* entries_ = nullptr;

  File side_;  // large values, until the next spill
  uint64_t side_used_ = 0;
  uint8_t* open_large_ = nullptr;  // where the length of the value being written goes

  std::vector<Run> runs_;
  uint32_t next_run_ = 0;
  uint32_t spills_ = 0;
  uint64_t records_in_ = 0;
  bool finished_ = false;
  bool output_written_ = false;

  // The pass under way: sorted records from the buffer or from runs into one file.
  SegmentWriter sink_;
  std::unique_ptr<SpillStream> spill_;
  std::unique_ptr<MergeStream> merge_;
  std::vector<File> files_;
  GroupPacker packer_;
  bool in_pass_ = false;
  bool from_buffer_ = false;
  size_t pass_first_ = 0;
  size_t pass_runs_ = 0;
  std::string pass_target_;
  uint32_t partition_ = 0;
  ByteBuffer last_key_;
  size_t last_key_size_ = 0;
  bool has_last_key_ = false;
  Run output_;
};

}  // namespace daf
