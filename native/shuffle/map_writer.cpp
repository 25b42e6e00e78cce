// MapWriter: passes from the buffer or from runs into segment files.
#include "native/shuffle/map_writer.h"

#include <algorithm>
#include <cstring>

#include "native/shuffle/spill_stream.h"

namespace daf {

MapWriter::MapWriter() = default;
MapWriter::~MapWriter() {
  if (!finished_) Discard();
}

std::string MapWriter::NextRunPath() {
  return options_.path + ".run" + std::to_string(next_run_++);
}

Status MapWriter::StartPass(bool from_buffer, size_t first_run, size_t runs,
                            const std::string& target) {
  from_buffer_ = from_buffer;
  pass_first_ = first_run;
  pass_runs_ = runs;
  pass_target_ = target;
  partition_ = 0;
  files_.clear();
  if (from_buffer) {
    DAF_RETURN_IF_ERROR(SortBuffer());
    spill_ = std::make_unique<SpillStream>(buffer_.data(), &side_, control_);
    ++spills_;
  } else {
    files_.resize(runs);
    for (size_t r = 0; r < runs; ++r)
      DAF_RETURN_IF_ERROR(files_[r].OpenRead(runs_[first_run + r].path));
    merge_ = std::make_unique<MergeStream>(control_);
  }
  DAF_RETURN_IF_ERROR(sink_.Create(target, options_.block_bytes));
  in_pass_ = true;
  return OpenPartition();
}

// Points the stream at the current partition; a pass behind its last one stays put. Combined are
// the values of whole keys, however few bytes of them group a reduce: what a combiner makes of
// several keys would lie under the first of them, before values of other maps that belong in
// between.
Status MapWriter::OpenPartition() {
  has_last_key_ = false;
  if (partition_ == options_.partitions) return Status::Ok();
  if (from_buffer_) {
    spill_->Start(entries_ + bounds_[partition_], entries_ + bounds_[partition_ + 1]);
    packer_.Start(spill_.get(), 0);
    return Status::Ok();
  }
  for (size_t r = 0; r < pass_runs_; ++r) {
    const SegmentInfo& info = runs_[pass_first_ + r].index[partition_];
    merge_->Reader(r).Open(&files_[r], info.offset, info.bytes);
  }
  DAF_RETURN_IF_ERROR(merge_->Start(pass_runs_));
  packer_.Start(merge_.get(), 0);
  return Status::Ok();
}

Status MapWriter::PumpPass() {
  while (partition_ < options_.partitions) {
    SortedStream& stream = from_buffer_ ? static_cast<SortedStream&>(*spill_) : *merge_;
    Piece piece;
    for (bool more = true;;) {
      DAF_RETURN_IF_ERROR(stream.Next(&piece, &more));
      if (!more) break;
      DAF_RETURN_IF_ERROR(sink_.Add(piece));
    }
    DAF_RETURN_IF_ERROR(sink_.EndPartition());
    ++partition_;
    DAF_RETURN_IF_ERROR(OpenPartition());
  }
  return EndPass();
}

Status MapWriter::EndPass() {
  if (partition_ != options_.partitions)
    return Status(Code::kBadArgument, "a combine pass ended before its groups did");
  DAF_RETURN_IF_ERROR(sink_.Finish());
  Run run{pass_target_, sink_.index(), sink_.bytes()};
  in_pass_ = false;
  files_.clear();
  spill_.reset();
  merge_.reset();
  if (from_buffer_) {
    ClearBuffer();
  } else {
    for (size_t r = 0; r < pass_runs_; ++r) RemoveFile(runs_[pass_first_ + r].path);
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(pass_first_),
                runs_.begin() + static_cast<std::ptrdiff_t>(pass_first_ + pass_runs_));
  }
  if (pass_target_ == options_.path) {
    output_ = std::move(run);
    output_written_ = true;
  } else {
    const size_t at = from_buffer_ ? runs_.size() : pass_first_;
    runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(at), std::move(run));
  }
  return Status::Ok();
}

Status MapWriter::Spill() {
  DAF_RETURN_IF_ERROR(StartPass(true, 0, 0, NextRunPath()));
  return PumpPass();
}

// Merges neighbouring runs until one merge can take the rest.
Status MapWriter::ReduceRuns() {
  while (runs_.size() > options_.fan_in) {
    for (size_t first = 0; first < runs_.size(); ++first) {
      const size_t n = std::min<size_t>(options_.fan_in, runs_.size() - first);
      if (n < 2) break;
      DAF_RETURN_IF_ERROR(StartPass(false, first, n, NextRunPath()));
      DAF_RETURN_IF_ERROR(PumpPass());
    }
  }
  return Status::Ok();
}

Status MapWriter::BeginCombine(bool last, bool* pass) {
  *pass = false;
  if (in_pass_ || finished_ || !options_.combine)
    return Status(Code::kBadArgument, "no combine pass can begin here");
  if (open_large_ != nullptr) return Status(Code::kBadData, "a value in pieces has no end");
  if (count_ != 0) {
    *pass = true;
    return StartPass(true, 0, 0, last && runs_.empty() ? options_.path : NextRunPath());
  }
  if (!last || runs_.size() < 2) return Status::Ok();
  buffer_.Release();  // nothing comes any more, and the merge has memory of its own
  DAF_RETURN_IF_ERROR(ReduceRuns());
  *pass = true;
  return StartPass(false, 0, runs_.size(), options_.path);
}

Status MapWriter::NextGroups(uint8_t* buffer, size_t capacity, size_t* used) {
  *used = 0;
  if (!in_pass_) return Status(Code::kBadArgument, "no combine pass is under way");
  while (partition_ < options_.partitions) {
    if (from_buffer_) DAF_RETURN_IF_ERROR(WriteSingles());
    DAF_RETURN_IF_ERROR(packer_.Fill(buffer, capacity, used));
    if (*used != 0) return Status::Ok();
    DAF_RETURN_IF_ERROR(sink_.EndPartition());
    ++partition_;
    DAF_RETURN_IF_ERROR(OpenPartition());
  }
  return Status::Ok();
}

// Groups of one value have nothing to be combined with: up to the first of several they are written
// as they are. Only from the buffer, whose records stay where they are.
Status MapWriter::WriteSingles() {
  for (;;) {
    const Piece* piece = nullptr;
    DAF_RETURN_IF_ERROR(packer_.Peek(&piece));
    if (piece == nullptr || piece->more || spill_->NextHasKey(piece->key, piece->key_size))
      return Status::Ok();
    DAF_RETURN_IF_ERROR(sink_.Add(*piece));
    DAF_RETURN_IF_ERROR(packer_.Skip());
  }
}

Status MapWriter::WriteCombined(const uint8_t* batch, size_t size) {
  if (!in_pass_ || partition_ == options_.partitions) {
    return size == 0 ? Status::Ok()
                     : Status(Code::kBadArgument, "combined records outside a combine pass");
  }
  for (size_t at = 0; at < size;) {
    Piece piece;
    DAF_RETURN_IF_ERROR(ParsePiece(batch, size, &at, &piece));
    if (!piece.continues) {
      if (has_last_key_ &&
          CompareKeys(last_key_.data(), last_key_size_, piece.key, piece.key_size) > 0) {
        return Status(Code::kBadArgument, "a combiner must keep the key of its group");
      }
      DAF_RETURN_IF_ERROR(last_key_.Reserve(std::max<size_t>(piece.key_size, 1)));
      std::memcpy(last_key_.data(), piece.key, piece.key_size);
      last_key_size_ = piece.key_size;
      has_last_key_ = true;
    }
    DAF_RETURN_IF_ERROR(sink_.Add(piece));
  }
  return Status::Ok();
}

Status MapWriter::EndCombine() {
  if (!in_pass_) return Status(Code::kBadArgument, "no combine pass is under way");
  return EndPass();
}

Status MapWriter::Finish(MapOutput* out) {
  if (in_pass_ || finished_)
    return Status(Code::kBadArgument, "finish inside a combine pass or twice");
  if (open_large_ != nullptr) return Status(Code::kBadData, "a value in pieces has no end");
  if (!output_written_) {
    if (count_ != 0 && !runs_.empty()) DAF_RETURN_IF_ERROR(Spill());
    if (runs_.size() == 1) {
      DAF_RETURN_IF_ERROR(RenameFile(runs_[0].path, options_.path));
      output_ = std::move(runs_[0]);
      runs_.clear();
    } else if (runs_.empty()) {
      DAF_RETURN_IF_ERROR(StartPass(true, 0, 0, options_.path));
      DAF_RETURN_IF_ERROR(PumpPass());
    } else {
      buffer_.Release();
      DAF_RETURN_IF_ERROR(ReduceRuns());
      DAF_RETURN_IF_ERROR(StartPass(false, 0, runs_.size(), options_.path));
      DAF_RETURN_IF_ERROR(PumpPass());
    }
  }
  finished_ = true;
  out->segments = output_.index;
  out->bytes = output_.bytes;
  out->records = 0;
  for (const SegmentInfo& info : output_.index) out->records += info.records;
  out->spills = spills_;
  buffer_.Release();
  return Status::Ok();
}

void MapWriter::Discard() {
  files_.clear();
  for (const Run& run : runs_) RemoveFile(run.path);
  runs_.clear();
  if (in_pass_ && !pass_target_.empty()) RemoveFile(pass_target_);
  if (!options_.path.empty()) {
    RemoveFile(options_.path);
    if (side_.is_open()) RemoveFile(options_.path + ".side");
  }
  side_.Close();
  in_pass_ = false;
  finished_ = true;
  buffer_.Release();
}

}  // namespace daf
