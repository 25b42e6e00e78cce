// What is trained, rendered and saved: a field, its box and its occupancy grid. Threads may render
// and evaluate one model at the same time, while none trains it.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "native/nerf/background.h"
#include "native/nerf/camera.h"
#include "native/nerf/field.h"
#include "native/nerf/occupancy.h"
#include "native/nerf/pass_pool.h"
#include "native/nerf/skip_map.h"
#include "native/nerf/space.h"

namespace daf::nerf {

class Model {
 public:
  // Errors: kBadArgument for an invalid box or occupancy resolution, kMemory.
  static Status Make(std::unique_ptr<Field> field, const Box& box, uint32_t occupancy,
                     std::unique_ptr<Model>* out);
  // A checkpoint, validated: shapes, ranges, finite weights. Errors: kBadData, kMemory.
  static Status Load(const SafetensorsFile& file, std::unique_ptr<Model>* out);
  Status Save(Arena* scratch, SafetensorsWriter* writer);
  // Replaces the field's weights by the tensors of `file`. Errors: kBadData naming the tensor at
  // fault; some weights may be replaced then.
  Status Assign(const SafetensorsFile& file);

  Field& field() { return *field_; }
  const Field& field() const { return *field_; }
  const Box& box() const { return box_; }
  // Null where none was learnt.
  Background* background() { return background_.get(); }
  const Background* background() const { return background_.get(); }
  void NewBackground(uint64_t seed) { background_ = std::make_unique<Background>(seed); }
  // Those of the pictures that it learnt from; empty where that is not known.
  const std::vector<Camera>& cameras() const { return cameras_; }
  void SetCameras(std::vector<Camera> cameras) { cameras_ = std::move(cameras); }
  Occupancy& occupancy() { return occupancy_; }
  const Occupancy& occupancy() const { return occupancy_; }

  // A pass for inference for this thread alone. Thread-safe. Errors: as Field::NewPass.
  Status Borrow(PassKind kind, PassPool::Loan* out) { return passes_.Borrow(*field_, kind, out); }
  // The same of the coarse network. Errors: also kUnsupported where the field has none.
  Status BorrowCoarse(PassKind kind, PassPool::Loan* out) {
    return coarse_passes_.Borrow(*field_, kind, out);
  }
  // Training changed the field: the occupancy grid no longer fits.
  void Touch() {
    stale_ = true;
    mapped_ = false;
  }
  // Sweeps the occupancy grid if the field changed since; of several threads one does, the others
  // wait. Errors: kCancelled, kMemory.
  Status RefreshOccupancy(const TaskControl& control);
  // The same, and the skip map of a bounded box with it.
  Status PrepareSkipping(const TaskControl& control);
  // Along the box's longest edge, for a picture that shows what the field tells apart: an opaque
  // surface is found to within one of them.
  uint32_t samples() const {
    return box_.unbounded ? 256 : std::min(std::max(field_->detail(), 256u), 512u);
  }
  const SkipMap& skip_map() const { return skip_map_; }

  // Density per unit of length at points[n][3], and colour[n][3] seen along directions[n][3] unless
  // either is null. Zero outside a bounded box.
  Status Evaluate(const float* points, const float* directions, size_t n, float* density,
                  float* color, const TaskControl& control, PassKind kind = PassKind::kInference);

  // colors[views][n][3] at points[n][3] seen along directions[views][n][3].
  Status Colors(const float* points, size_t n, const float* directions, size_t views, float* colors,
                const TaskControl& control);

 private:
  // Lanes of unit-cube coordinates, padded to whole tiles.
  void ToLanes(const float* points, uint32_t count, float* const lanes[3]) const;
  Status Refresh(const TaskControl& control);

  std::unique_ptr<Field> field_;
  std::unique_ptr<Background> background_;
  std::array<float, Background::kParameters> saved_background_;  // while a writer borrows it
  PassPool passes_, coarse_passes_{true};
  Box box_;
  std::vector<Camera> cameras_;
  Occupancy occupancy_;
  std::mutex refreshing_;
  bool stale_ = true;
  SkipMap skip_map_;
  bool mapped_ = false;  // the skip map is that of the occupancy grid
};

}  // namespace daf::nerf
