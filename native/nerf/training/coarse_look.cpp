#include "native/nerf/training/coarse_look.h"

#include <cstring>

namespace daf::nerf {

CoarseLook::CoarseLook(const Model& model, const Occupancy* grid, const SceneTrainOptions& options)
    : model_(model), options_(options) {
  plan_.box = &model.box();
  plan_.grid = grid;
  plan_.stratified = true;
  plan_.far = INFINITY;
}

Status CoarseLook::Reserve(Arena* arena) {
  const ImportanceCounts& counts = options_.importance;
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  DAF_RETURN_IF_ERROR(model_.field().NewCoarsePass(PassKind::kTraining, arena, &pass_));
  if (counts.total() > pass_->capacity())
    return Status(Code::kBadArgument,
                  "training: coarse and fine samples of a ray must be at most " +
                      std::to_string(pass_->capacity()));
  DAF_RETURN_IF_ERROR(lanes_.Reserve(arena));
  samples_.resize(capacity());
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &stratum_));
  DAF_RETURN_IF_ERROR(arena->Allocate(size_t{capacity()} * counts.coarse, &coarse_t_));
  DAF_RETURN_IF_ERROR(arena->Allocate(counts.coarse, &weights_));
  DAF_RETURN_IF_ERROR(arena->Allocate(counts.fine, &scratch_));
  DAF_RETURN_IF_ERROR(arena->Allocate(size_t{capacity()} * counts.total(), &t_));
  return arena->Allocate(size_t{capacity()} * counts.total(), &length_);
}

void CoarseLook::Clear() {
  lanes_.Clear();
  lanes_.first[0] = 0;
}

bool CoarseLook::Add(const TrainingRay& ray, Rng* rng) {
  const uint32_t index = lanes_.ray_count, coarse = options_.importance.coarse;
  ListedRay& samples = samples_[index];
  plan_.seed = rng->Next();
  if (!samples.Start(plan_, ray.ray, rng->Next())) return false;
  const float width = (samples.end() - samples.begin()) / static_cast<float>(coarse),
              edge = model_.box().edge();
  for (uint32_t i = 0; i < coarse; ++i) {
    const float t = samples.begin() + (static_cast<float>(i) + samples.random()->Uniform()) * width;
    coarse_t_[index * coarse + i] = t;
    float position[3];
    if (!samples.At(t, position)) continue;
    const uint32_t at = lanes_.samples++;
    lanes_.x[at] = position[0];
    lanes_.y[at] = position[1];
    lanes_.z[at] = position[2];
    lanes_.dx[at] = ray.ray.direction[0];
    lanes_.dy[at] = ray.ray.direction[1];
    lanes_.dz[at] = ray.ray.direction[2];
    lanes_.t[at] = t / edge;
    lanes_.step[at] = width / edge;
    stratum_[at] = i;
  }
  lanes_.rays[index] = ray;
  lanes_.first[++lanes_.ray_count] = lanes_.samples;
  return true;
}

// Forward, loss and backward; leaves the samples' weights.
void CoarseLook::Composite(float* gradients) {
  SampleLanes& l = lanes_;
  if (l.samples == 0) return;
  l.Pad();
  pass_->Forward({l.x, l.y, l.z}, {l.dx, l.dy, l.dz}, l.samples, l.density, {l.r, l.g, l.b});
  const kernels::CompositeArgs args = {
      l.ray_count, l.first, l.density, l.step,  l.r,         l.g,   l.b,   l.t,  l.alpha,
      l.weight,    l.out,   l.d_out,   nullptr, l.d_density, l.d_r, l.d_g, l.d_b};
  kernels_->composite(&args);
  LossSums unreported;  // what is reported is what is rendered: the other network's
  for (uint32_t i = 0; i < l.ray_count; ++i)
    ColorLoss(options_, l.rays[i], l.out + size_t{i} * 6, l.d_out + size_t{i} * 4, &unreported);
  kernels_->composite_backward(&args);
  pass_->Backward(l.d_density, {l.d_r, l.d_g, l.d_b}, gradients);
}

void CoarseLook::Learn(float* gradients) {
  Composite(gradients);
  const ImportanceCounts& counts = options_.importance;
  for (uint32_t i = 0; i < lanes_.ray_count; ++i) {
    std::memset(weights_, 0, counts.coarse * sizeof(float));
    for (uint32_t s = lanes_.first[i]; s < lanes_.first[i + 1]; ++s)
      weights_[stratum_[s]] = lanes_.weight[s];
    float* t = t_ + size_t{i} * counts.total();
    float* length = length_ + size_t{i} * counts.total();
    PlaceSamples(counts, weights_, coarse_t_ + size_t{i} * counts.coarse, samples_[i].begin(),
                 samples_[i].end(), samples_[i].random(), scratch_, t, length);
    samples_[i].Follow(t, length, counts.total());
  }
}

}  // namespace daf::nerf
