// A square of pixels whose rays are marched together: each round takes the next few samples of
// every ray that still goes on, so that the field always gets full tiles, from places that lie
// together.
#pragma once

#include "native/nerf/proposals.h"
#include "native/nerf/ray_sample.h"
#include "native/nerf/renderer.h"

namespace daf::nerf {

// Sampler: see ray_sample.h.
template <typename Sampler>
class RenderBlock {
 public:
  static constexpr uint32_t kSide = 32;  // pixels: neighbours share cache lines of the tables

  // Everything given must outlive the block.
  RenderBlock(const Model& model, FieldPass* pass, const kernels::Table& kernels,
              const Camera& camera, const RenderOptions& options, bool normals);
  // Errors: kMemory.
  Status Reserve(Arena* arena);
  // Samples of the second look come from there; needed for ListedSampler, and for it alone.
  void Follow(Proposals* proposals) { proposals_ = proposals; }
  // The pixels of [x0, x0 + kSide) × [y0, y0 + kSide) within the window. Errors: kCancelled.
  Status Render(const Window& window, uint32_t x0, uint32_t y0, const TaskControl& control,
                RenderStats* stats);
  // Writes what Render found.
  void Store(const Window& window, const RenderTargets& targets) const;

 private:
  struct Pixel;
  struct Lanes;

  void StartRays(const Window& window, uint32_t x0, uint32_t y0, RenderStats* stats);
  void StartBundle(const Window& bundle, float before);
  Status Propose(const TaskControl& control, RenderStats* stats);
  void Advance();
  template <typename Predicate>
  void KeepLive(Predicate goes_on);
  uint32_t Gather(uint32_t begin, uint32_t end, uint32_t each);
  void Density(const float* x, const float* y, const float* z, uint32_t n, RenderStats* stats);
  void Shade(uint32_t n, RenderStats* stats);
  void Alphas(const float* length, uint32_t n);
  uint32_t Weigh(uint32_t n);
  void AddColors(uint32_t picked);
  void AddNormals(uint32_t picked, RenderStats* stats);

  const Model& model_;
  FieldPass& pass_;
  const kernels::Table& kernels_;
  const Camera& camera_;
  const RenderOptions& options_;
  const bool normals_;
  const SamplePlan plan_;
  const Sampler sampler_;
  Proposals* proposals_ = nullptr;
  Lanes* lanes_ = nullptr;
  Pixel* pixels_ = nullptr;
  typename Sampler::Ray* rays_ = nullptr;  // of the pixels
  uint32_t* live_ = nullptr;               // pixels whose rays go on
  uint32_t* moving_ = nullptr;             // those of them on their way to the next sample
  uint32_t count_ = 0, live_count_ = 0;
};

}  // namespace daf::nerf
