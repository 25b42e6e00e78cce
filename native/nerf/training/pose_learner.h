// Learns small corrections of the training pictures' poses with the field, by descent through the
// positions of samples (Lin et al. 2021, "BARF").
//
// A loss owes to a camera what it owes to the samples that its rays see: a camera that moves takes
// them along, one that turns moves them by their distance. What colours owe to directions is left
// out: a turn of a degree moves what is seen by many pixels, and hardly changes how it shines.
//
// Each picture has its own Adam, whose second moment is one for all six coordinates, so that steps
// do not depend on the axes (Ling et al. 2022, "VectorAdam").
#pragma once

#include <vector>

#include "native/nerf/training/images.h"
#include "native/nerf/training/pose_space.h"
#include "native/nerf/training/sample_lanes.h"

namespace daf::nerf {

class PoseLearner {
 public:
  // Without, it is not active. The pictures' poses are those that were given; they must not be
  // moved by others. Errors: kMemory.
  Status Begin(const TrainingImages& images, const Box& box, uint32_t threads, Arena* arena);
  bool active() const { return space_.size() > 0; }

  // Where a pass of this thread writes what its loss owes to positions.
  const PositionDeltas* deltas(uint32_t thread) const { return &threads_[thread].deltas; }
  // Adds what the samples that these deltas are of have to teach. Any thread, while nobody updates.
  void Teach(uint32_t thread, const Box& box, const SampleLanes& samples);
  void Clear(uint32_t thread) { ClearMotion(threads_[thread]); }

  // By one thread, after a step at this share of the training: moves the pictures. What was taught
  // is forgotten.
  void Update(double progress, TrainingImages* images);

  // The sum of what all threads have taught about a picture: the loss by its z of PoseSpace.
  void Derivative(size_t picture, PoseVector by_z) const;

  // Corrections and moments, after `steps` steps.
  size_t state_size() const { return space_.size() * kState; }
  const float* state() const { return corrections_; }
  void Restore(const float* state, uint64_t steps, TrainingImages* images);

 private:
  static constexpr size_t kState = 13;  // floats of a picture: z, its mean slope, the mean square

  struct Thread {
    PositionDeltas deltas{};
    double* motion = nullptr;  // [pictures][6]: the loss by τ and ω of the corrected cameras
  };
  void ClearMotion(const Thread& thread);
  void Move(TrainingImages* images) const;

  PoseSpace space_;
  std::vector<Camera> given_;
  std::vector<Thread> threads_;
  float* corrections_ = nullptr;  // z [pictures][6], before the other two
  float* mean_ = nullptr;         // [pictures][6]
  float* square_ = nullptr;       // [pictures]
  uint64_t steps_ = 0;
};

}  // namespace daf::nerf
