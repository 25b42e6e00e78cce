// The hash-grid field as its passes read it.
#pragma once

#include <memory>
#include <vector>

#include "native/kernels/dot.h"
#include "native/nerf/checkpoint.h"
#include "native/nerf/dense.h"
#include "native/nerf/field.h"
#include "native/nerf/table_variation.h"

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
  bool has_table() const override { return true; }
  uint32_t detail() const override { return config_.finest; }
  size_t table_begin() const override { return tables_; }
  uint32_t table_levels() const override { return config_.levels; }
  ParameterRange table(uint32_t level) const override {
    return {levels_[level].offset, size_t{levels_[level].size} * config_.features};
  }
  uint32_t table_rows() const override { return kernels::RoundUp8(padded_); }
  void AddDeferred(uint32_t level, const TableDeltas& deltas, float* gradients) const override;
  double Variation(const PointArrays& points, uint32_t n, float weight,
                   float* gradients) const override {
    return TableVariation(*kernels_, levels_, parameters_, points, n, weight, gradients);
  }
  uint32_t appearance_images() const override { return config_.images; }

 private:
  // Rows of the encoding of `tiles` tiles, [tile][padded_]; the padding is left as it is.
  void Encode(const PointArrays& points, uint32_t tiles, float* encoding) const;
  // The same as pairs of bf16 (dot.h), [tile][padded_ / 2].
  void EncodePairs(const PointArrays& points, uint32_t tiles, uint32_t* encoding) const;
  // What the colour network sees of the view, beside the latents: harmonics of the direction, then
  // the appearance code (Martin-Brualla et al. 2021) of image[i], or the mean of all codes where
  // `image` is null. [tile][view_rows()].
  void EncodeView(const PointArrays& directions, const uint32_t* image, uint32_t tiles,
                  float* view) const;
  uint32_t view_rows() const { return kHarmonics + config_.appearance; }
  size_t Code(uint32_t image) const { return codes_ + size_t{image} * config_.appearance; }
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
  size_t codes_ = 0;   // where the appearance codes begin, [images][appearance]
  size_t tables_ = 0;  // where the tables begin, after everything else
  float* mean_code_ = nullptr;
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
