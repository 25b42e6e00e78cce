// The first of two looks along rays, when training: the coarse network learns the rays' colours by
// itself (Mildenhall et al. 2020, "NeRF", §5.2), and its weights say where the second look's
// samples belong.
#pragma once

#include <memory>
#include <vector>

#include "native/nerf/importance.h"
#include "native/nerf/listed_ray.h"
#include "native/nerf/model.h"
#include "native/nerf/training/losses.h"
#include "native/nerf/training/sample_lanes.h"

namespace daf::nerf {

class CoarseLook {
 public:
  // Everything given must outlive it.
  CoarseLook(const Model& model, const Occupancy* grid, const SceneTrainOptions& options);
  // Errors: kBadArgument when a ray's samples are more than a pass takes, kMemory.
  Status Reserve(Arena* arena);

  // A new batch; then rays, each with samples in every stratum of its way through the box. False
  // for a ray that misses the box, which is not added. At most capacity() of them.
  void Clear();
  uint32_t capacity() const { return pass_->capacity() / options_.importance.coarse; }
  bool Add(const TrainingRay& ray, Rng* rng);
  uint32_t count() const { return lanes_.ray_count; }
  const TrainingRay& ray(uint32_t i) const { return lanes_.rays[i]; }

  // Adds the gradients of the coarse network's own loss, and lets samples(i) go through the samples
  // of both looks.
  void Learn(float* gradients);
  ListedRay& samples(uint32_t i) { return samples_[i]; }

 private:
  void Composite(float* gradients);

  const Model& model_;
  const SceneTrainOptions& options_;
  SamplePlan plan_{};
  std::unique_ptr<FieldPass> pass_;
  const kernels::Table* kernels_ = nullptr;
  SampleLanes lanes_;
  std::vector<ListedRay> samples_;
  uint32_t* stratum_ = nullptr;                    // of each sample
  float* coarse_t_ = nullptr;                      // [capacity][coarse]
  float *weights_ = nullptr, *scratch_ = nullptr;  // [coarse], [fine]
  float *t_ = nullptr, *length_ = nullptr;         // [capacity][total]
};

}  // namespace daf::nerf
