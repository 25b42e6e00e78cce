#include "native/nerf/render_block.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <type_traits>

#include "native/nerf/lattice_sampler.h"
#include "native/nerf/listed_ray.h"
#include "native/nerf/one_by_one.h"
#include "native/nerf/strata_sampler.h"
#include "native/nerf/unbounded_sampler.h"

namespace daf::nerf {
namespace {

// Of each live ray in the first round, and at most: many rays end at the first surface, those that
// do not are cheaper in longer runs.
constexpr uint32_t kFirstRun = 4, kLongestRun = 16;
// Pixels along the side of a bundle of rays whose way through empty space is found once for all:
// the largest, and that which is not divided any more.
constexpr uint32_t kBundle = 16, kLeastBundle = 8;
// Rays of a bundle are this much farther from its middle than its corners, at most: lenses bend.
constexpr float kBundleMargin = 1.1f;
// Marching steps from a sample to where its opacity is compared for the normal: closer, what a hash
// table holds for single cells would decide it.
constexpr float kNormalReach = 2;
// Corners of a tetrahedron: differences along them give a gradient with four evaluations.
constexpr float kCorners[4][3] = {{1, -1, -1}, {-1, -1, 1}, {-1, 1, -1}, {1, 1, 1}};
// Samplers write up to a vector beyond the last sample.
constexpr uint32_t kBeyond = 16;

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Where in its stratum of the lattice each pixel's samples lie: stratified over neighbours (a 4 × 4
// pattern), so that banding becomes fine grain, the same in every run.
float PixelJitter(uint32_t x, uint32_t y) {
  constexpr uint32_t kPattern[16] = {0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5};
  return (static_cast<float>(kPattern[(y % 4) * 4 + x % 4]) + 0.5f) / 16;
}

SamplePlan PlanOf(const Model& model, const RenderOptions& options) {
  SamplePlan plan;
  plan.box = &model.box();
  plan.grid = options.exhaustive ? nullptr : &model.occupancy();
  plan.skip = options.exhaustive ? nullptr : &model.skip_map();
  plan.step = model.box().edge() /
              static_cast<float>(options.samples > 0 ? options.samples : model.samples());
  plan.strata = options.samples_per_ray;
  plan.stratified = options.stratified;
  plan.seed = options.seed;
  plan.near = options.near;
  plan.far = options.far;
  return plan;
}

}  // namespace

template <typename Sampler>
RenderBlock<Sampler>::RenderBlock(const Model& model, FieldPass* pass,
                                  const kernels::Table& kernels, const Camera& camera,
                                  const RenderOptions& options, bool normals)
    : model_(model),
      pass_(*pass),
      kernels_(kernels),
      camera_(camera),
      options_(options),
      normals_(normals),
      plan_(PlanOf(model, options)),
      sampler_(plan_, kernels, PixelRay(camera, camera.center[0], camera.center[1]).origin),
      pixels_(options, options.learned_background ? model.background() : nullptr) {}

template <typename Sampler>
Status RenderBlock<Sampler>::Reserve(Arena* arena) {
  for (float** lane : {&batch_.x, &batch_.y, &batch_.z, &batch_.t, &batch_.length, &density_,
                       &alpha_, &seen_.weight, &seen_.dx, &seen_.dy, &seen_.dz, &r_, &g_, &b_})
    DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples + kBeyond, lane));
  if (normals_) {
    for (float*& lane : normal_) DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &lane));
  }
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples + kBeyond, &batch_.ray));
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &seen_.pick));
  DAF_RETURN_IF_ERROR(pixels_.Reserve(kSide * kSide, arena));
  DAF_RETURN_IF_ERROR(sampler_.Reserve(kSide * kSide, arena));
  return arena->Allocate(kSide * kSide + kBeyond, &live_);
}

template <typename Sampler>
void RenderBlock<Sampler>::StartRays(const Window& window, uint32_t x0, uint32_t y0,
                                     RenderStats* stats) {
  pixels_.Clear();
  live_count_ = 0;
  const uint32_t right = std::min(window.x + window.width, x0 + kSide),
                 bottom = std::min(window.y + window.height, y0 + kSide);
  for (uint32_t y = y0; y < bottom; y += kBundle) {
    for (uint32_t x = x0; x < right; x += kBundle)
      StartBundle({x, y, std::min(kBundle, right - x), std::min(kBundle, bottom - y)}, 0);
  }
  stats->rays += live_count_;
}

template <typename Sampler>
void RenderBlock<Sampler>::StartBundle(const Window& bundle, float before) {
  const float from = ClearOf(bundle, before);
  if (std::isfinite(from) && std::max(bundle.width, bundle.height) > kLeastBundle) {
    const uint32_t w = (bundle.width + 1) / 2, h = (bundle.height + 1) / 2;
    for (uint32_t y = 0; y < bundle.height; y += h) {
      for (uint32_t x = 0; x < bundle.width; x += w)
        StartBundle({bundle.x + x, bundle.y + y, std::min(w, bundle.width - x),
                     std::min(h, bundle.height - y)},
                    from);
    }
    return;
  }
  for (uint32_t y = bundle.y; y < bundle.y + bundle.height; ++y) {
    for (uint32_t x = bundle.x; x < bundle.x + bundle.width; ++x) {
      const uint32_t pixel = pixels_.Add(x, y);
      if (!std::isfinite(from)) continue;
      const Ray ray = PixelRay(camera_, static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
      pixels_.SetRay(pixel, ray);
      const PixelPlace place = {y * camera_.width + x, PixelJitter(x, y)};
      live_[live_count_] = pixel;
      live_count_ += sampler_.Start(ray, place, from, pixel) ? 1 : 0;
    }
  }
}

// How far no ray of a rectangle of pixels meets anything, if none does up to `from`.
template <typename Sampler>
float RenderBlock<Sampler>::ClearOf(const Window& bundle, float from) const {
  if (plan_.skip == nullptr) return from;
  const float x = static_cast<float>(bundle.x), y = static_cast<float>(bundle.y),
              w = static_cast<float>(bundle.width), h = static_cast<float>(bundle.height);
  const Ray middle = PixelRay(camera_, x + 0.5f * w, y + 0.5f * h);
  float square = 0;
  for (int corner = 0; corner < 4; ++corner) {
    const Ray ray = PixelRay(camera_, x + (corner % 2 == 0 ? 0 : w), y + (corner < 2 ? 0 : h));
    float apart = 0;
    for (int a = 0; a < 3; ++a) {
      const float d = ray.direction[a] - middle.direction[a];
      apart += d * d;
    }
    square = std::max(square, apart);
  }
  return sampler_.Clear(middle, kBundleMargin * std::sqrt(square), from);
}

// Gives rays of two looks their samples; the others have their own.
template <typename Sampler>
Status RenderBlock<Sampler>::Propose(const TaskControl& control, RenderStats* stats) {
  if constexpr (std::is_same_v<Sampler, OneByOne<ListedSampler>>) {
    ListedRay* rays[kSide * kSide];
    for (uint32_t i = 0; i < live_count_; ++i) rays[i] = &sampler_.ray(live_[i]);
    const double begin = SteadySeconds();
    DAF_RETURN_IF_ERROR(proposals_->Place(rays, live_count_, control, &stats->samples));
    stats->field_seconds += SteadySeconds() - begin;
  }
  return Status::Ok();
}

template <typename Sampler>
void RenderBlock<Sampler>::Density(const float* x, const float* y, const float* z, uint32_t n,
                                   RenderStats* stats) {
  const double begin = SteadySeconds();
  pass_.Density({x, y, z}, n, density_);
  stats->field_seconds += SteadySeconds() - begin;
  stats->samples += n;
}

// Of densities over lengths, with what the arrays hold up to a whole tile.
template <typename Sampler>
void RenderBlock<Sampler>::Alphas(const float* length, uint32_t n) {
  const uint32_t padded = TilesOf(n) * kernels::kTile;
  const float per_length = -1 / model_.box().edge();
  for (uint32_t i = 0; i < padded; ++i) alpha_[i] = density_[i] * length[i] * per_length;
  kernels_.exponential(alpha_, alpha_, padded);
  for (uint32_t i = 0; i < padded; ++i) alpha_[i] = 1 - alpha_[i];
}

// Where the model holds nothing, whatever its field says.
template <typename Sampler>
void RenderBlock<Sampler>::Forbid() {
  const Occupancy& grid = model_.occupancy();
  const float side = static_cast<float>(grid.resolution());
  for (uint32_t i = 0; i < batch_.count; ++i) {
    uint32_t cell[3];
    const float p[3] = {batch_.x[i], batch_.y[i], batch_.z[i]};
    for (int a = 0; a < 3; ++a)
      cell[a] = std::min(static_cast<uint32_t>(p[a] * side), grid.resolution() - 1);
    if (!grid.Allowed(cell[0], cell[1], cell[2])) alpha_[i] = 0;
  }
}

// Composites the batch.
template <typename Sampler>
void RenderBlock<Sampler>::Shade(RenderStats* stats) {
  for (uint32_t i = batch_.count; i < TilesOf(batch_.count) * kernels::kTile; ++i) {
    batch_.x[i] = batch_.y[i] = batch_.z[i] = 0.5f;
    batch_.length[i] = 0;
  }
  Density(batch_.x, batch_.y, batch_.z, batch_.count, stats);
  Alphas(batch_.length, batch_.count);
  if (options_.exhaustive) Forbid();
  pixels_.Weigh(batch_, alpha_, &seen_);
  if (seen_.count == 0) return;
  const double begin = SteadySeconds();
  pass_.Color(seen_.pick, {seen_.dx, seen_.dy, seen_.dz}, seen_.count, {r_, g_, b_});
  stats->field_seconds += SteadySeconds() - begin;
  stats->colors += seen_.count;
  pixels_.AddColors(batch_, seen_, r_, g_, b_);
  if (normals_) AddNormals(stats);
}

// Differences of what a step's opacity is around each seen sample (of the density itself, what lies
// deep inside would decide); nothing is outside the box.
template <typename Sampler>
void RenderBlock<Sampler>::AddNormals(RenderStats* stats) {
  const Box& box = model_.box();
  const uint32_t n = seen_.count, padded = TilesOf(n) * kernels::kTile;
  float *x = seen_.dx, *y = seen_.dy, *z = seen_.dz;  // directions have been used, as lengths have
  for (float* lane : normal_) std::fill_n(lane, n, 0.0f);
  std::fill_n(batch_.length, padded, plan_.step);
  for (const float* corner : kCorners) {
    float offset[3];
    for (int a = 0; a < 3; ++a) offset[a] = corner[a] * kNormalReach * plan_.step / box.side(a);
    for (uint32_t i = 0; i < padded; ++i) {
      const uint32_t from = seen_.pick[std::min(i, n - 1)];
      x[i] = std::min(std::max(batch_.x[from] + offset[0], 0.0f), 1.0f);
      y[i] = std::min(std::max(batch_.y[from] + offset[1], 0.0f), 1.0f);
      z[i] = std::min(std::max(batch_.z[from] + offset[2], 0.0f), 1.0f);
    }
    Density(x, y, z, n, stats);
    Alphas(batch_.length, n);
    for (uint32_t i = 0; i < n; ++i) {
      const uint32_t from = seen_.pick[i];
      const bool inside = x[i] == batch_.x[from] + offset[0] &&
                          y[i] == batch_.y[from] + offset[1] && z[i] == batch_.z[from] + offset[2];
      if (!inside) continue;
      for (int a = 0; a < 3; ++a) normal_[a][i] -= corner[a] * alpha_[i];
    }
  }
  pixels_.AddNormals(batch_, seen_, normal_[0], normal_[1], normal_[2]);
}

template <typename Sampler>
Status RenderBlock<Sampler>::Render(const Window& window, uint32_t x0, uint32_t y0,
                                    const TaskControl& control, RenderStats* stats) {
  double begin = SteadySeconds();
  StartRays(window, x0, y0, stats);
  stats->march_seconds += SteadySeconds() - begin;
  DAF_RETURN_IF_ERROR(Propose(control, stats));
  for (uint32_t each = kFirstRun; live_count_ > 0; each = std::min(each + 2, kLongestRun)) {
    // A pass that takes few samples serves the live rays in turns.
    const uint32_t capacity = pass_.capacity(), turn = std::min(live_count_, capacity),
                   most = std::max(1u, capacity / turn);
    uint32_t kept = 0;
    for (uint32_t first = 0; first < live_count_; first += turn) {
      DAF_RETURN_IF_ERROR(control.Check());
      uint32_t rays = std::min(turn, live_count_ - first);
      begin = SteadySeconds();
      sampler_.Take(live_ + first, &rays, std::min(each, most), &batch_);
      stats->march_seconds += SteadySeconds() - begin;
      if (batch_.count > 0) Shade(stats);
      for (uint32_t i = first; i < first + rays; ++i) {
        if (options_.exhaustive || pixels_.Open(live_[i])) live_[kept++] = live_[i];
      }
    }
    live_count_ = kept;
  }
  return Status::Ok();
}

template class RenderBlock<LatticeSampler>;
template class RenderBlock<OneByOne<ListedSampler>>;
template class RenderBlock<OneByOne<StrataSampler>>;
template class RenderBlock<OneByOne<UnboundedSampler>>;

}  // namespace daf::nerf
