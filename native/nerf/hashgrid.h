// The hash-grid field as its passes read it.
#pragma once

#include <memory>
#include <vector>

#include "native/kernels/dot.h"
#include "native/nerf/checkpoint.h"
#include "native/nerf/dense.h"
#include "native/nerf/field.h"

namespace daf::nerf {

constexpr uint32_t kLatent = 16;  // density network's outputs
constexpr uint32_t kHarmonics = 16;
constexpr float kLogScale =
    4;  // log density = 4 × the first latent: keeps the latents, which colour shares, small

class HashGrid final : public Field {
 public:
  Status Make(const HashGridConfig& config, uint64_t seed);
  const char* kind() const override { return "hashgrid"; }
  void Pack() override;
  std::vector<ParameterGroup> groups() const override;
  Status NewPass(PassKind kind, Arena* arena, std::unique_ptr<FieldPass>* out) const override;
  Status Save(Arena* scratch, SafetensorsWriter* writer) const override;
  Status LoadTensors(const SafetensorsFile& file) override;

 private:
  // Rows of the encoding of `tiles` tiles, [tile][padded_]; the padding is left as it is.
  void Encode(const PointArrays& points, uint32_t tiles, float* encoding) const;
  // The first latent row of one tile → its densities.
  void ActivateDensity(const float* latent, float* density) const;
  // Three rows of one tile before the sigmoid → the tile's colours.
  void Squash(const float* raw, uint32_t tile, const ColorArrays& color) const;

  friend class HashGridPass;
  friend class HashGridLow;
  std::vector<NamedDense> Layers() const;

  HashGridConfig config_;
  uint32_t encoded_ = 0;  // rows of the encoding; padded_ of them are allocated
  uint32_t padded_ = 0;
  std::vector<kernels::HashLevel> levels_;
  size_t table_ = 0;    // floats
  uint64_t packs_ = 0;  // how often Pack was called
  Dense density0_, density1_, color0_, color1_, color2_;
};

// Inference in fp32, or training. The field must outlive the pass. Errors: kMemory.
Status NewHashGridPass(const HashGrid& field, bool training, Arena* arena,
                       std::unique_ptr<FieldPass>* out);
// Inference in bf16. The field must outlive the pass. Errors: kMemory.
Status NewHashGridLow(const HashGrid& field, const kernels::DotTable& dots, Arena* arena,
                      std::unique_ptr<FieldPass>* out);

}  // namespace daf::nerf
