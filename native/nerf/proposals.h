// The first of two looks along rays, when rendering: a coarse network says where the samples of the
// second one belong.
#pragma once

#include "native/nerf/importance.h"
#include "native/nerf/listed_ray.h"
#include "native/nerf/model.h"

namespace daf::nerf {

class Proposals {
 public:
  // Everything given must outlive it. `counts` has at least one sample of either kind.
  Proposals(const Model& model, FieldPass* coarse, const ImportanceCounts& counts)
      : model_(model), pass_(*coarse), counts_(counts) {}
  // For up to `rays` rays at a time. Errors: kMemory.
  Status Reserve(uint32_t rays, Arena* arena);

  // Lets each of the rays follow the samples found for it.
  // Adds the coarse densities evaluated to *samples. Errors: kCancelled.
  Status Place(ListedRay* const* rays, uint32_t count, const TaskControl& control,
               uint64_t* samples);

 private:
  void Ask(ListedRay* ray, uint32_t slot);
  void Flush();

  const Model& model_;
  FieldPass& pass_;
  const ImportanceCounts counts_;
  float *x_ = nullptr, *y_ = nullptr, *z_ = nullptr, *density_ = nullptr;  // of one pass
  uint32_t* slot_ = nullptr;                                               // of each of its samples
  uint32_t waiting_ = 0;
  uint64_t evaluated_ = 0;
  float *coarse_t_ = nullptr, *coarse_ = nullptr;  // [rays][coarse]: distances; densities
  float *weights_ = nullptr, *scratch_ = nullptr;  // [coarse], [fine]
  float *t_ = nullptr, *length_ = nullptr;         // [rays][total]
};

}  // namespace daf::nerf
