// Trains a model from the posed photos of a scene, by one thread or several at once.
//
// Every thread calls Run with the same arguments. In a step each adds the gradients of its own rays
// to its own buffer; then they meet, and each updates its share of the parameters from all buffers
// in their order. The result depends on the seed, the number of threads and the instruction set,
// not on timing.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "native/nerf/training/barrier.h"
#include "native/nerf/training/shared_adam.h"
#include "native/nerf/training/worker.h"

namespace daf::nerf {

struct SceneTrainReport {
  uint64_t step = 0;                               // since training began
  uint64_t rays = 0, candidates = 0, samples = 0;  // of this call, all threads
  double loss = 0;                                 // mean over this call's rays
  double psnr = 0;                                 // of this call's rays, dB
  double occupied = 0;                             // share of the grid's cells
  PhaseSeconds seconds;                            // of this call, all threads together
};

class SceneTrainer {
 public:
  // `model` must outlive the trainer. Errors: kBadArgument, kUnsupported for an
  // option that this kind of field lacks.
  static Status Make(Model* model, const SceneTrainOptions& options,
                     std::unique_ptr<SceneTrainer>* out);
  // Borrows the pixels. Not after Prepare.
  Status AddImage(const TrainingImage& image) { return images_.Add(image); }
  // To be called once, before any Run. Errors: kBadArgument without images, or
  // where the field has appearance codes for another number of them; kBadData when no image
  // sees the box, kMemory, kCancelled.
  Status Prepare(const TaskControl& control);

  // `steps` more steps, of which this thread does its part; returns when all threads are through.
  // Without options.total_steps the learning rate's schedule goes from `begin` to `end`, shares of
  // the whole training. The report is the same for every thread. Errors: kBadArgument, kBadData
  // when hardly a ray meets the field or the weights left the finite numbers, kCancelled; then
  // every thread fails, and the field is as after the last whole step.
  Status Run(uint32_t thread, uint32_t steps, double begin, double end, const TaskControl& control,
             SceneTrainReport* report);

  // Replaces the field's weights by their moving average, or undoes it; the model then holds
  // something only where training pictures show it. Not during Run. False when there is no average.
  bool UseAverage(bool average);

  // Everything that training continues from: weights, moments, occupancy, random states, and a
  // note of the caller's. Not during Run, nor while the average is in use. Errors: kIo,
  // kBadArgument.
  Status SaveState(const std::string& path, const std::string& note);
  // Into a prepared trainer made with the same field, options and images; training then goes on as
  // if it had not been interrupted. Errors: kBadData where the file is not one of such a training.
  Status RestoreState(const SafetensorsFile& file, std::string* note);

  // Where each picture was taken from, as far as is known by now. Not during Run.
  const std::vector<TrainingImage>& images() const { return images_.all(); }
  uint64_t step() const { return adam_.steps(); }
  uint32_t threads() const { return options_.threads; }
  Model& model() { return model_; }

 private:
  SceneTrainer(Model* model, const SceneTrainOptions& options);
  Status Step(uint32_t thread, double progress, const TaskControl& control);
  // At the barrier: the phase after it is `next`.
  Status Meet(uint32_t thread, const TaskControl& control, Phase next);
  Status SweepGrid(uint32_t thread, const TaskControl& control);
  float Rate(double progress) const;
  // Samples of a step that one thread takes.
  uint32_t Share() const { return std::max(1u, options_.samples_per_step / options_.threads); }
  void LimitModel();
  bool SweepsAll() const;
  bool SweepDue() const;

  Model& model_;
  const SceneTrainOptions options_;
  Arena arena_;
  TrainingImages images_;
  Occupancy grid_;      // not the model's, which is made anew for whoever renders
  SkipMap skip_;        // of the grid, for rays that are marched many at a time
  bool skips_ = false;  // whether they are: in a bounded box, where no coarse network asks first
  ShownCells shown_;
  SharedAdam adam_;
  Barrier barrier_;
  BackgroundLearner background_;
  PoseLearner poses_;
  std::vector<std::unique_ptr<TrainingWorker>> workers_;
  std::vector<WorkSums> step_sums_, run_sums_;  // by thread
  float* own_weights_ = nullptr;                // while the average is in use
  bool averaged_ = false, prepared_ = false;
  bool sweep_due_ = false;  // also after one that was cancelled: it is done again
};

}  // namespace daf::nerf
