// Which samples of which rays a thread looks at next.
#include <algorithm>
#include <cmath>

#include "native/nerf/training/worker.h"

namespace daf::nerf {
namespace {
constexpr uint32_t kMaxMisses = 50000;  // rays without a sample, one after the other
constexpr uint32_t kPollRays = 256;     // drawn between two polls: a miss may cross the whole grid
// Samples of a ray whose density is computed at once: what lies behind a surface is not asked for.
constexpr uint32_t kRun = 16;
constexpr uint32_t kTogether = 64;  // rays that are drawn and marched at once, at most
constexpr uint32_t kManyRays = 64;  // fit into a pass where they are walked by runs

Status Empty() {
  return Status(Code::kBadData,
                "training: the field has become empty: hardly a ray meets an occupied cell",
                "check the cameras' convention, the box and the background");
}
}  // namespace

Status TrainingWorker::ReserveLattice(Arena* arena) {
  constexpr uint32_t kBeyond = 16;  // what the kernel may write behind what it counts
  const float step = model_.box().edge() / static_cast<float>(options_.samples_per_edge);
  lattice_ = std::make_unique<LatticeRays>(model_.box(), skip_, *kernels_, step);
  DAF_RETURN_IF_ERROR(lattice_->Reserve(SampleLanes::kMaxRays, arena));
  for (float** lane : {&taken_.x, &taken_.y, &taken_.z, &taken_.t})
    DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples + kBeyond, lane));
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples + kBeyond, &taken_.ray));
  DAF_RETURN_IF_ERROR(arena->Allocate(SampleLanes::kMaxRays, &place_));
  return arena->Allocate(SampleLanes::kMaxRays + kBeyond, &marched_);
}

// False for a pixel that was masked out.
bool TrainingWorker::Draw(TrainingRay* ray) {
  if (!images_.Draw(&rng_, ray)) return false;
  if (background_.active()) {
    model_.background()->Color(ray->ray.direction, ray->background);
    return true;
  }
  for (int k = 0; k < 3; ++k) {
    ray->background[k] = options_.background_kind == TrainingBackground::kRandom
                             ? rng_.Uniform()
                             : options_.background[k];
  }
  return true;
}

void TrainingWorker::CountEmpty(const TrainingRay& ray, LossSums* losses) {
  const float nothing[6] = {0, 0, 0, 0, 0, 1};
  float d_out[4];
  ColorLoss(options_, ray, nothing, d_out, losses);
  if (background_.active()) TeachBackground(ray, d_out, 0);
}

// Of a ray of this opacity: a transparent pixel shows the background too.
void TrainingWorker::TeachBackground(const TrainingRay& ray, const float* d_out, float opacity) {
  const float share = ray.alpha - opacity;
  if (share == 0) return;
  const float d_color[3] = {d_out[0] * share, d_out[1] * share, d_out[2] * share};
  background_.Teach(thread_, ray.ray.direction, d_color);
}

// Before each ray that is drawn, `misses` after the last one with a sample.
Status TrainingWorker::MayDraw(uint32_t misses, const TaskControl& control) {
  if (misses > kMaxMisses) return Empty();
  return drawn_++ % kPollRays == 0 ? control.Check() : Status::Ok();
}

// Of this step's rays so far.
uint64_t TrainingWorker::SamplesEach() const {
  const uint64_t closed = learnt_rays_ + kept_.ray_count - open_count_;
  return (learnt_samples_ + kept_.samples) / std::max<uint64_t>(closed, 1) + 1;
}

// Whether there is room for more rays, those that are open being like those before them.
bool TrainingWorker::DrawsMore() const {
  return kept_.samples + open_count_ * SamplesEach() < pass_->capacity() * 2 / 3 &&
         kept_.ray_count < SampleLanes::kMaxRays * 3 / 4 && drawn_ < kMostDrawn;
}

// Fills the candidates with the next samples of the open rays and, where it draws, of new ones; at
// most `room`. Rays through nothing have no gradient, and only count.
Status TrainingWorker::Gather(uint32_t room, bool draws, const TaskControl& control,
                              LossSums* losses) {
  candidates_.Clear();
  // The first rays go to their end, and tell how many samples those after them will have. So do all
  // while these are many, as in fog: hardly any light ends early there, and of rays that are open
  // the longest would be cut.
  const bool whole =
      learnt_rays_ + kept_.ray_count == 0 || SamplesEach() * kManyRays > pass_->capacity();
  run_length_ = whole ? pass_->capacity() : kRun;
  ContinueOpen(room);
  if (draws) {
    DAF_RETURN_IF_ERROR(lattice_ != nullptr && !whole ? DrawTogether(room, control, losses)
                                                      : DrawAlone(room, whole, control, losses));
  }
  candidates_.first[candidates_.ray_count] = candidates_.samples;
  return Status::Ok();
}

void TrainingWorker::ContinueOpen(uint32_t room) {
  if (lattice_ != nullptr) {
    for (; open_count_ > room; --open_count_) through_[open_[open_count_ - 1].ray] = kCut;
    if (open_count_ == 0) return;
    const uint32_t run = std::min(run_length_, room / open_count_);
    for (uint32_t i = 0; i < open_count_; ++i) marched_[i] = open_[i].ray;
    TakeTogether(&open_count_, run);
    for (uint32_t i = 0; i < open_count_; ++i) open_[i].ray = marched_[i];
    return;
  }
  uint32_t open = 0;
  for (uint32_t i = 0; i < open_count_; ++i) {
    if (room == 0) {
      through_[open_[i].ray] = kCut;
    } else if (Walk(open_[i].ray, &open_[i].march, room)) {
      open_[open++] = open_[i];
    }
  }
  open_count_ = open;
}

// New rays, many at a time.
Status TrainingWorker::DrawTogether(uint32_t room, const TaskControl& control, LossSums* losses) {
  SampleLanes& c = candidates_;
  for (uint32_t misses = 0; DrawsMore();) {
    const uint32_t most = std::min(kTogether, (room - c.samples) / kRun);
    if (most == 0) break;
    const uint32_t begin = kept_.ray_count;
    uint32_t drawn = 0;
    while (drawn < most) {
      DAF_RETURN_IF_ERROR(MayDraw(misses++, control));
      TrainingRay& ray = kept_.rays[begin + drawn];
      if (!Draw(&ray)) continue;
      if (lattice_->Start(ray.ray, options_.near * ray.ray.slant, INFINITY, rng_.Uniform(), 0,
                          begin + drawn)) {
        marched_[drawn] = begin + drawn;
        ++drawn;
      } else {
        CountEmpty(ray, losses);
      }
      // Where hardly a ray meets the box, those that do are marched before too many have missed.
      if (drawn > 0 && misses > kMaxMisses / 2) break;
    }
    const uint32_t before = c.ray_count;
    uint32_t hits = drawn;
    TakeTogether(&hits, kRun);
    if (hits > 0) misses = 0;
    for (uint32_t i = 0, hit = 0; i < drawn; ++i) {
      if (hit == hits || marched_[hit] != begin + i) {
        CountEmpty(kept_.rays[begin + i], losses);
        continue;
      }
      const uint32_t ray = kept_.ray_count++;
      kept_.rays[ray] = kept_.rays[begin + i];
      lattice_->Move(begin + i, ray);
      run_[before + hit++] = ray;
      through_[ray] = 1;
      open_[open_count_++].ray = ray;
    }
  }
  return Status::Ok();
}

// The next samples of the marched rays, ray by ray: *count of them have any.
void TrainingWorker::TakeTogether(uint32_t* count, uint32_t run) {
  SampleLanes& c = candidates_;
  const uint32_t samples = lattice_->Take(marched_, count, run, taken_);
  uint32_t* const next = c.first + c.ray_count;
  for (uint32_t i = 0; i < *count; ++i) {
    run_[c.ray_count + i] = marched_[i];
    place_[marched_[i]] = i;
    next[i] = 0;
  }
  for (uint32_t s = 0; s < samples; ++s) ++next[place_[taken_.ray[s]]];
  for (uint32_t i = 0, at = c.samples; i < *count; ++i) {
    const uint32_t own = next[i];
    next[i] = at;
    at += own;
  }
  const float edge = model_.box().edge(), per_edge = 1 / edge, length = lattice_->step() * per_edge;
  for (uint32_t s = 0; s < samples; ++s) {
    const uint32_t at = next[place_[taken_.ray[s]]]++;
    c.x[at] = taken_.x[s];
    c.y[at] = taken_.y[s];
    c.z[at] = taken_.z[s];
    c.t[at] = taken_.t[s] * per_edge;
    c.step[at] = length;
  }
  for (uint32_t i = *count; i > 1; --i) next[i - 1] = next[i - 2];  // they had moved on by one
  if (*count > 0) next[0] = c.samples;
  c.ray_count += *count;
  c.samples += samples;
}

// New rays, one after the other.
Status TrainingWorker::DrawAlone(uint32_t room, bool whole, const TaskControl& control,
                                 LossSums* losses) {
  SampleLanes& c = candidates_;
  const float edge = model_.box().edge(),
              step = edge / static_cast<float>(options_.samples_per_edge);
  for (uint32_t misses = 0; c.samples + (whole ? 1 : kRun) <= room && DrawsMore();) {
    DAF_RETURN_IF_ERROR(MayDraw(misses++, control));
    TrainingRay& ray = kept_.rays[kept_.ray_count];
    OpenRay& next = open_[open_count_];
    const Rng random = rng_;
    if (!Draw(&ray)) continue;
    const uint32_t before = c.samples;
    next.ray = kept_.ray_count;
    next.march = Marcher();
    const bool more = next.march.Start(model_.box(), &grid_, ray.ray, step, rng_.Uniform(),
                                       options_.near * ray.ray.slant) &&
                      Walk(next.ray, &next.march, room);
    if (c.samples == before) {
      CountEmpty(ray, losses);
      continue;
    }
    if (whole && more && before + kept_.samples > 0) {  // drawn again when there is room
      c.samples = before;
      --c.ray_count;
      rng_ = random;
      break;
    }
    misses = 0;
    through_[kept_.ray_count++] = 1;
    open_count_ += more && !whole ? 1 : 0;
  }
  return Status::Ok();
}

// Appends a run of the ray's next samples; whether there may be more.
bool TrainingWorker::Walk(uint32_t ray, Marcher* march, uint32_t room) {
  SampleLanes& c = candidates_;
  const uint32_t first = c.samples, end = std::min(room, first + run_length_);
  bool more = true;
  float t, position[3];
  while (c.samples < end && (more = march->Next(&t, position)))
    Append(position, t, march->length());
  if (c.samples > first) {
    run_[c.ray_count] = ray;
    c.first[c.ray_count++] = first;
  }
  return more;
}

// The same where the coarse network says where samples belong; no ray at all where there is no room
// for one.
Status TrainingWorker::GatherProposed(uint32_t room, float* gradients, const TaskControl& control,
                                      LossSums* losses) {
  SampleLanes& c = candidates_;
  c.Clear();
  look_->Clear();
  const uint32_t rays = std::min({room / options_.importance.total(), look_->capacity(),
                                  SampleLanes::kMaxRays - kept_.ray_count});
  while (look_->count() < rays && drawn_ < kMostDrawn) {
    DAF_RETURN_IF_ERROR(MayDraw(misses_, control));
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
    kept_.rays[kept_.ray_count] = look_->ray(i);
    through_[kept_.ray_count] = 1;
    run_[c.ray_count] = kept_.ray_count++;
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

}  // namespace daf::nerf
