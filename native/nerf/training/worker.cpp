#include "native/nerf/training/worker.h"

#include <algorithm>
#include <cmath>

namespace daf::nerf {
namespace {
constexpr uint64_t kMostCandidates = 16;  // times the samples of a step: where hardly any counts
}  // namespace

Status TrainingWorker::Reserve(Arena* arena) {
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  DAF_RETURN_IF_ERROR(model_.field().NewPass(PassKind::kTraining, arena, &pass_));
  if (model_.field().has_coarse()) {
    look_ = std::make_unique<CoarseLook>(model_, &grid_, options_);
    DAF_RETURN_IF_ERROR(look_->Reserve(arena));
  }
  DAF_RETURN_IF_ERROR(candidates_.Reserve(arena));
  DAF_RETURN_IF_ERROR(kept_.Reserve(arena));
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &pick_));
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &order_));
  DAF_RETURN_IF_ERROR(arena->Allocate(SampleLanes::kMaxRays, &run_));
  DAF_RETURN_IF_ERROR(arena->Allocate(SampleLanes::kMaxRays, &through_));
  DAF_RETURN_IF_ERROR(arena->Allocate(SampleLanes::kMaxRays, &open_));
  if (skip_ != nullptr) DAF_RETURN_IF_ERROR(ReserveLattice(arena));
  if (model_.field().appearance_images() > 0) pass_->Appearance(kept_.image);
  if (poses_.active()) pass_->Positions(poses_.deltas(thread_));
  return arena->Allocate(Occupancy::kSweepScratch, &scratch_);
}

Status TrainingWorker::Accumulate(uint32_t samples, float* gradients, TableDeltas* deltas,
                                  const TaskControl& control, WorkSums* sums) {
  pass_->Defer(deltas);
  const uint32_t capacity = pass_->capacity();
  const uint64_t target = sums->samples + samples,
                 limit = sums->candidates + kMostCandidates * samples;
  kept_.Clear();
  open_count_ = 0;
  learnt_rays_ = 0;
  learnt_samples_ = 0;
  drawn_ = 0;
  for (bool draws = true;;) {
    DAF_RETURN_IF_ERROR(control.Check());
    const uint32_t space = capacity - kept_.samples;
    clock_.Enter(Phase::kRays);
    DAF_RETURN_IF_ERROR(look_ != nullptr ? GatherProposed(space, gradients, control, &sums->losses)
                                         : Gather(space, draws, control, &sums->losses));
    candidates_.Pad();
    DAF_RETURN_IF_ERROR(control.Check());  // the coarse network has learnt from as many samples
    clock_.Enter(Phase::kDensity);
    pass_->Density({candidates_.x, candidates_.y, candidates_.z}, candidates_.samples,
                   candidates_.density);
    sums->candidates += candidates_.samples;
    clock_.Enter(Phase::kRays);
    Select();
    const bool enough = sums->samples + kept_.samples >= target || sums->candidates >= limit ||
                        drawn_ >= kMostDrawn;
    draws = draws && !enough && candidates_.ray_count > 0 && DrawsMore();
    if (draws || open_count_ > 0) continue;
    draws = true;
    DAF_RETURN_IF_ERROR(control.Check());
    clock_.Enter(Phase::kLearn);
    Learn(gradients, sums);
    const bool full = deltas != nullptr && deltas->room - deltas->tiles < TilesOf(capacity);
    if (enough || full) return Status::Ok();
  }
}

// Copies the candidates that count to the kept samples, and closes the rays that end there.
void TrainingWorker::Select() {
  const SampleLanes& c = candidates_;
  SampleLanes& k = kept_;
  const uint32_t before = k.samples;
  // What each candidate alone lets through: the lane is free until samples are composited.
  float* const passes = c.alpha;
  const uint32_t padded = TilesOf(c.samples) * kernels::kTile;
  for (uint32_t s = 0; s < padded; ++s) passes[s] = -c.density[s] * c.step[s];
  kernels_->exponential(passes, passes, padded);
  for (uint32_t i = 0; i < c.ray_count; ++i) {
    const uint32_t ray = run_[i];
    const float* direction = k.rays[ray].ray.direction;
    float through = through_[ray];
    for (uint32_t s = c.first[i]; s < c.first[i + 1] && through > options_.min_transmittance; ++s) {
      const float left = through * passes[s];
      if (through - left >= options_.min_weight) {
        const uint32_t at = k.samples++;
        pick_[at - before] = s;
        k.x[at] = c.x[s];
        k.y[at] = c.y[s];
        k.z[at] = c.z[s];
        k.dx[at] = direction[0];
        k.dy[at] = direction[1];
        k.dz[at] = direction[2];
        k.t[at] = c.t[s];
        k.step[at] = c.step[s];
        k.image[at] = k.rays[ray].image;
        k.ray[at] = ray;
        shown_.Mark(thread_, c.x[s], c.y[s], c.z[s]);
      }
      through = left;
    }
    through_[ray] = through;
  }
  pass_->Keep(pick_, k.samples - before, before);
  uint32_t open = 0;
  for (uint32_t i = 0; i < open_count_; ++i) {
    if (through_[open_[i].ray] > options_.min_transmittance) open_[open++] = open_[i];
  }
  open_count_ = open;
}

// Forward, loss and backward of the kept samples, which are then forgotten. Rays are composited
// where the candidates were.
void TrainingWorker::Learn(float* gradients, WorkSums* sums) {
  SampleLanes &k = kept_, &c = candidates_;
  k.Pad();
  pass_->ForwardKept({k.x, k.y, k.z}, {k.dx, k.dy, k.dz}, k.samples, k.density, {k.r, k.g, k.b});
  k.SortByRay(order_);
  for (uint32_t s = 0; s < k.samples; ++s) {
    const uint32_t from = order_[s];
    c.density[s] = k.density[from];
    c.step[s] = k.step[from];
    c.t[s] = k.t[from];
    c.r[s] = k.r[from];
    c.g[s] = k.g[from];
    c.b[s] = k.b[from];
  }
  const kernels::CompositeArgs args = {k.ray_count,
                                       k.first,
                                       c.density,
                                       c.step,
                                       c.r,
                                       c.g,
                                       c.b,
                                       c.t,
                                       c.alpha,
                                       c.weight,
                                       k.out,
                                       k.d_out,
                                       options_.distortion_weight > 0 ? c.d_weight : nullptr,
                                       c.d_density,
                                       c.d_r,
                                       c.d_g,
                                       c.d_b};
  kernels_->composite(&args);
  for (uint32_t i = 0; i < k.ray_count; ++i) sums->losses.loss += Losses(i, &sums->losses);
  if (k.samples > 0) {
    kernels_->composite_backward(&args);
    for (uint32_t s = 0; s < k.samples; ++s) {
      const uint32_t to = order_[s];
      k.d_density[to] = c.d_density[s];
      k.d_r[to] = c.d_r[s];
      k.d_g[to] = c.d_g[s];
      k.d_b[to] = c.d_b[s];
    }
    pass_->Backward(k.d_density, {k.d_r, k.d_g, k.d_b}, gradients);
    if (poses_.active()) poses_.Teach(thread_, model_.box(), k);
  }
  if (k.samples > 0 && options_.variation_weight > 0) {
    sums->losses.loss += model_.field().Variation(
        {k.x, k.y, k.z}, k.samples, options_.variation_weight * static_cast<float>(k.ray_count),
        gradients);
  }
  sums->samples += k.samples;
  learnt_rays_ += k.ray_count;
  learnt_samples_ += k.samples;
  k.Clear();
}

// Of a composited ray: the derivatives, and what is not in *losses yet.
double TrainingWorker::Losses(uint32_t ray, LossSums* losses) {
  const uint32_t first = kept_.first[ray], samples = kept_.first[ray + 1] - first;
  float* d_out = kept_.d_out + size_t{ray} * 4;
  float* d_weight = candidates_.d_weight + first;
  if (through_[ray] == kCut) {
    std::fill_n(d_out, 4, 0.0f);
    std::fill_n(d_weight, samples, 0.0f);
    return 0;
  }
  const float* out = kept_.out + size_t{ray} * 6;
  ColorLoss(options_, kept_.rays[ray], out, d_out, losses);
  if (background_.active()) TeachBackground(kept_.rays[ray], d_out, out[3]);
  if (options_.distortion_weight == 0) return 0;
  return Distortion(candidates_.weight + first, candidates_.t + first, candidates_.step + first,
                    samples, options_.distortion_weight, d_weight);
}

Status TrainingWorker::Sweep(Occupancy* grid, Occupancy::Part part, bool all, uint64_t step,
                             const TaskControl& control) {
  Rng rng(options_.seed + step, 8 + (uint64_t{part.part} << 8));
  return grid->Sweep(pass_.get(), part, all, &rng, scratch_, control);
}

}  // namespace daf::nerf
