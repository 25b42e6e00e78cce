// One thread's part of a training step: draws rays, marches them, and adds the gradients of their
// losses.
//
// Density comes first and alone, for every sample in an occupied cell; then colour and gradients
// where a sample counts: with density = exp(raw), both dL/dcolour and dL/draw are bounded by its
// weight, so that what is left out is as small as the weights left out.
#pragma once

#include <memory>

#include "native/nerf/lattice_rays.h"
#include "native/nerf/march.h"
#include "native/nerf/model.h"
#include "native/nerf/training/background_learner.h"
#include "native/nerf/training/coarse_look.h"
#include "native/nerf/training/phase_clock.h"
#include "native/nerf/training/pose_learner.h"
#include "native/nerf/training/shown_cells.h"

namespace daf::nerf {

struct WorkSums {
  LossSums losses;
  uint64_t candidates = 0;  // samples whose density was computed
  uint64_t samples = 0;     // of which colour and gradients were

  void Add(const WorkSums& other) {
    losses.Add(other.losses);
    candidates += other.candidates;
    samples += other.samples;
  }
};

class alignas(64) TrainingWorker {
 public:
  // skip: of the grid, where rays are to be marched many at a time; else null.
  TrainingWorker(Model* model, const Occupancy* grid, const SkipMap* skip, ShownCells* shown,
                 BackgroundLearner* background, PoseLearner* poses, const TrainingImages* images,
                 const SceneTrainOptions& options, uint32_t thread)
      : model_(*model),
        grid_(*grid),
        skip_(skip),
        shown_(*shown),
        background_(*background),
        poses_(*poses),
        images_(*images),
        options_(options),
        thread_(thread),
        rng_(options.seed, 16 + thread) {}
  Status Reserve(Arena* arena);

  // Adds the gradients of rays with about `samples` samples to `gradients`, or, where `deltas` is
  // not null, what the field's tables learn to it, and fewer samples where it is full or hardly a
  // ray has any. Errors: kBadData when hardly a ray meets the box or an occupied cell; kCancelled.
  Status Accumulate(uint32_t samples, float* gradients, TableDeltas* deltas,
                    const TaskControl& control, WorkSums* sums);
  // This thread's part of a sweep of `grid`.
  Status Sweep(Occupancy* grid, Occupancy::Part part, bool all, uint64_t step,
               const TaskControl& control);

  Rng& rng() { return rng_; }
  PhaseClock& clock() { return clock_; }

 private:
  struct OpenRay {
    Marcher march;
    uint32_t ray;
  };
  // Rays that a step draws at most: where hardly any meets an occupied cell it learns from those
  // few.
  static constexpr uint32_t kMostDrawn = 1 << 20;
  static constexpr float kCut = -1;  // of a ray that there was no room for: it teaches nothing

  Status ReserveLattice(Arena* arena);
  bool Draw(TrainingRay* ray);
  void CountEmpty(const TrainingRay& ray, LossSums* losses);
  void TeachBackground(const TrainingRay& ray, const float* d_out, float opacity);
  Status MayDraw(uint32_t misses, const TaskControl& control);
  Status Gather(uint32_t room, bool draws, const TaskControl& control, LossSums* losses);
  void ContinueOpen(uint32_t room);
  Status DrawAlone(uint32_t room, bool whole, const TaskControl& control, LossSums* losses);
  Status DrawTogether(uint32_t room, const TaskControl& control, LossSums* losses);
  void TakeTogether(uint32_t* count, uint32_t run);
  Status GatherProposed(uint32_t room, float* gradients, const TaskControl& control,
                        LossSums* losses);
  void Select();
  uint64_t SamplesEach() const;
  bool DrawsMore() const;
  void Learn(float* gradients, WorkSums* sums);
  double Losses(uint32_t ray, LossSums* losses);
  bool Walk(uint32_t ray, Marcher* march, uint32_t room);
  void Append(const float position[3], float t, float length);

  Model& model_;
  const Occupancy& grid_;
  const SkipMap* const skip_;
  ShownCells& shown_;
  BackgroundLearner& background_;
  PoseLearner& poses_;
  const TrainingImages& images_;
  const SceneTrainOptions& options_;
  const uint32_t thread_;
  Rng rng_;
  PhaseClock clock_;
  std::unique_ptr<FieldPass> pass_;
  std::unique_ptr<CoarseLook> look_;  // only where the field has a coarse network
  uint32_t misses_ = 0;               // rays without a sample of that look, one after the other
  const kernels::Table* kernels_ = nullptr;
  // Rays are those of the kept samples. The candidates are some of the next samples of rays: those
  // of the i-th run are candidates_.first[i] … candidates_.first[i + 1] − 1 and of the ray run_[i].
  SampleLanes candidates_, kept_;
  uint32_t* run_ = nullptr;
  float* through_ = nullptr;  // by ray: the light that gets through so far; kCut
  OpenRay* open_ = nullptr;   // rays with more samples
  uint32_t open_count_ = 0, run_length_ = 0;
  std::unique_ptr<LatticeRays> lattice_;  // where there is a skip map: the open rays, by ray
  uint32_t* marched_ = nullptr;           // the rays that are marched together
  uint32_t* place_ = nullptr;             // by ray: where among them it is
  LatticeRays::Samples taken_ = {};       // of them
  uint32_t drawn_ = 0;                    // rays of this step, hit or not
  uint64_t learnt_rays_ = 0, learnt_samples_ = 0;  // of this step
  uint32_t* pick_ = nullptr;                       // of the candidates
  uint32_t* order_ = nullptr;                      // of the kept samples
  float* scratch_ = nullptr;                       // Occupancy::kSweepScratch
};

}  // namespace daf::nerf
