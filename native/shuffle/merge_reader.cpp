#include "native/shuffle/merge_reader.h"

#include <algorithm>

namespace daf {
namespace {

// Looks a partition up in its file's index.
Status Locate(MergeSource* source) {
  if (source->partition < 0) return Status::Ok();
  File file;
  std::vector<SegmentInfo> index;
  DAF_RETURN_IF_ERROR(file.OpenRead(source->path));
  DAF_RETURN_IF_ERROR(ReadSegmentIndex(file, &index));
  if (static_cast<size_t>(source->partition) >= index.size()) {
    return Status(Code::kBadData,
                  source->path + " has no partition " + std::to_string(source->partition));
  }
  const SegmentInfo& info = index[static_cast<size_t>(source->partition)];
  source->offset = info.offset;
  source->bytes = info.bytes;
  return Status::Ok();
}

}  // namespace

Status MergeReader::Open(const MergeReaderOptions& options, const TaskControl& control) {
  if (options.fan_in < 2 || options.fan_in > 512)
    return Status(Code::kBadArgument, "the fan-in must be 2 to 512");
  options_ = options;
  control_ = control;
  for (size_t i = 0; i < options.sources.size(); ++i) {
    MergeSource source = options.sources[i];
    const Status located = Locate(&source);
    if (!located.ok()) {
      failed_ = static_cast<int>(i);
      return located;
    }
    if (source.bytes != 0) sources_.push_back({source, static_cast<int>(i), false});
  }
  DAF_RETURN_IF_ERROR(MergeDown());
  DAF_RETURN_IF_ERROR(OpenGroup(0, sources_.size()));
  packer_.Start(merge_.get(), options_.group_prefix);
  return Status::Ok();
}

Status MergeReader::OpenGroup(size_t first, size_t count) {
  files_.clear();
  files_.resize(count);
  merge_ = std::make_unique<MergeStream>(control_);
  for (size_t i = 0; i < count; ++i) {
    const Source& source = sources_[first + i];
    const Status opened = files_[i].OpenRead(source.at.path);
    if (!opened.ok()) {
      failed_ = source.origin;
      return opened;
    }
    merge_->Reader(i).Open(&files_[i], source.at.offset, source.at.bytes);
  }
  const Status started = merge_->Start(count);
  if (!started.ok()) Blame(first);
  return started;
}

void MergeReader::Blame(size_t first) {
  const int i = merge_->failed_source();
  if (i >= 0) failed_ = sources_[first + static_cast<size_t>(i)].origin;
}

Status MergeReader::MergeDown() {
  while (sources_.size() > options_.fan_in) {
    if (options_.temp.empty())
      return Status(Code::kBadArgument, "merging more than fanIn segments needs a temp path");
    for (size_t first = 0; first < sources_.size(); ++first) {
      const size_t count = std::min<size_t>(options_.fan_in, sources_.size() - first);
      if (count < 2) break;
      DAF_RETURN_IF_ERROR(OpenGroup(first, count));
      const std::string path = options_.temp + ".merge" + std::to_string(next_temp_++);
      SegmentWriter sink;
      Status status = sink.Create(path, options_.block_bytes);
      Piece piece;
      for (bool more = true; status.ok();) {
        status = merge_->Next(&piece, &more);
        if (!status.ok()) Blame(first);
        if (!more || !status.ok()) break;
        status = sink.Add(piece);
      }
      if (status.ok()) status = sink.EndPartition();
      if (status.ok()) status = sink.Finish();
      if (!status.ok()) {
        RemoveFile(path);
        return status;
      }
      const SegmentInfo info = sink.index()[0];
      for (size_t i = 0; i < count; ++i) {
        if (sources_[first + i].temporary) RemoveFile(sources_[first + i].at.path);
      }
      const auto at = sources_.begin() + static_cast<std::ptrdiff_t>(first);
      sources_.erase(at + 1, at + static_cast<std::ptrdiff_t>(count));
      sources_[first] = {{path, -1, info.offset, info.bytes}, -1, true};
    }
  }
  return Status::Ok();
}

Status MergeReader::Next(uint8_t* buffer, size_t capacity, size_t* used) {
  *used = 0;
  if (merge_ == nullptr) return Status(Code::kBadArgument, "the merge is closed");
  const Status status = packer_.Fill(buffer, capacity, used);
  if (!status.ok()) Blame(0);
  return status;
}

void MergeReader::Close() {
  files_.clear();
  merge_.reset();
  for (const Source& source : sources_) {
    if (source.temporary) RemoveFile(source.at.path);
  }
  sources_.clear();
}

}  // namespace daf
