// The hash grid's inference in bf16: table, encodings and the log density in fp32, layers in bf16.
#include <cstring>

#include "native/nerf/hashgrid.h"
#include "native/nerf/low_dense.h"

namespace daf::nerf {

using kernels::DotLayerArgs;
using kernels::kTile;

// Words of one tile are pairs of rows.
class HashGridLow final : public FieldPass {
 public:
  HashGridLow(const HashGrid& field, const kernels::DotTable& dots) : f_(field), dots_(dots) {}
  Status Reserve(Arena* arena);
  uint32_t capacity() const override { return kPassSamples; }
  Status Prepare() override;
  void Density(const PointArrays& points, uint32_t n, float* density) override;
  void Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
             const ColorArrays& color) override;
  void Forward(const PointArrays& points, const PointArrays& directions, uint32_t n, float* density,
               const ColorArrays& color) override;
  void Backward(const float*, const ColorArrays&, float*) override {}  // there is no tape

 private:
  static constexpr size_t kLatentWords = kLatent / 2 * kTile;

  void DensityTile(uint32_t tile, float* density);
  void ColorTile(const uint32_t* latent, const PointArrays& directions, uint32_t tile,
                 const ColorArrays& color);

  const HashGrid& f_;
  const kernels::DotTable& dots_;
  uint64_t packs_ = 0;  // of the field, when its weights were rounded
  LowDense density0_, density1_, color0_, color1_, color2_;
  // By tile, in pairs: the encoding, padded rows of it, and the latents.
  uint32_t* encoding_ = nullptr;
  uint32_t* latent_ = nullptr;
  // Of one tile.
  float* view_ = nullptr;  // view_rows
  float* rows_ = nullptr;  // 16
  uint32_t* picked_ = nullptr;
  uint32_t* in_ = nullptr;
  uint32_t* hidden_[2] = {};
};

Status HashGridLow::Reserve(Arena* arena) {
  const uint32_t width = f_.config_.density_width, color = f_.config_.color_width;
  DAF_RETURN_IF_ERROR(density0_.Reserve(f_.padded_, width, false, arena));
  DAF_RETURN_IF_ERROR(density1_.Reserve(width, kLatent, false, arena));
  DAF_RETURN_IF_ERROR(color0_.Reserve(kLatent + f_.view_rows(), color, false, arena));
  DAF_RETURN_IF_ERROR(color1_.Reserve(color, color, false, arena));
  DAF_RETURN_IF_ERROR(color2_.Reserve(color, 3, false, arena));
  const size_t encoding = size_t{kPassTiles} * f_.padded_ / 2 * kTile;
  DAF_RETURN_IF_ERROR(arena->Allocate(encoding, &encoding_));
  std::memset(encoding_, 0, encoding * sizeof(uint32_t));  // padding rows stay zero
  DAF_RETURN_IF_ERROR(arena->Allocate(size_t{f_.view_rows()} * kTile, &view_));
  DAF_RETURN_IF_ERROR(arena->Allocate(kPassTiles * kLatentWords, &latent_));
  DAF_RETURN_IF_ERROR(arena->Allocate(size_t{kLatent} * kTile, &rows_));
  DAF_RETURN_IF_ERROR(arena->Allocate(kLatentWords, &picked_));
  DAF_RETURN_IF_ERROR(arena->Allocate(size_t{f_.view_rows()} / 2 * kTile, &in_));
  for (uint32_t*& one : hidden_)
    DAF_RETURN_IF_ERROR(arena->Allocate(size_t{width > color ? width : color} / 2 * kTile, &one));
  return Prepare();
}

// Rounds the weights again where they changed since.
Status HashGridLow::Prepare() {
  if (packs_ == f_.packs_) return Status::Ok();
  const auto round = [&](const Dense& from, LowDense* to) {
    to->Pack(f_.parameters_ + from.weights(), from.in(), f_.parameters_ + from.bias(), nullptr);
  };
  round(f_.density0_, &density0_);
  round(f_.density1_, &density1_);
  round(f_.color0_, &color0_);
  round(f_.color1_, &color1_);
  round(f_.color2_, &color2_);
  packs_ = f_.packs_;
  return Status::Ok();
}

void HashGridLow::DensityTile(uint32_t tile, float* density) {
  DotLayerArgs args =
      density0_.Args(encoding_ + size_t{tile} * f_.padded_ / 2 * kTile, f_.padded_, nullptr, 0);
  args.relu = true;
  args.pairs = hidden_[0];
  density0_.Run(dots_, args);
  args = density1_.Args(hidden_[0], f_.config_.density_width, nullptr, 0);
  args.rows = rows_;
  args.pairs = latent_ + tile * kLatentWords;
  density1_.Run(dots_, args);
  f_.ActivateDensity(rows_, density + size_t{tile} * kTile);
}

void HashGridLow::ColorTile(const uint32_t* latent, const PointArrays& directions, uint32_t tile,
                            const ColorArrays& color) {
  const uint32_t width = f_.config_.color_width;
  const size_t at = size_t{tile} * kTile;
  f_.EncodeView({directions.x + at, directions.y + at, directions.z + at}, nullptr, 1, view_);
  dots_.to_pairs(view_, f_.view_rows(), in_);
  DotLayerArgs args = color0_.Args(latent, kLatent, in_, f_.view_rows());
  args.relu = true;
  args.pairs = hidden_[0];
  color0_.Run(dots_, args);
  args = color1_.Args(hidden_[0], width, nullptr, 0);
  args.relu = true;
  args.pairs = hidden_[1];
  color1_.Run(dots_, args);
  args = color2_.Args(hidden_[1], width, nullptr, 0);
  args.rows = rows_;
  color2_.Run(dots_, args);
  f_.Squash(rows_, tile, color);
}

void HashGridLow::Density(const PointArrays& points, uint32_t n, float* density) {
  const uint32_t tiles = TilesOf(n);
  f_.EncodePairs(points, tiles, encoding_);
  for (uint32_t tile = 0; tile < tiles; ++tile) DensityTile(tile, density);
}

void HashGridLow::Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
                        const ColorArrays& color) {
  const uint32_t tiles = TilesOf(n);
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    for (uint32_t s = 0; s < kTile; ++s) {
      const uint32_t i = tile * kTile + s, from = i < n ? pick[i] : 0;
      const uint32_t* column = latent_ + (from / kTile) * kLatentWords + from % kTile;
      for (size_t at = 0; at < kLatentWords; at += kTile) picked_[at + s] = column[at];
    }
    ColorTile(picked_, directions, tile, color);
  }
}

void HashGridLow::Forward(const PointArrays& points, const PointArrays& directions, uint32_t n,
                          float* density, const ColorArrays& color) {
  const uint32_t tiles = TilesOf(n);
  f_.EncodePairs(points, tiles, encoding_);
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    DensityTile(tile, density);
    if (color.r != nullptr) ColorTile(latent_ + tile * kLatentWords, directions, tile, color);
  }
}

Status NewHashGridLow(const HashGrid& field, const kernels::DotTable& dots, Arena* arena,
                      std::unique_ptr<FieldPass>* out) {
  auto pass = std::make_unique<HashGridLow>(field, dots);
  DAF_RETURN_IF_ERROR(pass->Reserve(arena));
  *out = std::move(pass);
  return Status::Ok();
}

}  // namespace daf::nerf
