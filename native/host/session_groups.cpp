// PluginSession: the groups of a combine or a reduce.
#include <algorithm>
#include <cstring>

#include "native/host/callbacks.h"
#include "native/host/session.h"

namespace daf {

Status PluginSession::Refill() {
  const PluginOutput output = Output();
  used_ = count_ = 0;
  size_t size = 0;
  const Status status = port_->More(output, &size);
  at_ = 0;
  input_end_ = status.ok() ? size : 0;
  return status;
}

Status PluginSession::NextPiece(Piece* piece) {
  if (at_ == input_end_) DAF_RETURN_IF_ERROR(Refill());
  if (at_ == input_end_) return Status(Code::kInternal, "a group has no end");
  DAF_RETURN_IF_ERROR(ParsePiece(memory_.input, input_end_, &at_, piece));
  more_ = piece->more;
  if (piece->last) group_open_ = false;
  return Status::Ok();
}

Status PluginSession::Groups() {
  at_ = 0;
  input_end_ = static_cast<size_t>(call_.input_bytes);
  reduce_.task = call_.task;
  reduce_.partition = call_.task;
  for (;;) {
    if (at_ == input_end_) DAF_RETURN_IF_ERROR(Refill());
    if (at_ == input_end_) return Status::Ok();
    DAF_RETURN_IF_ERROR(OneGroup());
  }
}

Status PluginSession::OneGroup() {
  size_t peek = at_;
  Piece first;
  DAF_RETURN_IF_ERROR(ParsePiece(memory_.input, input_end_, &peek, &first));
  const bool combine = call_.work == PluginWork::kCombine;
  if (combine && first.last) {
    // A value alone has nothing to be combined with, and combining is optional: it passes as it is.
    at_ = peek;
    const size_t need = kRecordHeader + first.key_size + first.value_size;
    if (need <= memory_.output_size) {
      const bool passed = Room(need) && Append(first.key, first.key_size, first.value,
                                               first.value_size, false, false);
      return passed ? Status::Ok() : status_;
    }
    return EmitSlowly(first.key, first.key_size, first.value, first.value_size, false, false)
               ? Status::Ok()
               : status_;
  }
  key_.resize(first.key_size + 1);
  std::memcpy(key_.data(), first.key, first.key_size);
  key_[first.key_size] = '\0';
  reduce_.key_size = first.key_size;
  reduce_.value = reduce_.value_key = nullptr;
  reduce_.value_size = reduce_.value_key_size = 0;
  reduce_.value_more = false;
  group_open_ = true;
  more_ = false;
  scratch_.Reset();
  const bool good =
      combine ? plugin_.combine(key_.data(), &reduce_) : plugin_.reduce(key_.data(), &reduce_);
  if (!status_.ok()) return status_;
  if (!good) {
    const char* name = combine ? "CombineMain" : "ReduceMain";
    return Failed(message_.empty() ? std::string(name) + " failed and did not say why" : message_);
  }
  Piece skipped;
  while (group_open_) DAF_RETURN_IF_ERROR(NextPiece(&skipped));
  return Status::Ok();
}

bool PluginSession::NextValue() {
  if (!status_.ok()) return false;
  Piece piece;
  // Parts of the value before that were not read.
  while (more_) {
    const Status status = NextPiece(&piece);
    if (!status.ok()) return Stop(status);
  }
  reduce_.value_more = false;
  if (!group_open_) return false;
  Status status = NextPiece(&piece);
  if (!status.ok()) return Stop(status);
  if (!piece.more) {
    reduce_.value_key = reinterpret_cast<const char*>(piece.key);
    reduce_.value_key_size = piece.key_size;
    reduce_.value = reinterpret_cast<const char*>(piece.value);
    reduce_.value_size = piece.value_size;
    return true;
  }
  // Pieces are joined up to 8 MB; their memory is only here when a job has such values.
  value_key_.assign(piece.key, piece.key + piece.key_size);
  size_t size = 0;
  for (;;) {
    status = assembled_.Reserve(
        std::min<size_t>(std::max<size_t>(2 * (size + piece.value_size), 1u << 16),
                         std::max<size_t>(size + piece.value_size, 2 * kMaxInlineValue)),
        size);
    if (!status.ok()) return Stop(status);
    if (piece.value_size != 0) std::memcpy(assembled_.data() + size, piece.value, piece.value_size);
    size += piece.value_size;
    if (!piece.more || size >= kMaxInlineValue) break;
    status = NextPiece(&piece);
    if (!status.ok()) return Stop(status);
  }
  reduce_.value_key = reinterpret_cast<const char*>(value_key_.data());
  reduce_.value_key_size = value_key_.size();
  reduce_.value = reinterpret_cast<const char*>(assembled_.data());
  reduce_.value_size = size;
  reduce_.value_more = piece.more;
  if (piece.more && (plugin_.flags & DAF_LARGE_VALUES) == 0) {
    return Stop(
        Failed("a value above 8 MB came, and the plugin does not read values in parts "
               "(DAF_LARGE_VALUES)"));
  }
  return true;
}

bool PluginSession::NextPart() {
  if (!status_.ok() || !more_ || folding_ != nullptr) return false;
  Piece piece;
  const Status status = NextPiece(&piece);
  if (!status.ok()) return Stop(status);
  reduce_.value = reinterpret_cast<const char*>(piece.value);
  reduce_.value_size = piece.value_size;
  reduce_.value_more = piece.more;
  return true;
}

}  // namespace daf
