#include "native/nerf/renderer.h"

#include <algorithm>
#include <cmath>

#include "native/nerf/denormals.h"
#include "native/nerf/march.h"

namespace daf::nerf {
namespace {

constexpr uint32_t kBlock =
    32;  // pixels along a block's side: neighbours share cache lines of the tables
constexpr uint32_t kRays = kBlock * kBlock;
constexpr float kSeen = 1e-4f;  // colour is evaluated where a sample's weight is above this

struct Pixel {
  Marcher march;
  Ray ray;
  float color[3];
  float through, depth, opacity;
  uint32_t x, y;
  bool left;  // has no more samples
};

// Samples of one round: every live ray's next few.
struct Round {
  float *x, *y, *z, *dx, *dy, *dz, *t, *length, *density, *r, *g, *b, *weight;
  uint32_t* pick;
  uint32_t* ray;  // of each sample
};

class Block {
 public:
  Block(Model* model, FieldPass* pass, const RenderOptions& options)
      : model_(*model), pass_(*pass), options_(options) {}
  Status Reserve(Arena* arena);
  Status Render(const Camera& camera, uint32_t x0, uint32_t y0, const TaskControl& control);
  void Store(const Camera& camera, const RenderTargets& targets) const;
  uint64_t samples() const { return samples_; }

 private:
  uint32_t Gather(uint32_t begin, uint32_t end, uint32_t each);
  void Shade(uint32_t n);

  Model& model_;
  FieldPass& pass_;
  const RenderOptions& options_;
  Round round_{};
  Pixel* pixels_ = nullptr;
  uint32_t* live_ = nullptr;
  float step_ = 0;
  uint32_t count_ = 0;
  uint64_t samples_ = 0;
};

Status Block::Reserve(Arena* arena) {
  for (float** lane :
       {&round_.x, &round_.y, &round_.z, &round_.dx, &round_.dy, &round_.dz, &round_.t,
        &round_.length, &round_.density, &round_.r, &round_.g, &round_.b, &round_.weight}) {
    DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, lane));
  }
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &round_.pick));
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, &round_.ray));
  DAF_RETURN_IF_ERROR(arena->Allocate(kRays, &pixels_));
  DAF_RETURN_IF_ERROR(arena->Allocate(kRays, &live_));
  step_ = model_.box().edge() / static_cast<float>(options_.samples);
  return Status::Ok();
}

// Up to `each` samples of the live rays [begin, end).
uint32_t Block::Gather(uint32_t begin, uint32_t end, uint32_t each) {
  uint32_t n = 0;
  for (uint32_t i = begin; i < end; ++i) {
    Pixel& pixel = pixels_[live_[i]];
    for (uint32_t k = 0; k < each; ++k) {
      float position[3], t;
      if (!pixel.march.Next(&t, position)) {
        pixel.left = true;
        break;
      }
      round_.x[n] = position[0];
      round_.y[n] = position[1];
      round_.z[n] = position[2];
      round_.t[n] = t;
      round_.length[n] = pixel.march.length();
      round_.ray[n++] = live_[i];
    }
  }
  return n;
}

void Block::Shade(uint32_t n) {
  const uint32_t padded = TilesOf(n) * kernels::kTile;
  for (uint32_t i = n; i < padded; ++i) round_.x[i] = round_.y[i] = round_.z[i] = 0.5f;
  pass_.Density({round_.x, round_.y, round_.z}, n, round_.density);
  samples_ += n;
  const float per_length = 1 / model_.box().edge();
  uint32_t picked = 0;
  for (uint32_t i = 0; i < n; ++i) {
    Pixel& pixel = pixels_[round_.ray[i]];
    const float left = pixel.through;
    // Once too little light gets through, the rest of the round counts for nothing, as if the ray
    // had ended here.
    const bool ended = !options_.exhaustive && left < options_.min_transmittance;
    const float alpha =
        ended ? 0.0f : 1 - std::exp(-round_.density[i] * round_.length[i] * per_length);
    const float weight = left * alpha;
    pixel.through = left * (1 - alpha);
    pixel.opacity += weight;
    pixel.depth += weight * round_.t[i];
    if (!(weight > (options_.exhaustive ? 0.0f : kSeen))) continue;
    round_.pick[picked] = i;
    round_.weight[picked] = weight;
    round_.dx[picked] = pixel.ray.direction[0];
    round_.dy[picked] = pixel.ray.direction[1];
    round_.dz[picked] = pixel.ray.direction[2];
    ++picked;
  }
  if (picked == 0) return;
  for (uint32_t i = picked; i < TilesOf(picked) * kernels::kTile; ++i) {
    round_.dx[i] = round_.dy[i] = 0;
    round_.dz[i] = 1;
  }
  pass_.Color(round_.pick, {round_.dx, round_.dy, round_.dz}, picked,
              {round_.r, round_.g, round_.b});
  for (uint32_t i = 0; i < picked; ++i) {
    Pixel& pixel = pixels_[round_.ray[round_.pick[i]]];
    pixel.color[0] += round_.weight[i] * round_.r[i];
    pixel.color[1] += round_.weight[i] * round_.g[i];
    pixel.color[2] += round_.weight[i] * round_.b[i];
  }
}

Status Block::Render(const Camera& camera, uint32_t x0, uint32_t y0, const TaskControl& control) {
  count_ = 0;
  uint32_t live = 0;
  const Occupancy* grid = options_.exhaustive ? nullptr : &model_.occupancy();
  for (uint32_t y = y0; y < std::min(camera.height, y0 + kBlock); ++y) {
    for (uint32_t x = x0; x < std::min(camera.width, x0 + kBlock); ++x) {
      Pixel& pixel = pixels_[count_];
      pixel.ray = PixelRay(camera, static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
      pixel.color[0] = pixel.color[1] = pixel.color[2] = pixel.depth = pixel.opacity = 0;
      pixel.through = 1;
      pixel.left = false;
      pixel.x = x;
      pixel.y = y;
      // Stratified over neighbouring pixels (a 4 × 4 pattern): banding becomes fine grain, the same
      // in every run.
      constexpr uint32_t kPattern[16] = {0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5};
      const float jitter = (static_cast<float>(kPattern[(y % 4) * 4 + x % 4]) + 0.5f) / 16;
      if (pixel.march.Start(model_.box(), grid, pixel.ray, step_, jitter)) live_[live++] = count_;
      ++count_;
    }
  }
  uint32_t each = 4;  // few samples at first: many rays end at the first surface
  while (live > 0) {
    // A pass that takes few samples serves the live rays in turns.
    const uint32_t capacity = pass_.capacity(), turn = std::min(live, capacity),
                   most = std::max(1u, capacity / turn);
    for (uint32_t first = 0; first < live; first += turn) {
      DAF_RETURN_IF_ERROR(control.Check());
      const uint32_t n = Gather(first, std::min(live, first + turn), std::min(each, most));
      if (n > 0) Shade(n);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < live; ++i) {
      Pixel& pixel = pixels_[live_[i]];
      if (!pixel.left && (options_.exhaustive || pixel.through >= options_.min_transmittance))
        live_[kept++] = live_[i];
    }
    live = kept;
    each = std::min(each + 2, 16u);
  }
  return Status::Ok();
}

uint8_t ToByte(float v) {
  return static_cast<uint8_t>(std::lround(std::min(std::max(v, 0.0f), 1.0f) * 255));
}

void Block::Store(const Camera& camera, const RenderTargets& targets) const {
  for (uint32_t i = 0; i < count_; ++i) {
    const Pixel& pixel = pixels_[i];
    const size_t at = size_t{pixel.y} * camera.width + pixel.x;
    const float opacity = std::min(pixel.opacity, 1.0f);
    if (targets.opacity != nullptr) targets.opacity[at] = opacity;
    if (targets.depth != nullptr)
      targets.depth[at] = opacity < 0.5f ? INFINITY : pixel.depth / pixel.opacity / pixel.ray.slant;
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

}  // namespace

Status Renderer::Render(Model* model, const Camera& camera, const RenderOptions& options,
                        const RenderTargets& targets, const TaskControl& control,
                        uint64_t* samples) {
  const FlushDenormals flush;
  if (camera.width == 0 || camera.height == 0 || camera.width > 16384 || camera.height > 16384) {
    return Status(Code::kBadArgument, "a rendered image has 1–16384 pixels along each side");
  }
  if (options.samples < 8 || options.samples > 4096)
    return Status(Code::kBadArgument, "samples must be 8–4096");
  if (!options.exhaustive) DAF_RETURN_IF_ERROR(model->RefreshOccupancy(control));
  PassPool::Loan pass;
  DAF_RETURN_IF_ERROR(model->Borrow(&pass));
  arena_.Reset();
  Block block(model, &*pass, options);
  DAF_RETURN_IF_ERROR(block.Reserve(&arena_));
  for (uint32_t y = 0; y < camera.height; y += kBlock) {
    for (uint32_t x = 0; x < camera.width; x += kBlock) {
      DAF_RETURN_IF_ERROR(block.Render(camera, x, y, control));
      block.Store(camera, targets);
    }
    control.Progress(static_cast<int32_t>(std::min(camera.height, y + kBlock)),
                     static_cast<int32_t>(camera.height));
  }
  *samples = block.samples();
  return Status::Ok();
}

}  // namespace daf::nerf
