#include "native/nerf/proposals.h"

#include <cmath>

namespace daf::nerf {

Status Proposals::Reserve(uint32_t rays, Arena* arena) {
  for (float** lane : {&x_, &y_, &z_, &density_})
    DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, lane));
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &slot_));
  for (float** lane : {&coarse_t_, &coarse_})
    DAF_RETURN_IF_ERROR(arena->Allocate(size_t{rays} * counts_.coarse, lane));
  DAF_RETURN_IF_ERROR(arena->Allocate(counts_.coarse, &weights_));
  DAF_RETURN_IF_ERROR(arena->Allocate(counts_.fine, &scratch_));
  for (float** lane : {&t_, &length_})
    DAF_RETURN_IF_ERROR(arena->Allocate(size_t{rays} * counts_.total(), lane));
  return Status::Ok();
}

// The densities of the samples that wait, each into its slot.
void Proposals::Flush() {
  for (uint32_t i = waiting_; i < TilesOf(waiting_) * kernels::kTile; ++i)
    x_[i] = y_[i] = z_[i] = 0.5f;
  if (waiting_ > 0) pass_.Density({x_, y_, z_}, waiting_, density_);
  for (uint32_t i = 0; i < waiting_; ++i) coarse_[slot_[i]] = density_[i];
  evaluated_ += waiting_;
  waiting_ = 0;
}

void Proposals::Ask(ListedRay* ray, uint32_t slot) {
  const float width = (ray->end() - ray->begin()) / static_cast<float>(counts_.coarse);
  for (uint32_t i = 0; i < counts_.coarse; ++i, ++slot) {
    const float within = ray->random() != nullptr ? ray->random()->Uniform() : 0.5f;
    float position[3];
    coarse_t_[slot] = ray->begin() + (static_cast<float>(i) + within) * width;
    coarse_[slot] = 0;
    if (!ray->At(coarse_t_[slot], position)) continue;
    x_[waiting_] = position[0];
    y_[waiting_] = position[1];
    z_[waiting_] = position[2];
    slot_[waiting_++] = slot;
    if (waiting_ == pass_.capacity()) Flush();
  }
}

Status Proposals::Place(ListedRay* const* rays, uint32_t count, const TaskControl& control,
                        uint64_t* samples) {
  evaluated_ = 0;
  waiting_ = 0;
  for (uint32_t r = 0; r < count; ++r) {
    DAF_RETURN_IF_ERROR(control.Check());
    Ask(rays[r], r * counts_.coarse);
  }
  Flush();
  *samples += evaluated_;
  for (uint32_t r = 0; r < count; ++r) {
    const float begin = rays[r]->begin(), end = rays[r]->end();
    const float width = (end - begin) / static_cast<float>(counts_.coarse) / model_.box().edge();
    float through = 1;
    for (uint32_t i = 0; i < counts_.coarse; ++i) {
      const float left = through * std::exp(-coarse_[size_t{r} * counts_.coarse + i] * width);
      weights_[i] = through - left;
      through = left;
    }
    float* t = t_ + size_t{r} * counts_.total();
    float* length = length_ + size_t{r} * counts_.total();
    PlaceSamples(counts_, weights_, coarse_t_ + size_t{r} * counts_.coarse, begin, end,
                 rays[r]->random(), scratch_, t, length);
    rays[r]->Follow(t, length, counts_.total());
  }
  return Status::Ok();
}

}  // namespace daf::nerf
