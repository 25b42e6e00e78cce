// Which samples of which rays a thread looks at next.
#include <algorithm>

#include "native/nerf/training/worker.h"

namespace daf::nerf {
namespace {
constexpr uint32_t kMaxMisses = 50000;  // rays without a sample, one after the other
// Samples of a ray whose density is computed at once: what lies behind a surface is not asked for.
constexpr uint32_t kRun = 16;
constexpr uint32_t kManyRays = 64;  // fit into a pass where they are walked by runs

Status Empty() {
  return Status(Code::kBadData,
                "training: the field has become empty: hardly a ray meets an occupied cell",
                "check the cameras' convention, the box and the background");
}
}  // namespace

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

// Of this step's rays so far.
uint64_t TrainingWorker::SamplesEach() const {
  const uint64_t closed = learnt_rays_ + kept_.ray_count - open_count_;
  return (learnt_samples_ + kept_.samples) / std::max<uint64_t>(closed, 1) + 1;
}

// Whether there is room for more rays, those that are open being like those before them.
bool TrainingWorker::DrawsMore() const {
  return kept_.samples + open_count_ * SamplesEach() < pass_->capacity() * 2 / 3 &&
         kept_.ray_count < SampleLanes::kMaxRays * 3 / 4;
}

// Fills the candidates with the next samples of the open rays and, where it draws, of new ones; at
// most `room`. Rays through nothing have no gradient, and only count.
Status TrainingWorker::Gather(uint32_t room, bool draws, LossSums* losses) {
  SampleLanes& c = candidates_;
  c.Clear();
  // The first rays go to their end, and tell how many samples those after them will have. So do all
  // while these are many, as in fog: hardly any light ends early there, and of rays that are open
  // the longest would be cut.
  const bool whole =
      learnt_rays_ + kept_.ray_count == 0 || SamplesEach() * kManyRays > pass_->capacity();
  run_length_ = whole ? pass_->capacity() : kRun;
  uint32_t open = 0;
  for (uint32_t i = 0; i < open_count_; ++i) {
    if (room == 0) {
      through_[open_[i].ray] = kCut;
    } else if (Walk(open_[i].ray, &open_[i].march, room)) {
      open_[open++] = open_[i];
    }
  }
  open_count_ = open;
  const float edge = model_.box().edge(),
              step = edge / static_cast<float>(options_.samples_per_edge);
  for (uint32_t misses = 0; draws && c.samples + (whole ? 1 : kRun) <= room && DrawsMore();) {
    if (misses > kMaxMisses) return Empty();
    TrainingRay& ray = kept_.rays[kept_.ray_count];
    OpenRay& next = open_[open_count_];
    ++misses;
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
  c.first[c.ray_count] = c.samples;
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
