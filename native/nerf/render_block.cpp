#include "native/nerf/render_block.h"

#include <algorithm>
#include <cmath>

#include "native/base/thread_clock.h"

namespace daf::nerf {
namespace {

// Colour is evaluated where a sample's weight is above this.
constexpr float kSeen = 1e-4f;
// Of each live ray in the first round, and at most: many rays end at the first surface, those that
// do not are cheaper in longer runs.
constexpr uint32_t kFirstRun = 4, kLongestRun = 16;
// Corners of a tetrahedron: differences along them give a gradient with four evaluations.
constexpr float kCorners[4][3] = {{1, -1, -1}, {-1, -1, 1}, {-1, 1, -1}, {1, 1, 1}};

uint8_t ToByte(float v) {
  return static_cast<uint8_t>(std::lround(std::min(std::max(v, 0.0f), 1.0f) * 255));
}

// Where in its stratum of the lattice each pixel's samples lie: stratified over neighbours (a 4 × 4
// pattern), so that banding becomes fine grain, the same in every run.
float PixelJitter(uint32_t x, uint32_t y) {
  constexpr uint32_t kPattern[16] = {0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5};
  return (static_cast<float>(kPattern[(y % 4) * 4 + x % 4]) + 0.5f) / 16;
}

}  // namespace

struct RenderBlock::Pixel {
  RaySamples samples;
  Ray ray;
  float color[3], normal[3];
  float through, depth, opacity;
  uint32_t x, y;
  bool left;  // has no more samples
};

// Samples of one round, then those of them that are seen.
struct RenderBlock::Lanes {
  float *x, *y, *z, *t, *length, *density;
  uint32_t* pixel;
  uint32_t* pick;
  float *weight, *dx, *dy, *dz, *r, *g, *b;
  float *gx, *gy, *gz;  // −∇density of the seen, only for normals
};

RenderBlock::RenderBlock(const Model& model, FieldPass* pass, const Camera& camera,
                         const RenderOptions& options, bool normals)
    : model_(model), pass_(*pass), camera_(camera), options_(options), normals_(normals) {
  plan_.box = &model.box();
  plan_.grid = options.exhaustive ? nullptr : &model.occupancy();
  plan_.step = model.box().edge() / static_cast<float>(options.samples);
  plan_.strata = options.samples_per_ray;
  plan_.stratified = options.stratified;
  plan_.seed = options.seed;
  plan_.near = options.near;
  plan_.far = options.far;
}

Status RenderBlock::Reserve(Arena* arena) {
  DAF_RETURN_IF_ERROR(arena->Allocate(1, &lanes_));
  *lanes_ = {};
  Lanes& l = *lanes_;
  for (float** lane : {&l.x, &l.y, &l.z, &l.t, &l.length, &l.density, &l.weight, &l.dx, &l.dy,
                       &l.dz, &l.r, &l.g, &l.b}) {
    DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, lane));
  }
  if (normals_) {
    for (float** lane : {&l.gx, &l.gy, &l.gz})
      DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, lane));
  }
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &l.pixel));
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &l.pick));
  DAF_RETURN_IF_ERROR(arena->Allocate(kSide * kSide, &pixels_));
  return arena->Allocate(kSide * kSide, &live_);
}

void RenderBlock::StartRays(const Window& window, uint32_t x0, uint32_t y0, RenderStats* stats) {
  count_ = live_count_ = 0;
  const uint32_t right = std::min(window.x + window.width, x0 + kSide),
                 bottom = std::min(window.y + window.height, y0 + kSide);
  for (uint32_t y = y0; y < bottom; ++y) {
    for (uint32_t x = x0; x < right; ++x) {
      Pixel& pixel = pixels_[count_];
      pixel.ray = PixelRay(camera_, static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
      for (int a = 0; a < 3; ++a) pixel.color[a] = pixel.normal[a] = 0;
      pixel.depth = pixel.opacity = 0;
      pixel.through = 1;
      pixel.left = false;
      pixel.x = x;
      pixel.y = y;
      if (pixel.samples.Start(plan_, pixel.ray, y * camera_.width + x, PixelJitter(x, y)))
        live_[live_count_++] = count_;
      ++count_;
    }
  }
  stats->rays += live_count_;
}

// Up to `each` samples of the live rays [begin, end).
uint32_t RenderBlock::Gather(uint32_t begin, uint32_t end, uint32_t each) {
  Lanes& l = *lanes_;
  uint32_t n = 0;
  for (uint32_t i = begin; i < end; ++i) {
    Pixel& pixel = pixels_[live_[i]];
    for (uint32_t k = 0; k < each; ++k) {
      RaySample sample;
      if (!pixel.samples.Next(&sample)) {
        pixel.left = true;
        break;
      }
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

// Composites the round's densities and lists the samples that are seen; returns how many.
uint32_t RenderBlock::Weigh(uint32_t n) {
  Lanes& l = *lanes_;
  const float per_length = 1 / model_.box().edge();
  const float seen = options_.exhaustive ? -1.0f : kSeen;
  uint32_t picked = 0;
  for (uint32_t i = 0; i < n; ++i) {
    Pixel& pixel = pixels_[l.pixel[i]];
    const float left = pixel.through;
    // Once too little light gets through, the rest of the round counts for nothing, as if the ray
    // had ended here: what is composited does not depend on the rounds.
    if (!options_.exhaustive && left < options_.min_transmittance) continue;
    const float alpha = 1 - std::exp(-l.density[i] * l.length[i] * per_length);
    const float weight = left * alpha;
    pixel.through = left * (1 - alpha);
    pixel.opacity += weight;
    pixel.depth += weight * l.t[i];
    if (!(weight > seen)) continue;
    l.pick[picked] = i;
    l.weight[picked] = weight;
    l.dx[picked] = pixel.ray.direction[0];
    l.dy[picked] = pixel.ray.direction[1];
    l.dz[picked] = pixel.ray.direction[2];
    ++picked;
  }
  for (uint32_t i = picked; i < TilesOf(picked) * kernels::kTile; ++i) {
    l.dx[i] = l.dy[i] = 0;
    l.dz[i] = 1;
  }
  return picked;
}

void RenderBlock::AddColors(uint32_t picked) {
  const Lanes& l = *lanes_;
  for (uint32_t i = 0; i < picked; ++i) {
    Pixel& pixel = pixels_[l.pixel[l.pick[i]]];
    pixel.color[0] += l.weight[i] * l.r[i];
    pixel.color[1] += l.weight[i] * l.g[i];
    pixel.color[2] += l.weight[i] * l.b[i];
  }
}

// Differences of the density over one step around each seen sample; nothing is outside the box.
void RenderBlock::AddNormals(uint32_t picked, RenderStats* stats) {
  const Lanes& l = *lanes_;
  const Box& box = model_.box();
  std::fill_n(l.gx, picked, 0.0f);
  std::fill_n(l.gy, picked, 0.0f);
  std::fill_n(l.gz, picked, 0.0f);
  for (const float* corner : kCorners) {
    float offset[3];
    for (int a = 0; a < 3; ++a) offset[a] = corner[a] * plan_.step / box.side(a);
    for (uint32_t i = 0; i < TilesOf(picked) * kernels::kTile; ++i) {
      const uint32_t from = l.pick[std::min(i, picked - 1)];
      l.dx[i] = std::min(std::max(l.x[from] + offset[0], 0.0f), 1.0f);
      l.dy[i] = std::min(std::max(l.y[from] + offset[1], 0.0f), 1.0f);
      l.dz[i] = std::min(std::max(l.z[from] + offset[2], 0.0f), 1.0f);
    }
    const double begin = ThreadSeconds();
    pass_.Density({l.dx, l.dy, l.dz}, picked, l.density);
    stats->field_seconds += ThreadSeconds() - begin;
    stats->samples += picked;
    for (uint32_t i = 0; i < picked; ++i) {
      const uint32_t from = l.pick[i];
      const bool inside = l.dx[i] == l.x[from] + offset[0] && l.dy[i] == l.y[from] + offset[1] &&
                          l.dz[i] == l.z[from] + offset[2];
      if (!inside) continue;
      l.gx[i] -= corner[0] * l.density[i];
      l.gy[i] -= corner[1] * l.density[i];
      l.gz[i] -= corner[2] * l.density[i];
    }
  }
  for (uint32_t i = 0; i < picked; ++i) {
    Pixel& pixel = pixels_[l.pixel[l.pick[i]]];
    pixel.normal[0] += l.weight[i] * l.gx[i];
    pixel.normal[1] += l.weight[i] * l.gy[i];
    pixel.normal[2] += l.weight[i] * l.gz[i];
  }
}

void RenderBlock::Shade(uint32_t n, RenderStats* stats) {
  const Lanes& l = *lanes_;
  for (uint32_t i = n; i < TilesOf(n) * kernels::kTile; ++i) l.x[i] = l.y[i] = l.z[i] = 0.5f;
  double begin = ThreadSeconds();
  pass_.Density({l.x, l.y, l.z}, n, l.density);
  stats->field_seconds += ThreadSeconds() - begin;
  stats->samples += n;
  const uint32_t picked = Weigh(n);
  if (picked == 0) return;
  begin = ThreadSeconds();
  pass_.Color(l.pick, {l.dx, l.dy, l.dz}, picked, {l.r, l.g, l.b});
  stats->field_seconds += ThreadSeconds() - begin;
  stats->colors += picked;
  AddColors(picked);
  if (normals_) AddNormals(picked, stats);
}

Status RenderBlock::Render(const Window& window, uint32_t x0, uint32_t y0,
                           const TaskControl& control, RenderStats* stats) {
  StartRays(window, x0, y0, stats);
  uint32_t each = kFirstRun;
  while (live_count_ > 0) {
    // A pass that takes few samples serves the live rays in turns.
    const uint32_t capacity = pass_.capacity(), turn = std::min(live_count_, capacity),
                   most = std::max(1u, capacity / turn);
    for (uint32_t first = 0; first < live_count_; first += turn) {
      DAF_RETURN_IF_ERROR(control.Check());
      const uint32_t n = Gather(first, std::min(live_count_, first + turn), std::min(each, most));
      if (n > 0) Shade(n, stats);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < live_count_; ++i) {
      const Pixel& pixel = pixels_[live_[i]];
      if (!pixel.left && (options_.exhaustive || pixel.through >= options_.min_transmittance))
        live_[kept++] = live_[i];
    }
    live_count_ = kept;
    each = std::min(each + 2, kLongestRun);
  }
  return Status::Ok();
}

void RenderBlock::Store(const Window& window, const RenderTargets& targets) const {
  for (uint32_t i = 0; i < count_; ++i) {
    const Pixel& pixel = pixels_[i];
    const size_t at = size_t{pixel.y - window.y} * window.width + (pixel.x - window.x);
    const float opacity = std::min(pixel.opacity, 1.0f);
    const bool solid = opacity >= 0.5f;
    if (targets.opacity != nullptr) targets.opacity[at] = opacity;
    if (targets.depth != nullptr)
      targets.depth[at] = solid ? pixel.depth / pixel.opacity / pixel.ray.slant : INFINITY;
    if (targets.normal != nullptr) {
      const float* n = pixel.normal;
      const float length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
      for (int a = 0; a < 3; ++a)
        targets.normal[at * 3 + a] = solid && length > 0 ? n[a] / length : 0.0f;
    }
    for (int c = 0; c < 3; ++c) {
      const float over = pixel.color[c] + (1 - opacity) * options_.background[c];
      if (targets.color != nullptr) targets.color[at * 3 + c] = over;
      if (targets.rgba != nullptr) {
        targets.rgba[at * 4 + c] = ToByte(
            options_.transparent ? (opacity > 1e-3f ? pixel.color[c] / opacity : 0.0f) : over);
      }
    }
    if (targets.rgba != nullptr)
      targets.rgba[at * 4 + 3] = options_.transparent ? ToByte(opacity) : 255;
  }
}

}  // namespace daf::nerf
