// What the pixels of a block have gathered so far: samples are composited into them front to back.
#pragma once

#include "native/base/arena.h"
#include "native/nerf/ray_sample.h"
#include "native/nerf/renderer.h"

namespace daf::nerf {

// Those samples of a batch that are seen.
struct SeenSamples {
  uint32_t* pick;       // which
  float* weight;        // how much of its pixel each makes up
  float *dx, *dy, *dz;  // the direction from which it is seen, up to a whole tile
  uint32_t count;
};

class PixelBlock {
 public:
  // `behind`: what is seen where nothing is, or null for the options' colour.
  PixelBlock(const RenderOptions& options, const Background* behind)
      : options_(options), behind_(behind) {}
  // Errors: kMemory.
  Status Reserve(uint32_t pixels, Arena* arena);
  void Clear() { count_ = 0; }
  uint32_t count() const { return count_; }

  // A pixel that nothing is seen in so far. Returns its number.
  uint32_t Add(uint32_t x, uint32_t y);
  void SetRay(uint32_t pixel, const Ray& ray);
  // Whether enough light comes from behind what was composited.
  bool Open(uint32_t pixel) const { return through_[pixel] >= options_.min_transmittance; }

  // Composites samples of these opacities, whose rays are pixels, and lists those that are seen.
  void Weigh(const SampleBatch& batch, const float* alpha, SeenSamples* seen);
  // Adds their colours; their normals, of any length.
  void AddColors(const SampleBatch& batch, const SeenSamples& seen, const float* r, const float* g,
                 const float* b);
  void AddNormals(const SampleBatch& batch, const SeenSamples& seen, const float* x, const float* y,
                  const float* z);

  // Writes all pixels, which lie in the window of the camera's picture.
  void Store(const Camera& camera, const Window& window, const RenderTargets& targets) const;

 private:
  // What is asked for once a pixel, apart from what every sample asks for.
  struct Pixel {
    float direction[3], slant;
    float color[3], normal[3];
    float depth, opacity;
    uint16_t x, y;
  };

  const RenderOptions& options_;
  const Background* behind_;
  Pixel* pixels_ = nullptr;
  float* through_ = nullptr;
  uint32_t count_ = 0;
};

}  // namespace daf::nerf
