#include "native/nerf/render_block.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <type_traits>

#include "native/nerf/lattice_sampler.h"
#include "native/nerf/listed_ray.h"
#include "native/nerf/strata_sampler.h"
#include "native/nerf/unbounded_sampler.h"

namespace daf::nerf {
namespace {

// Colour is evaluated where a sample's weight is above this.
constexpr float kSeen = 1e-4f;
// Of each live ray in the first round, and at most: many rays end at the first surface, those that
// do not are cheaper in longer runs.
constexpr uint32_t kFirstRun = 4, kLongestRun = 16;
// Pixels along the side of a bundle of rays whose way through empty space is found once for all:
// the largest, and that which is not divided any more.
constexpr uint32_t kBundle = 16, kLeastBundle = 4;
// Rays of a bundle are this much farther from its middle than its corners, at most: lenses bend.
constexpr float kBundleMargin = 1.1f;
// Marching steps from a sample to where its opacity is compared for the normal: closer, what a hash
// table holds for single cells would decide it.
constexpr float kNormalReach = 2;
// Corners of a tetrahedron: differences along them give a gradient with four evaluations.
constexpr float kCorners[4][3] = {{1, -1, -1}, {-1, -1, 1}, {-1, 1, -1}, {1, 1, 1}};

uint8_t ToByte(float v) {
  return static_cast<uint8_t>(std::min(std::max(v, 0.0f), 1.0f) * 255 + 0.5f);
}

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
  plan.step = model.box().edge() / static_cast<float>(options.samples);
  plan.strata = options.samples_per_ray;
  plan.stratified = options.stratified;
  plan.seed = options.seed;
  plan.near = options.near;
  plan.far = options.far;
  return plan;
}

// How far no ray of a rectangle of pixels meets anything, if none does up to `from`.
float ClearOf(const LatticeSampler& sampler, const Camera& camera, const Window& bundle,
              float from) {
  const float x = static_cast<float>(bundle.x), y = static_cast<float>(bundle.y),
              w = static_cast<float>(bundle.width), h = static_cast<float>(bundle.height);
  const Ray middle = PixelRay(camera, x + 0.5f * w, y + 0.5f * h);
  float square = 0;
  for (int corner = 0; corner < 4; ++corner) {
    const Ray ray = PixelRay(camera, x + (corner % 2 == 0 ? 0 : w), y + (corner < 2 ? 0 : h));
    float apart = 0;
    for (int a = 0; a < 3; ++a) {
      const float d = ray.direction[a] - middle.direction[a];
      apart += d * d;
    }
    square = std::max(square, apart);
  }
  return sampler.Clear(middle, kBundleMargin * std::sqrt(square), from);
}
template <typename Sampler>
float ClearOf(const Sampler&, const Camera&, const Window&, float from) {
  return from;
}

}  // namespace

template <typename Sampler>
struct RenderBlock<Sampler>::Pixel {
  float direction[3], slant;
  float color[3], normal[3];
  float through, depth, opacity;
  uint16_t x, y;
  bool left;  // has no more samples
};

// Samples of one round, then those of them that are seen.
template <typename Sampler>
struct RenderBlock<Sampler>::Lanes {
  float *x, *y, *z, *t, *length, *density, *alpha;
  uint32_t* pixel;
  uint32_t* pick;
  float *weight, *dx, *dy, *dz, *r, *g, *b;
  float *gx, *gy, *gz;  // against the gradient of opacity at the seen, only for normals
};

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
      sampler_(plan_, PixelRay(camera, camera.center[0], camera.center[1]).origin) {}

template <typename Sampler>
Status RenderBlock<Sampler>::Reserve(Arena* arena) {
  DAF_RETURN_IF_ERROR(arena->Allocate(1, &lanes_));
  *lanes_ = {};
  Lanes& l = *lanes_;
  for (float** lane : {&l.x, &l.y, &l.z, &l.t, &l.length, &l.density, &l.alpha, &l.weight, &l.dx,
                       &l.dy, &l.dz, &l.r, &l.g, &l.b}) {
    DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, lane));
  }
  if (normals_) {
    for (float** lane : {&l.gx, &l.gy, &l.gz})
      DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, lane));
  }
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &l.pixel));
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &l.pick));
  DAF_RETURN_IF_ERROR(arena->Allocate(kSide * kSide, &pixels_));
  DAF_RETURN_IF_ERROR(arena->Allocate(kSide * kSide, &rays_));
  DAF_RETURN_IF_ERROR(arena->Allocate(kSide * kSide, &moving_));
  return arena->Allocate(kSide * kSide, &live_);
}

template <typename Sampler>
void RenderBlock<Sampler>::StartRays(const Window& window, uint32_t x0, uint32_t y0,
                                     RenderStats* stats) {
  count_ = live_count_ = 0;
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
  const float from = ClearOf(sampler_, camera_, bundle, before);
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
      Pixel& pixel = pixels_[count_];
      pixel = {};
      pixel.through = 1;
      pixel.x = static_cast<uint16_t>(x);
      pixel.y = static_cast<uint16_t>(y);
      if (std::isfinite(from)) {
        const Ray ray =
            PixelRay(camera_, static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
        for (int a = 0; a < 3; ++a) pixel.direction[a] = ray.direction[a];
        pixel.slant = ray.slant;
        const PixelPlace place = {y * camera_.width + x, PixelJitter(x, y)};
        if (sampler_.Start(ray, place, from, &rays_[count_])) live_[live_count_++] = count_;
      }
      ++count_;
    }
  }
}

// Gives rays of two looks their samples; the others have their own.
template <typename Sampler>
Status RenderBlock<Sampler>::Propose(const TaskControl& control, RenderStats* stats) {
  if constexpr (std::is_same_v<Sampler, ListedSampler>) {
    ListedRay* rays[kSide * kSide];
    for (uint32_t i = 0; i < live_count_; ++i) rays[i] = &rays_[live_[i]];
    const double begin = SteadySeconds();
    DAF_RETURN_IF_ERROR(proposals_->Place(rays, live_count_, control, &stats->samples));
    stats->field_seconds += SteadySeconds() - begin;
  }
  return Status::Ok();
}

// Brings the live rays to their next samples, and drops those that have none.
template <typename Sampler>
void RenderBlock<Sampler>::Advance() {
  uint32_t moving = live_count_;
  std::copy_n(live_, live_count_, moving_);
  while (moving > 0) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < moving; ++i) {
      const uint32_t pixel = moving_[i];
      const Way way = sampler_.Advance(&rays_[pixel]);
      moving_[kept] = pixel;
      kept += way == Way::kMoved ? 1 : 0;
      pixels_[pixel].left = way == Way::kEnded;
    }
    moving = kept;
  }
  KeepLive([](const Pixel& pixel) { return !pixel.left; });
}

template <typename Sampler>
template <typename Predicate>
void RenderBlock<Sampler>::KeepLive(Predicate goes_on) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < live_count_; ++i) {
    if (goes_on(pixels_[live_[i]])) live_[kept++] = live_[i];
  }
  live_count_ = kept;
}

// Up to `each` samples in a row of the live rays [begin, end).
template <typename Sampler>
uint32_t RenderBlock<Sampler>::Gather(uint32_t begin, uint32_t end, uint32_t each) {
  Lanes& l = *lanes_;
  uint32_t n = 0;
  for (uint32_t i = begin; i < end; ++i) {
    typename Sampler::Ray& ray = rays_[live_[i]];
    RaySample sample;
    for (uint32_t k = 0; k < each && sampler_.Take(&ray, &sample); ++k) {
      l.x[n] = sample.position[0];
      l.y[n] = sample.position[1];
      l.z[n] = sample.position[2];
      l.t[n] = sample.t;
      l.length[n] = sample.length;
      l.pixel[n++] = live_[i];
    }
  }
  return n;
}

// Of densities over lengths, with what the arrays hold up to a whole tile.
template <typename Sampler>
void RenderBlock<Sampler>::Alphas(const float* length, uint32_t n) {
  Lanes& l = *lanes_;
  const uint32_t padded = TilesOf(n) * kernels::kTile;
  const float per_length = -1 / model_.box().edge();
  for (uint32_t i = 0; i < padded; ++i) l.alpha[i] = l.density[i] * length[i] * per_length;
  kernels_.exponential(l.alpha, l.alpha, padded);
  for (uint32_t i = 0; i < padded; ++i) l.alpha[i] = 1 - l.alpha[i];
}

// Composites the round's densities and lists the samples that are seen; returns how many.
template <typename Sampler>
uint32_t RenderBlock<Sampler>::Weigh(uint32_t n) {
  Lanes& l = *lanes_;
  const float seen = options_.exhaustive ? -1.0f : kSeen;
  uint32_t picked = 0;
  for (uint32_t i = 0; i < n; ++i) {
    Pixel& pixel = pixels_[l.pixel[i]];
    const float left = pixel.through;
    // Once too little light gets through, the rest of the round counts for nothing, as if the ray
    // had ended here: what is composited does not depend on the rounds.
    if (!options_.exhaustive && left < options_.min_transmittance) continue;
    const float weight = left * l.alpha[i];
    pixel.through = left - weight;
    pixel.opacity += weight;
    pixel.depth += weight * l.t[i];
    if (!(weight > seen)) continue;
    l.pick[picked] = i;
    l.weight[picked] = weight;
    l.dx[picked] = pixel.direction[0];
    l.dy[picked] = pixel.direction[1];
    l.dz[picked] = pixel.direction[2];
    ++picked;
  }
  for (uint32_t i = picked; i < TilesOf(picked) * kernels::kTile; ++i) {
    l.dx[i] = l.dy[i] = 0;
    l.dz[i] = 1;
  }
  return picked;
}

template <typename Sampler>
void RenderBlock<Sampler>::AddColors(uint32_t picked) {
  const Lanes& l = *lanes_;
  for (uint32_t i = 0; i < picked; ++i) {
    Pixel& pixel = pixels_[l.pixel[l.pick[i]]];
    pixel.color[0] += l.weight[i] * l.r[i];
    pixel.color[1] += l.weight[i] * l.g[i];
    pixel.color[2] += l.weight[i] * l.b[i];
  }
}

// Differences of what a step's opacity is around each seen sample (of the density itself, what lies
// deep inside would decide); nothing is outside the box.
template <typename Sampler>
void RenderBlock<Sampler>::AddNormals(uint32_t picked, RenderStats* stats) {
  const Lanes& l = *lanes_;
  const Box& box = model_.box();
  const uint32_t padded = TilesOf(picked) * kernels::kTile;
  std::fill_n(l.gx, picked, 0.0f);
  std::fill_n(l.gy, picked, 0.0f);
  std::fill_n(l.gz, picked, 0.0f);
  std::fill_n(l.length, padded, plan_.step);  // the round's own lengths have been used
  for (const float* corner : kCorners) {
    float offset[3];
    for (int a = 0; a < 3; ++a) offset[a] = corner[a] * kNormalReach * plan_.step / box.side(a);
    for (uint32_t i = 0; i < padded; ++i) {
      const uint32_t from = l.pick[std::min(i, picked - 1)];
      l.dx[i] = std::min(std::max(l.x[from] + offset[0], 0.0f), 1.0f);
      l.dy[i] = std::min(std::max(l.y[from] + offset[1], 0.0f), 1.0f);
      l.dz[i] = std::min(std::max(l.z[from] + offset[2], 0.0f), 1.0f);
    }
    Density(l.dx, l.dy, l.dz, picked, stats);
    Alphas(l.length, picked);
    for (uint32_t i = 0; i < picked; ++i) {
      const uint32_t from = l.pick[i];
      const bool inside = l.dx[i] == l.x[from] + offset[0] && l.dy[i] == l.y[from] + offset[1] &&
                          l.dz[i] == l.z[from] + offset[2];
      if (!inside) continue;
      l.gx[i] -= corner[0] * l.alpha[i];
      l.gy[i] -= corner[1] * l.alpha[i];
      l.gz[i] -= corner[2] * l.alpha[i];
    }
  }
  for (uint32_t i = 0; i < picked; ++i) {
    Pixel& pixel = pixels_[l.pixel[l.pick[i]]];
    pixel.normal[0] += l.weight[i] * l.gx[i];
    pixel.normal[1] += l.weight[i] * l.gy[i];
    pixel.normal[2] += l.weight[i] * l.gz[i];
  }
}

template <typename Sampler>
void RenderBlock<Sampler>::Density(const float* x, const float* y, const float* z, uint32_t n,
                                   RenderStats* stats) {
  const double begin = SteadySeconds();
  pass_.Density({x, y, z}, n, lanes_->density);
  stats->field_seconds += SteadySeconds() - begin;
  stats->samples += n;
}

template <typename Sampler>
void RenderBlock<Sampler>::Shade(uint32_t n, RenderStats* stats) {
  const Lanes& l = *lanes_;
  for (uint32_t i = n; i < TilesOf(n) * kernels::kTile; ++i) {
    l.x[i] = l.y[i] = l.z[i] = 0.5f;
    l.length[i] = 0;
  }
  Density(l.x, l.y, l.z, n, stats);
  Alphas(l.length, n);
  const uint32_t picked = Weigh(n);
  if (picked == 0) return;
  const double begin = SteadySeconds();
  pass_.Color(l.pick, {l.dx, l.dy, l.dz}, picked, {l.r, l.g, l.b});
  stats->field_seconds += SteadySeconds() - begin;
  stats->colors += picked;
  AddColors(picked);
  if (normals_) AddNormals(picked, stats);
}

template <typename Sampler>
Status RenderBlock<Sampler>::Render(const Window& window, uint32_t x0, uint32_t y0,
                                    const TaskControl& control, RenderStats* stats) {
  StartRays(window, x0, y0, stats);
  DAF_RETURN_IF_ERROR(Propose(control, stats));
  uint32_t each = kFirstRun;
  for (Advance(); live_count_ > 0; Advance()) {
    // A pass that takes few samples serves the live rays in turns.
    const uint32_t capacity = pass_.capacity(), turn = std::min(live_count_, capacity),
                   most = std::max(1u, capacity / turn);
    for (uint32_t first = 0; first < live_count_; first += turn) {
      DAF_RETURN_IF_ERROR(control.Check());
      const uint32_t n = Gather(first, std::min(live_count_, first + turn), std::min(each, most));
      if (n > 0) Shade(n, stats);
    }
    if (!options_.exhaustive)
      KeepLive([&](const Pixel& pixel) { return pixel.through >= options_.min_transmittance; });
    each = std::min(each + 2, kLongestRun);
  }
  return Status::Ok();
}

template <typename Sampler>
void RenderBlock<Sampler>::Store(const Window& window, const RenderTargets& targets) const {
  for (uint32_t i = 0; i < count_; ++i) {
    const Pixel& pixel = pixels_[i];
    const size_t at = size_t{pixel.y - window.y} * window.width + (pixel.x - window.x);
    const float opacity = std::min(pixel.opacity, 1.0f);
    const bool solid = opacity >= 0.5f;
    if (targets.opacity != nullptr) targets.opacity[at] = opacity;
    if (targets.depth != nullptr)
      targets.depth[at] = solid ? pixel.depth / pixel.opacity / pixel.slant : INFINITY;
    if (targets.normal != nullptr) {
      const float* n = pixel.normal;
      const float length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
      for (int a = 0; a < 3; ++a)
        targets.normal[at * 3 + a] = solid && length > 0 ? n[a] / length : 0.0f;
    }
    float over[3];
    for (int c = 0; c < 3; ++c) over[c] = pixel.color[c] + (1 - opacity) * options_.background[c];
    if (targets.color != nullptr) std::copy_n(over, 3, targets.color + at * 3);
    if (targets.rgba == nullptr) continue;
    uint8_t* rgba = targets.rgba + at * 4;
    if (!options_.transparent) {
      for (int c = 0; c < 3; ++c) rgba[c] = ToByte(over[c]);
      rgba[3] = 255;
    } else {
      const float straight = opacity > 1e-3f ? 1 / opacity : 0.0f;
      for (int c = 0; c < 3; ++c) rgba[c] = ToByte(pixel.color[c] * straight);
      rgba[3] = ToByte(opacity);
    }
  }
}

template class RenderBlock<LatticeSampler>;
template class RenderBlock<ListedSampler>;
template class RenderBlock<StrataSampler>;
template class RenderBlock<UnboundedSampler>;

}  // namespace daf::nerf
