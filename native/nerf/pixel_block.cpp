#include "native/nerf/pixel_block.h"

#include <algorithm>
#include <cmath>

#include "native/nerf/field.h"

namespace daf::nerf {
namespace {

// Colour is evaluated where a sample's weight is above this.
constexpr float kSeen = 1e-4f;

// Nobody sees what lies behind a pixel of more opacity.
constexpr float kSolid = 0.9999f;

uint8_t ToByte(float v) {
  return static_cast<uint8_t>(std::min(std::max(v, 0.0f), 1.0f) * 255 + 0.5f);
}

}  // namespace

Status PixelBlock::Reserve(uint32_t pixels, Arena* arena) {
  DAF_RETURN_IF_ERROR(arena->Allocate(pixels, &pixels_));
  return arena->Allocate(pixels, &through_);
}

uint32_t PixelBlock::Add(uint32_t x, uint32_t y) {
  Pixel& pixel = pixels_[count_];
  pixel = {};
  pixel.x = static_cast<uint16_t>(x);
  pixel.y = static_cast<uint16_t>(y);
  through_[count_] = 1;
  return count_++;
}

void PixelBlock::SetRay(uint32_t pixel, const Ray& ray) {
  std::copy_n(ray.direction, 3, pixels_[pixel].direction);
  pixels_[pixel].slant = ray.slant;
}

void PixelBlock::Weigh(const SampleBatch& batch, const float* alpha, SeenSamples* seen) {
  const float least = options_.exhaustive ? -1.0f : kSeen,
              open = options_.exhaustive ? -1.0f : options_.min_transmittance;
  uint32_t picked = 0;
  for (uint32_t i = 0; i < batch.count; ++i) {
    float& through = through_[batch.ray[i]];
    // Once too little light gets through, the rest of the round counts for nothing, as if the ray
    // had ended here: what is composited does not depend on the rounds.
    if (through < open) continue;
    const float weight = through * alpha[i];
    through -= weight;
    seen->pick[picked] = i;
    seen->weight[picked] = weight;
    picked += weight > least ? 1 : 0;
  }
  for (uint32_t i = 0; i < picked; ++i) {
    const uint32_t from = seen->pick[i];
    Pixel& pixel = pixels_[batch.ray[from]];
    pixel.opacity += seen->weight[i];
    pixel.depth += seen->weight[i] * batch.t[from];
    seen->dx[i] = pixel.direction[0];
    seen->dy[i] = pixel.direction[1];
    seen->dz[i] = pixel.direction[2];
  }
  for (uint32_t i = picked; i < TilesOf(picked) * kernels::kTile; ++i) {
    seen->dx[i] = seen->dy[i] = 0;
    seen->dz[i] = 1;
  }
  seen->count = picked;
}

void PixelBlock::AddColors(const SampleBatch& batch, const SeenSamples& seen, const float* r,
                           const float* g, const float* b) {
  for (uint32_t i = 0; i < seen.count; ++i) {
    Pixel& pixel = pixels_[batch.ray[seen.pick[i]]];
    pixel.color[0] += seen.weight[i] * r[i];
    pixel.color[1] += seen.weight[i] * g[i];
    pixel.color[2] += seen.weight[i] * b[i];
  }
}

void PixelBlock::AddNormals(const SampleBatch& batch, const SeenSamples& seen, const float* x,
                            const float* y, const float* z) {
  for (uint32_t i = 0; i < seen.count; ++i) {
    Pixel& pixel = pixels_[batch.ray[seen.pick[i]]];
    pixel.normal[0] += seen.weight[i] * x[i];
    pixel.normal[1] += seen.weight[i] * y[i];
    pixel.normal[2] += seen.weight[i] * z[i];
  }
}

void PixelBlock::Store(const Camera& camera, const Window& window,
                       const RenderTargets& targets) const {
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
    float behind[3], over[3];
    std::copy_n(options_.background, 3, behind);
    if (behind_ != nullptr && opacity < kSolid) {
      behind_->Color(
          PixelRay(camera, static_cast<float>(pixel.x) + 0.5f, static_cast<float>(pixel.y) + 0.5f)
              .direction,
          behind);
    }
    for (int c = 0; c < 3; ++c) over[c] = pixel.color[c] + (1 - opacity) * behind[c];
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

}  // namespace daf::nerf
