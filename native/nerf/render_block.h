// A square of pixels whose rays are marched together: each round takes the next few samples of
// every ray that still goes on, so that the field always gets full tiles, from places that lie
// together.
#pragma once

#include "native/nerf/pixel_block.h"
#include "native/nerf/proposals.h"

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
  void Store(const Window& window, const RenderTargets& targets) const {
    pixels_.Store(camera_, window, targets);
  }

 private:
  void StartRays(const Window& window, uint32_t x0, uint32_t y0, RenderStats* stats);
  void StartBundle(const Window& bundle, float before);
  float ClearOf(const Window& bundle, float from) const;
  Status Propose(const TaskControl& control, RenderStats* stats);
  void Shade(RenderStats* stats);
  void Density(const float* x, const float* y, const float* z, uint32_t n, RenderStats* stats);
  void Alphas(const float* length, uint32_t n);
  void Forbid();
  void AddNormals(RenderStats* stats);

  const Model& model_;
  FieldPass& pass_;
  const kernels::Table& kernels_;
  const Camera& camera_;
  const RenderOptions& options_;
  const bool normals_;
  const SamplePlan plan_;
  Sampler sampler_;
  PixelBlock pixels_;
  Proposals* proposals_ = nullptr;
  uint32_t* live_ = nullptr;  // pixels whose rays go on
  uint32_t live_count_ = 0;
  SampleBatch batch_{};  // of one round, or a part of one
  SeenSamples seen_{};
  float *density_ = nullptr, *alpha_ = nullptr;  // of the batch
  float *r_ = nullptr, *g_ = nullptr, *b_ = nullptr;
  float* normal_[3] = {};  // of the seen
};

}  // namespace daf::nerf
