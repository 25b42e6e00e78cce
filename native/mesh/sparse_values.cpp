#include "native/mesh/sparse_values.h"

#include <algorithm>
#include <limits>

namespace daf::mesh {
namespace {
// A point that waits in the batch; no value is infinite.
constexpr float kAsked = std::numeric_limits<float>::infinity();
}  // namespace

Status SparseValues::Open() {
  side_ = (grid_.side() + kEdge - 1) / kEdge;
  const size_t count = side_ * side_ * side_;
  DAF_RETURN_IF_ERROR(arena_.Allocate(count, &table_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(3 * kBatch, &points_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(kBatch, &values_));
  std::fill_n(table_, count, kNone);
  targets_.reserve(kBatch);
  return Status::Ok();
}

Status SparseValues::Ask(size_t x, size_t y, size_t z) {
  uint32_t& block = table_[BlockOf(x, y, z)];
  if (block == kNone) {
    float* fresh;
    DAF_RETURN_IF_ERROR(arena_.Allocate(kPoints, &fresh));
    std::fill_n(fresh, kPoints, std::numeric_limits<float>::quiet_NaN());
    block = static_cast<uint32_t>(blocks_.size());
    blocks_.push_back(fresh);
  }
  float& value = blocks_[block][PointOf(x, y, z)];
  if (!std::isnan(value)) return Status::Ok();
  if (grid_.OnFace(x, y, z)) {
    value = grid_.Outside();
    return Status::Ok();
  }
  value = kAsked;
  float* point = points_ + 3 * targets_.size();
  point[0] = grid_.Coordinate(0, x);
  point[1] = grid_.Coordinate(1, y);
  point[2] = grid_.Coordinate(2, z);
  targets_.push_back(&value);
  return targets_.size() == kBatch ? Flush() : Status::Ok();
}

Status SparseValues::Flush() {
  DAF_RETURN_IF_ERROR(control_.Check());
  if (targets_.empty()) return Status::Ok();
  DAF_RETURN_IF_ERROR(sampler_(points_, targets_.size(), values_));
  DAF_RETURN_IF_ERROR(CheckFinite(values_, targets_.size()));
  for (size_t i = 0; i < targets_.size(); ++i) *targets_[i] = values_[i];
  queries_ += targets_.size();
  targets_.clear();
  return Status::Ok();
}

}  // namespace daf::mesh
