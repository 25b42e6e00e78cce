// Trains a model from pictures: photos with mattes, and rendered views whose depth and opacity are
// known.
//
// A step draws rays from both sources in a given proportion until it has its samples, composites
// them over a random background, and takes one step of Adam. Losses of a ray: Huber of the colour,
// squared error of the opacity, and, where the depth is known, Σ w e with e = the squared distance
// of a sample from the surface in margins: light must end at the surface.
#pragma once

#include <memory>

#include "native/base/control.h"
#include "native/nerf/adam.h"
#include "native/nerf/model.h"
#include "native/nerf/views.h"

namespace daf::nerf {

struct TrainOptions {
  float supervised_fraction = 0.5f;  // of the rays, when both sources exist
  uint32_t samples_per_step = 2048;
  uint32_t total_steps = 600;  // of the learning-rate schedule
  float learning_rate = 2e-2f;
  float opacity_weight = 1;
  float depth_weight = 0.5f;
  float color_delay = 0.1f;  // of total_steps; only with supervised views
  float surface_margin = 0;  // a length; 0: edge / 32
  uint32_t max_samples_per_ray = 96;
  uint64_t seed = 1;
};

struct TrainReport {
  uint32_t step = 0;
  uint64_t rays = 0, samples = 0;
  double loss = 0, color_loss = 0, opacity_loss = 0, depth_loss = 0;  // means over this call's rays
  double psnr = 0;  // NaN when no colour was trained
  double occupied = 0;
};

class Trainer {
 public:
  ~Trainer();
  // `model` must outlive the trainer. Errors: kBadArgument.
  static Status Make(Model* model, const TrainOptions& options, std::unique_ptr<Trainer>* out);
  Status AddView(const ViewInput& view) { return views_.Add(view); }
  // `steps` more steps. The first call carves the occupancy grid. Errors: kBadArgument without
  // views, kBadData when no ray of any view meets the box, kCancelled between steps, kMemory.
  Status Run(uint32_t steps, const TaskControl& control, TrainReport* report);

 private:
  struct TargetRay;
  struct Lanes;

  Trainer(Model* model, const TrainOptions& options);
  Status Prepare(const TaskControl& control);
  Status Step(const TaskControl& control, TrainReport* report);
  bool DrawRay(TargetRay* ray);
  uint32_t Place(const TargetRay& ray, uint32_t at);
  void Push(const TargetRay& ray, float t, float length, uint32_t at);
  void Losses(bool color, TrainReport* report);

  Model& model_;
  TrainOptions options_;
  Rng rng_;
  Arena views_arena_, arena_;
  ViewSet views_;
  Adam adam_;
  std::unique_ptr<FieldPass> pass_;
  std::unique_ptr<Lanes> lanes_;
  const kernels::Table* kernels_ = nullptr;
  double squared_error_ = 0;
  uint64_t colored_ = 0;
  uint32_t step_ = 0;
  bool prepared_ = false, marches_ = false;
};

}  // namespace daf::nerf
