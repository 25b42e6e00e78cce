#include "native/nerf/training/worker.h"

#include <algorithm>
#include <cmath>

#include "native/nerf/march.h"

namespace daf::nerf {
namespace {
constexpr uint32_t kMaxMisses = 50000;    // rays without a sample, one after the other
constexpr uint64_t kMostCandidates = 16;  // times the samples of a step: where hardly any counts

Status Empty() {
  return Status(Code::kBadData,
                "training: the field has become empty: hardly a ray meets an occupied cell",
                "check the cameras' convention, the box and the background");
}
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
  if (model_.field().appearance_images() > 0) pass_->Appearance(kept_.image);
  return arena->Allocate(Occupancy::kSweepScratch, &scratch_);
}

Status TrainingWorker::Accumulate(uint32_t samples, float* gradients, TableDeltas* deltas,
                                  const TaskControl& control, WorkSums* sums) {
  pass_->Defer(deltas);
  const uint32_t capacity = pass_->capacity();
  const uint64_t target = sums->samples + samples,
                 limit = sums->candidates + kMostCandidates * samples;
  kept_.Clear();
  for (;;) {
    DAF_RETURN_IF_ERROR(control.Check());
    const uint32_t space = capacity - kept_.samples;
    clock_.Enter(Phase::kRays);
    DAF_RETURN_IF_ERROR(look_ != nullptr ? GatherProposed(space, gradients, &sums->losses)
                                         : Gather(space, &sums->losses));
    candidates_.Pad();
    clock_.Enter(Phase::kDensity);
    pass_->Density({candidates_.x, candidates_.y, candidates_.z}, candidates_.samples,
                   candidates_.density);
    sums->candidates += candidates_.samples;
    clock_.Enter(Phase::kRays);
    Select();
    const bool enough = sums->samples + kept_.samples >= target || sums->candidates >= limit;
    const bool room = candidates_.ray_count > 0 && kept_.samples < capacity * 3 / 4 &&
                      kept_.ray_count < SampleLanes::kMaxRays / 2;
    if (!enough && room) continue;
    clock_.Enter(Phase::kLearn);
    Learn(gradients, sums);
    const bool full = deltas != nullptr && deltas->room - deltas->tiles < TilesOf(capacity);
    if (enough || full) return Status::Ok();
  }
}

// False for a pixel that was masked out.
bool TrainingWorker::Draw(TrainingRay* ray) {
  if (!images_.Draw(&rng_, ray)) return false;
  for (int k = 0; k < 3; ++k) {
    ray->background[k] = options_.background_kind == TrainingBackground::kRandom
                             ? rng_.Uniform()
                             : options_.background[k];
  }
  return true;
}

void TrainingWorker::CountEmpty(const TrainingRay& ray, LossSums* losses) const {
  const float nothing[6] = {0, 0, 0, 0, 0, 1};
  float unused[4];
  ColorLoss(options_, ray, nothing, unused, losses);
}

// Fills the candidates with the samples of whole rays, at most `room`. Rays through nothing have no
// gradient, and only count.
Status TrainingWorker::Gather(uint32_t room, LossSums* losses) {
  SampleLanes& c = candidates_;
  c.Clear();
  for (uint32_t misses = 0; c.ray_count < SampleLanes::kMaxRays - kept_.ray_count;) {
    if (misses > kMaxMisses) return Empty();
    TrainingRay& ray = c.rays[c.ray_count];
    const Rng before = rng_;
    if (!Draw(&ray)) {
      ++misses;
      continue;
    }
    const uint32_t first = c.samples;
    if (!March(ray, room) && (first > 0 || kept_.samples > 0)) {  // drawn again when there is room
      c.samples = first;
      rng_ = before;
      break;
    }
    if (c.samples == first) {
      CountEmpty(ray, losses);
      ++misses;
      continue;
    }
    misses = 0;
    c.first[c.ray_count++] = first;
  }
  c.first[c.ray_count] = c.samples;
  return Status::Ok();
}

// The same where the coarse network says where samples belong; no ray at all where there is no room
// for one.
Status TrainingWorker::GatherProposed(uint32_t room, float* gradients, LossSums* losses) {
  SampleLanes& c = candidates_;
  c.Clear();
  look_->Clear();
  const uint32_t rays = std::min({room / options_.importance.total(), look_->capacity(),
                                  SampleLanes::kMaxRays - kept_.ray_count});
  while (look_->count() < rays) {
    if (misses_ > kMaxMisses) return Empty();
    TrainingRay ray;
    if (!Draw(&ray)) {
      ++misses_;
    } else if (!look_->Add(ray, &rng_)) {
      CountEmpty(ray, losses);
      ++misses_;
    }
  }
  look_->Learn(gradients);
  for (uint32_t i = 0; i < look_->count(); ++i) {
    const uint32_t first = c.samples;
    RaySample sample;
    while (look_->samples(i).Take(&sample)) Append(sample.position, sample.t, sample.length);
    if (c.samples == first) {
      CountEmpty(look_->ray(i), losses);
      ++misses_;
      continue;
    }
    misses_ = 0;
    c.rays[c.ray_count] = look_->ray(i);
    c.first[c.ray_count++] = first;
  }
  c.first[c.ray_count] = c.samples;
  return Status::Ok();
}

void TrainingWorker::Append(const float position[3], float t, float length) {
  SampleLanes& c = candidates_;
  const float edge = model_.box().edge();
  const uint32_t at = c.samples++;
  c.x[at] = position[0];
  c.y[at] = position[1];
  c.z[at] = position[2];
  c.t[at] = t / edge;
  c.step[at] = length / edge;
}

// Appends the ray's samples; false where they are more than fit.
bool TrainingWorker::March(const TrainingRay& ray, uint32_t room) {
  const float edge = model_.box().edge();
  Marcher march;
  if (!march.Start(model_.box(), &grid_, ray.ray,
                   edge / static_cast<float>(options_.samples_per_edge), rng_.Uniform(),
                   options_.near * ray.ray.slant))
    return true;
  float t, position[3];
  while (march.Next(&t, position)) {
    if (candidates_.samples == room) return false;
    Append(position, t, march.length());
  }
  return true;
}

// Copies the candidates that count to the kept samples.
void TrainingWorker::Select() {
  const SampleLanes& c = candidates_;
  SampleLanes& k = kept_;
  const uint32_t before = k.samples;
  for (uint32_t i = 0; i < c.ray_count; ++i) {
    k.rays[k.ray_count] = c.rays[i];
    k.first[k.ray_count++] = k.samples;
    const float* direction = c.rays[i].ray.direction;
    float through = 1;
    for (uint32_t s = c.first[i]; s < c.first[i + 1] && through > options_.min_transmittance; ++s) {
      const float left = through * std::exp(-c.density[s] * c.step[s]);
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
        k.image[at] = c.rays[i].image;
        shown_.Mark(thread_, c.x[s], c.y[s], c.z[s]);
      }
      through = left;
    }
  }
  k.first[k.ray_count] = k.samples;
  pass_->Keep(pick_, k.samples - before, before);
}

// Forward, loss and backward of the kept samples, which are then forgotten.
void TrainingWorker::Learn(float* gradients, WorkSums* sums) {
  SampleLanes& k = kept_;
  k.Pad();
  pass_->ForwardKept({k.x, k.y, k.z}, {k.dx, k.dy, k.dz}, k.samples, k.density, {k.r, k.g, k.b});
  const bool distortion = options_.distortion_weight > 0;
  const kernels::CompositeArgs args = {k.ray_count,
                                       k.first,
                                       k.density,
                                       k.step,
                                       k.r,
                                       k.g,
                                       k.b,
                                       k.t,
                                       k.alpha,
                                       k.weight,
                                       k.out,
                                       k.d_out,
                                       distortion ? k.d_weight : nullptr,
                                       k.d_density,
                                       k.d_r,
                                       k.d_g,
                                       k.d_b};
  kernels_->composite(&args);
  for (uint32_t i = 0; i < k.ray_count; ++i) {
    ColorLoss(options_, k.rays[i], k.out + size_t{i} * 6, k.d_out + size_t{i} * 4, &sums->losses);
    if (!distortion) continue;
    const uint32_t at = k.first[i];
    sums->losses.loss += Distortion(k.weight + at, k.t + at, k.step + at, k.first[i + 1] - at,
                                    options_.distortion_weight, k.d_weight + at);
  }
  if (k.samples > 0) {
    kernels_->composite_backward(&args);
    pass_->Backward(k.d_density, {k.d_r, k.d_g, k.d_b}, gradients);
  }
  if (k.samples > 0 && options_.variation_weight > 0) {
    sums->losses.loss += model_.field().Variation(
        {k.x, k.y, k.z}, k.samples, options_.variation_weight * static_cast<float>(k.ray_count),
        gradients);
  }
  sums->samples += k.samples;
  k.Clear();
}

Status TrainingWorker::Sweep(Occupancy* grid, Occupancy::Part part, bool all, uint64_t step,
                             const TaskControl& control) {
  Rng rng(options_.seed + step, 8 + (uint64_t{part.part} << 8));
  return grid->Sweep(pass_.get(), part, all, &rng, scratch_, control);
}

}  // namespace daf::nerf
