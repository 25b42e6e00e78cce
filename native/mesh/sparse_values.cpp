#include "native/mesh/sparse_values.h"

#include <algorithm>
#include <limits>

namespace daf::mesh {
namespace {
// A point that waits in the batch; no value is infinite.
constexpr float kAsked = std::numeric_limits<float>::infinity();
}  // namespace

Status SparseValues::Open() {
  constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();
  lattice_side_ = grid_.side() / kCoarseCells + 1;
  const size_t lattice = lattice_side_ * lattice_side_ * lattice_side_;
  side_ = (grid_.side() + kEdge - 1) / kEdge;
  const size_t count = side_ * side_ * side_;
  DAF_RETURN_IF_ERROR(arena_.Allocate(lattice, &lattice_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(count, &table_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(3 * kBatch, &points_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(kBatch, &values_));
  std::fill_n(lattice_, lattice, kUnknown);
  std::fill_n(table_, count, kNone);
  targets_.reserve(kBatch);
  return Status::Ok();
}

// The block around a point.
Status SparseValues::Make(size_t x, size_t y, size_t z) {
  if (count_ % kSlab == 0) {
    float* slab;
    DAF_RETURN_IF_ERROR(arena_.Allocate(kSlab * kPoints, &slab));
    std::fill_n(slab, kSlab * kPoints, std::numeric_limits<float>::quiet_NaN());
    slabs_.push_back(slab);
  }
  table_[BlockOf(x, y, z)] = count_++;
  return Status::Ok();
}

Status SparseValues::Ask(size_t x, size_t y, size_t z) {
  float* place = Place(x, y, z);
  if (place == nullptr) {
    DAF_RETURN_IF_ERROR(Make(x, y, z));
    place = Place(x, y, z);
  }
  float& value = *place;
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
