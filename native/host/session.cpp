// PluginSession: map inputs and what is emitted.
#include "native/host/session.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include "native/host/callbacks.h"
#include "native/shuffle/text.h"

namespace daf {

PluginSession::PluginSession(const Plugin& plugin, const std::map<std::string, std::string>& params,
                             const PluginMemory& memory)
    : plugin_(plugin),
      params_(params),
      memory_(memory),
      map_(MapCallbacks(this)),
      reduce_(ReduceCallbacks(this)),
      pulse_(memory.pulse != nullptr ? memory.pulse : &own_pulse_) {}

Status PluginSession::Failed(const std::string& what) const {
  return Status(Code::kPlugin, "plugin " + plugin_.name + ": " + what);
}

bool PluginSession::Stop(const Status& status) {
  if (status_.ok()) status_ = status;
  open_ = false;
  return false;
}

Status AddToCounter(std::map<std::string, int64_t>* counters, const std::string& name,
                    int64_t amount) {
  constexpr int64_t kMost = (int64_t{1} << 53) - 1;
  int64_t& sum = (*counters)[name];
  int64_t next = 0;
  if (__builtin_add_overflow(sum, amount, &next) || next > kMost || next < -kMost)
    return Status(Code::kPlugin, "counter " + name + " goes beyond 2^53 - 1");
  sum = next;
  return Status::Ok();
}

void PluginSession::Count(const char* name, int64_t amount) {
  const Status status = AddToCounter(&counters_, name, amount);
  if (!status.ok()) (void)Stop(Failed(status.message()));
}

std::map<std::string, int64_t> PluginSession::TakeCounters() {
  std::map<std::string, int64_t> out;
  out.swap(counters_);
  return out;
}

Status PluginSession::Run(const PluginCall& call, PluginPort* port, uint64_t* records) {
  port_ = port;
  call_ = call;
  status_ = Status::Ok();
  message_.clear();
  used_ = count_ = 0;
  value_open_ = false;
  folding_ = nullptr;
  *records = 0;
  Status status = PrepareFold(call);
  if (!status.ok()) return status;
  SetOpen();
  try {
    switch (call.work) {
      case PluginWork::kMap:
        status = MapInputs(call, records);
        break;
      case PluginWork::kMapEnd:
        if (folds_) (void)fold_.HandOnAll();
        break;
      case PluginWork::kCombine:
      case PluginWork::kReduce:
        status = Groups();
        break;
    }
  } catch (const std::exception& error) {
    status = Failed(std::string("an exception left the plugin: ") + error.what());
  } catch (...) {
    status = Failed("an exception left the plugin");
  }
  if (!status_.ok()) return status_;  // the first cause, whatever the plugin made of it
  DAF_RETURN_IF_ERROR(status);
  if (value_open_) return Failed("a value in parts was left without its last part");
  return used_ == 0 ? Status::Ok() : port_->Flush(Output());
}

Status PluginSession::MapOne(const uint8_t* key, size_t key_size, const uint8_t* input, size_t size,
                             uint64_t offset) {
  map_.key = reinterpret_cast<const char*>(key);
  map_.key_size = key_size;
  map_.input = reinterpret_cast<const char*>(input);
  map_.input_size = size;
  map_.offset = offset;
  scratch_.Reset();
  Beat();
  if (plugin_.map(&map_) && status_.ok()) return Status::Ok();
  if (!status_.ok()) return status_;
  return Failed(message_.empty() ? "MapMain failed and did not say why" : message_);
}

Status PluginSession::MapInputs(const PluginCall& call, uint64_t* records) {
  const uint8_t* input = memory_.input;
  const size_t size = static_cast<size_t>(call.input_bytes);
  static const uint8_t kEmpty = 0;
  map_.name = call_.document.c_str();
  map_.name_size = call_.document.size();
  map_.task = call.task;
  map_.partitions = call.partitions;
  if (call.cut == PluginCut::kFixed && (call.record_bytes == 0 || size % call.record_bytes != 0)) {
    return Status(Code::kBadData, "the input is not a whole number of fixed-size records");
  }
  const bool whole = call.cut == PluginCut::kWhole ||
                     (plugin_.input != DAF_INPUT_RECORDS && call.cut != PluginCut::kPacked);
  if (whole) {
    if (call.cut == PluginCut::kFixed) {
      *records = size / call.record_bytes;
    } else if (call.cut == PluginCut::kLines) {
      *records = CountLines(input, size);
    } else {
      *records = 1;
    }
    return MapOne(&kEmpty, 0, input, size, call.offset);
  }
  if (call.cut == PluginCut::kFixed) {
    for (size_t at = 0; at < size; at += call.record_bytes, ++*records) {
      DAF_RETURN_IF_ERROR(MapOne(&kEmpty, 0, input + at, call.record_bytes, call.offset + at));
    }
    return Status::Ok();
  }
  if (call.cut == PluginCut::kPacked) {
    for (size_t at = 0; at < size; ++*records) {
      const size_t begin = at;
      Piece piece;
      DAF_RETURN_IF_ERROR(ParsePiece(input, size, &at, &piece));
      if (piece.more || piece.continues)
        return Failed("an input record above 8 MB cannot be given to a plugin");
      DAF_RETURN_IF_ERROR(
          MapOne(piece.key, piece.key_size, piece.value, piece.value_size, call.offset + begin));
    }
    return Status::Ok();
  }
  uint32_t lines[512];
  for (size_t at = 0; at < size;) {
    size_t consumed = 0;
    const size_t found = SplitLines(input + at, size - at, true, lines, 256, &consumed);
    for (size_t i = 0; i < found; ++i, ++*records) {
      const size_t begin = at + lines[2 * i];
      DAF_RETURN_IF_ERROR(MapOne(&kEmpty, 0, input + begin, lines[2 * i + 1], call.offset + begin));
    }
    at += consumed;
  }
  return Status::Ok();
}

PluginOutput PluginSession::Output() const {
  return {memory_.output, used_,
          plugin_.partition != nullptr && IsMap() ? memory_.partitions : nullptr, count_};
}

// Room for `bytes` more and one more record; hands on what is there when there is none.
bool PluginSession::Room(size_t bytes) {
  if (memory_.output_size - used_ >= bytes && count_ < memory_.partitions_size) return true;
  if (used_ != 0) {
    const Status status = port_->Flush(Output());
    used_ = count_ = 0;
    if (!status.ok()) return Stop(status);
  }
  return true;
}

bool PluginSession::Checked(const void* key, size_t key_size) {
  if (!status_.ok()) return false;
  if (key_size > kMaxKeyBytes) return Stop(Failed("emitted a key above 1 MB"));
  if (folding_ != nullptr && !OwnsKey(key, key_size))
    return Stop(Failed("CombineMain emitted another key than its group's"));
  if (call_.work == PluginWork::kCombine) {
    if (key_size + 1 != key_.size() || std::memcmp(key, key_.data(), key_size) != 0) {
      return Stop(Failed("CombineMain emitted another key than its group's"));
    }
  }
  return true;
}

bool PluginSession::Append(const uint8_t* key, size_t key_size, const uint8_t* value,
                           size_t value_size, bool continues, bool more) {
  uint8_t* p = memory_.output + used_;
  if (!continues) {
    if (IsMap() && plugin_.partition != nullptr && call_.partitions != 0) {
      const uint32_t partition =
          plugin_.partition(reinterpret_cast<const char*>(key), key_size, call_.partitions);
      if (partition >= call_.partitions)
        return Stop(Failed("PartitionMain named a reducer that does not exist"));
      memory_.partitions[count_] = partition;
    }
    ++count_;
  }
  Store32(p, static_cast<uint32_t>(key_size) | (continues ? kPiece : 0));
  Store32(p + 4, static_cast<uint32_t>(value_size) | (more ? kMore : 0));
  if (key_size != 0) std::memcpy(p + kRecordHeader, key, key_size);
  if (value_size != 0) std::memcpy(p + kRecordHeader + key_size, value, value_size);
  used_ += kRecordHeader + key_size + value_size;
  return true;
}

bool PluginSession::Emit(const void* key, size_t key_size, const void* value, size_t value_size) {
  const size_t need = kRecordHeader + key_size + value_size;
  const uint8_t* k = static_cast<const uint8_t*>(key);
  const uint8_t* v = static_cast<const uint8_t*>(value);
  if (value_open_) return Stop(Failed("emitted a record inside a value in parts"));
  if (!Checked(key, key_size)) return false;
  if (folding_ != nullptr) {
    if (KeepFolded(v, value_size)) return true;
    if (!HandOnFolded()) return false;
  } else if (folds_ && !(fold_.HandOnKey(KeyOf(k, key_size)) && FoldWhileItPays())) {
    return false;
  }
  if (need > memory_.output_size) return EmitSlowly(k, key_size, v, value_size, false, false);
  return Room(need) && Append(k, key_size, v, value_size, false, false);
}

bool PluginSession::EmitPart(const void* key, size_t key_size, const void* part, size_t part_size,
                             bool more) {
  if (!Checked(key, key_size)) return false;
  const bool continues = value_open_;
  if (folding_ != nullptr) {
    if (!HandOnFolded()) return false;
  } else if (folds_ && !continues &&
             !(fold_.HandOnKey(KeyOf(static_cast<const uint8_t*>(key), key_size)) &&
               FoldWhileItPays())) {
    return false;
  }
  value_open_ = more;
  SetOpen();
  return EmitSlowly(static_cast<const uint8_t*>(key), key_size, static_cast<const uint8_t*>(part),
                    part_size, continues, more);
}

// A value in as many pieces as the output memory makes of it.
bool PluginSession::EmitSlowly(const uint8_t* key, size_t key_size, const uint8_t* value,
                               size_t value_size, bool continues, bool more) {
  for (bool first = true; first || value_size != 0; first = false) {
    const size_t head = kRecordHeader + (continues ? 0 : key_size);
    if (!Room(head + std::min<size_t>(value_size, 4096))) return false;
    const size_t take = std::min(value_size, memory_.output_size - used_ - head);
    if (!Append(key, continues ? 0 : key_size, value, take, continues, more || take < value_size))
      return false;
    value += take;
    value_size -= take;
    continues = true;
  }
  return true;
}

}  // namespace daf
