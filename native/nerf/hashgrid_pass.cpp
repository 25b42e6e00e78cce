// The hash grid in fp32: inference, and training with its tape.
#include <cstring>

#include "native/nerf/columns.h"
#include "native/nerf/hashgrid.h"

namespace daf::nerf {

using kernels::kTile;
using kernels::RoundUp8;
using kernels::Table;

namespace {
constexpr uint32_t kGroupTiles =
    8;  // tiles whose deltas are kept for one weight-gradient sweep: they and their tape stay in L2
}  // namespace

// Buffers whose name ends in _ are [tile][rows][48]; `Rows` is that stride.
class HashGridPass final : public FieldPass {
 public:
  HashGridPass(const HashGrid& field, bool training)
      : f_(field), k_(*field.kernels_), training_(training) {}
  Status Reserve(Arena* arena);
  uint32_t capacity() const override { return kPassSamples; }
  void Density(const PointArrays& points, uint32_t n, float* density) override;
  void Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
             const ColorArrays& color) override;
  void Forward(const PointArrays& points, const PointArrays& directions, uint32_t n, float* density,
               const ColorArrays& color) override;
  void Keep(const uint32_t* pick, uint32_t n, uint32_t at) override;
  void ForwardKept(const PointArrays& points, const PointArrays& directions, uint32_t n,
                   float* density, const ColorArrays& color) override;
  void Appearance(const uint32_t* image) override {
    image_ = f_.config_.appearance > 0 ? image : nullptr;
  }
  void Backward(const float* d_density, const ColorArrays& d_color, float* gradients) override;
  void Defer(TableDeltas* deltas) override { deferred_ = deltas; }
  void Positions(const PositionDeltas* deltas) override { positions_ = deltas; }

 private:
  void Networks(const PointArrays& points, const PointArrays& directions, uint32_t n,
                float* density, const ColorArrays& color);
  void DensityTiles(uint32_t tiles, const float* encoding, float* density);
  void ColorTile(const float* latent, const float* view, float* c1, float* c2, uint32_t tile,
                 const ColorArrays& color);
  void BackwardTile(uint32_t tile, uint32_t slot, const float* d_density,
                    const ColorArrays& d_color, float* gradients);
  // Where the deltas of the encoding of a tile go.
  float* EncodingDelta(uint32_t tile) const {
    const size_t stride = Rows(RoundUp8(f_.padded_));
    return deferred_ != nullptr ? deferred_->rows + (deferred_->tiles + tile) * stride
                                : d_encoding_ + tile * stride;
  }
  void BackwardTables(float* gradients);
  void BackwardPositions() const;
  void CodeGradients(uint32_t tile, float* gradients) const;
  size_t Rows(uint32_t rows) const { return size_t{rows} * kTile; }

  const HashGrid& f_;
  const Table& k_;
  const bool training_;
  PointArrays points_{};
  const float* density_out_ = nullptr;
  ColorArrays color_out_{};
  const uint32_t* image_ = nullptr;
  TableDeltas* deferred_ = nullptr;
  const PositionDeltas* positions_ = nullptr;
  uint32_t tiles_ = 0;
  bool with_color_ = false;
  float* encoding_ = nullptr;  // padded_
  float* seen_ = nullptr;      // padded_, training: of the last Density, for Keep
  float* hidden_ = nullptr;    // density_width (one tile unless training)
  float* latent_ = nullptr;    // kLatent
  float* view_ = nullptr;      // view_rows
  float* color1_ = nullptr;    // color_width (one tile unless training)
  float* color2_ = nullptr;
  float* raw_ = nullptr;     // 8 rows, one tile
  float* picked_ = nullptr;  // kLatent rows, one tile
  // Deltas of one group of tiles.
  float* d_encoding_ = nullptr;  // all tiles: the hash backward goes level by level over the batch
  float* d_hidden_ = nullptr;
  float* d_latent_ = nullptr;
  float* d_color0_ =
      nullptr;  // of the colour network's input: kLatent + view_rows, one tile; for codes only
  float* d_color1_ = nullptr;
  float* d_color2_ = nullptr;
  float* d_raw_ = nullptr;  // 8
};

Status HashGridPass::Reserve(Arena* arena) {
  const uint32_t taped = training_ ? kPassTiles : 1, width = f_.config_.density_width,
                 color_width = f_.config_.color_width;
  const auto take = [&](uint32_t tiles, uint32_t rows, float** out) {
    return arena->Allocate(tiles * Rows(rows), out);
  };
  DAF_RETURN_IF_ERROR(take(kPassTiles, f_.padded_, &encoding_));
  std::memset(encoding_, 0,
              kPassTiles * Rows(f_.padded_) * sizeof(float));  // padding rows stay zero
  seen_ = encoding_;
  DAF_RETURN_IF_ERROR(take(taped, width, &hidden_));
  DAF_RETURN_IF_ERROR(take(kPassTiles, kLatent, &latent_));
  DAF_RETURN_IF_ERROR(take(kPassTiles, f_.view_rows(), &view_));
  DAF_RETURN_IF_ERROR(take(taped, color_width, &color1_));
  DAF_RETURN_IF_ERROR(take(taped, color_width, &color2_));
  DAF_RETURN_IF_ERROR(take(1, 8, &raw_));
  DAF_RETURN_IF_ERROR(take(1, kLatent, &picked_));
  if (!training_) return Status::Ok();
  DAF_RETURN_IF_ERROR(take(kPassTiles, f_.padded_, &seen_));
  std::memset(seen_, 0, kPassTiles * Rows(f_.padded_) * sizeof(float));
  DAF_RETURN_IF_ERROR(take(kPassTiles, RoundUp8(f_.padded_), &d_encoding_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, width, &d_hidden_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, kLatent, &d_latent_));
  DAF_RETURN_IF_ERROR(take(1, kLatent + f_.view_rows(), &d_color0_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, color_width, &d_color1_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, color_width, &d_color2_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, 8, &d_raw_));
  std::memset(d_raw_, 0, kGroupTiles * Rows(8) * sizeof(float));
  return Status::Ok();
}

void HashGridPass::DensityTiles(uint32_t tiles, const float* encoding, float* density) {
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    float* hidden = hidden_ + (training_ ? tile * Rows(f_.config_.density_width) : 0);
    float* latent = latent_ + tile * Rows(kLatent);
    f_.density0_.Forward(k_, encoding + tile * Rows(f_.padded_), f_.padded_, nullptr, 0, hidden,
                         kernels::kRelu);
    f_.density1_.Forward(k_, hidden, f_.config_.density_width, nullptr, 0, latent,
                         kernels::kLinear);
    f_.ActivateDensity(latent, density + size_t{tile} * kTile);
  }
}

void HashGridPass::ColorTile(const float* latent, const float* view, float* c1, float* c2,
                             uint32_t tile, const ColorArrays& color) {
  f_.color0_.Forward(k_, latent, kLatent, view, f_.view_rows(), c1, kernels::kRelu);
  f_.color1_.Forward(k_, c1, f_.config_.color_width, nullptr, 0, c2, kernels::kRelu);
  f_.color2_.Forward(k_, c2, f_.config_.color_width, nullptr, 0, raw_, kernels::kLinear);
  f_.Squash(raw_, tile, color);
}

void HashGridPass::Density(const PointArrays& points, uint32_t n, float* density) {
  const uint32_t tiles = TilesOf(n);
  f_.Encode(points, tiles, seen_);
  DensityTiles(tiles, seen_, density);
}

void HashGridPass::Keep(const uint32_t* pick, uint32_t n, uint32_t at) {
  CopyColumns(seen_, f_.padded_, pick, n, at, f_.encoded_, encoding_, f_.padded_);
}

void HashGridPass::ForwardKept(const PointArrays& points, const PointArrays& directions, uint32_t n,
                               float* density, const ColorArrays& color) {
  Networks(points, directions, n, density, color);
}

void HashGridPass::Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
                         const ColorArrays& color) {
  const uint32_t tiles = TilesOf(n);
  f_.EncodeView(directions, nullptr, tiles, view_);
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    for (uint32_t s = 0; s < kTile; ++s) {
      const uint32_t i = tile * kTile + s, from = i < n ? pick[i] : 0;
      const float* column = latent_ + (from / kTile) * Rows(kLatent) + from % kTile;
      for (uint32_t row = 0; row < kLatent; ++row) picked_[row * kTile + s] = column[row * kTile];
    }
    ColorTile(picked_, view_ + tile * Rows(f_.view_rows()), color1_, color2_, tile, color);
  }
}

void HashGridPass::Forward(const PointArrays& points, const PointArrays& directions, uint32_t n,
                           float* density, const ColorArrays& color) {
  f_.Encode(points, TilesOf(n), encoding_);
  Networks(points, directions, n, density, color);
}

void HashGridPass::Networks(const PointArrays& points, const PointArrays& directions, uint32_t n,
                            float* density, const ColorArrays& color) {
  points_ = points;
  tiles_ = TilesOf(n);
  density_out_ = density;
  color_out_ = color;
  with_color_ = color.r != nullptr;
  DensityTiles(tiles_, encoding_, density);
  if (!with_color_) return;
  f_.EncodeView(directions, image_, tiles_, view_);
  const size_t width = Rows(f_.config_.color_width);
  for (uint32_t tile = 0; tile < tiles_; ++tile) {
    const size_t kept =
        training_ ? tile * width : 0;  // without a tape there is one tile of scratch
    ColorTile(latent_ + tile * Rows(kLatent), view_ + tile * Rows(f_.view_rows()), color1_ + kept,
              color2_ + kept, tile, color);
  }
}

// From the deltas of the colour network's input to the codes of one tile's pictures.
void HashGridPass::CodeGradients(uint32_t tile, float* gradients) const {
  for (uint32_t s = 0; s < kTile; ++s) {
    float* code = gradients + f_.Code(image_[tile * kTile + s]);
    const float* delta = d_color0_ + Rows(kLatent + kHarmonics) + s;
    for (uint32_t a = 0; a < f_.config_.appearance; ++a) code[a] += delta[a * kTile];
  }
}

void HashGridPass::BackwardTile(uint32_t tile, uint32_t slot, const float* d_density,
                                const ColorArrays& d_color, float* gradients) {
  const uint32_t color_width = f_.config_.color_width;
  float* d_latent = d_latent_ + slot * Rows(kLatent);
  const size_t at = size_t{tile} * kTile;
  if (with_color_) {
    float* d_raw = d_raw_ + slot * Rows(8);
    const float* const d[3] = {d_color.r + at, d_color.g + at, d_color.b + at};
    const float* const c[3] = {color_out_.r + at, color_out_.g + at, color_out_.b + at};
    for (uint32_t row = 0; row < 3; ++row) {
      for (uint32_t s = 0; s < kTile; ++s)
        d_raw[row * kTile + s] = d[row][s] * c[row][s] * (1 - c[row][s]);
    }
    float* d2 = d_color2_ + slot * Rows(color_width);
    float* d1 = d_color1_ + slot * Rows(color_width);
    f_.color2_.Backward(k_, d_raw, d2, color2_ + tile * Rows(color_width));
    f_.color1_.Backward(k_, d2, d1, color1_ + tile * Rows(color_width));
    if (image_ != nullptr) {
      f_.color0_.Backward(k_, d1, d_color0_, nullptr);
      CodeGradients(tile, gradients);
      std::memcpy(d_latent, d_color0_, Rows(kLatent) * sizeof(float));
    } else {
      f_.color0_.BackwardTo(k_, kLatent, d1, d_latent, nullptr);  // directions learn nothing
    }
  } else {
    std::memset(d_latent, 0, Rows(kLatent) * sizeof(float));
  }
  for (uint32_t s = 0; s < kTile; ++s)
    d_latent[s] += d_density[at + s] * density_out_[at + s] * kLogScale;
  float* d_hidden = d_hidden_ + slot * Rows(f_.config_.density_width);
  f_.density1_.Backward(k_, d_latent, d_hidden, hidden_ + tile * Rows(f_.config_.density_width));
  f_.density0_.Backward(k_, d_hidden, EncodingDelta(tile), nullptr);
}

void HashGridPass::Backward(const float* d_density, const ColorArrays& d_color, float* gradients) {
  const uint32_t width = f_.config_.density_width, color_width = f_.config_.color_width;
  for (uint32_t first = 0; first < tiles_; first += kGroupTiles) {
    const uint32_t count = tiles_ - first < kGroupTiles ? tiles_ - first : kGroupTiles;
    for (uint32_t slot = 0; slot < count; ++slot)
      BackwardTile(first + slot, slot, d_density, d_color, gradients);
    if (with_color_) {
      f_.color2_.Gradient(k_, d_raw_, Rows(8), color2_ + first * Rows(color_width),
                          Rows(color_width), 0, color_width, count, true, gradients);
      f_.color1_.Gradient(k_, d_color2_, Rows(color_width), color1_ + first * Rows(color_width),
                          Rows(color_width), 0, color_width, count, true, gradients);
      f_.color0_.Gradient(k_, d_color1_, Rows(color_width), latent_ + first * Rows(kLatent),
                          Rows(kLatent), 0, kLatent, count, true, gradients);
      f_.color0_.Gradient(k_, d_color1_, Rows(color_width), view_ + first * Rows(f_.view_rows()),
                          Rows(f_.view_rows()), kLatent, f_.view_rows(), count, false, gradients);
    }
    f_.density1_.Gradient(k_, d_latent_, Rows(kLatent), hidden_ + first * Rows(width), Rows(width),
                          0, width, count, true, gradients);
    f_.density0_.Gradient(k_, d_hidden_, Rows(width), encoding_ + first * Rows(f_.padded_),
                          Rows(f_.padded_), 0, f_.padded_, count, true, gradients);
  }
  if (positions_ != nullptr) BackwardPositions();
  BackwardTables(gradients);
}

// From the deltas of the encoding, level by level like the tables.
void HashGridPass::BackwardPositions() const {
  for (float* lane : {positions_->x, positions_->y, positions_->z})
    std::memset(lane, 0, size_t{tiles_} * kTile * sizeof(float));
  for (size_t l = 0; l < f_.levels_.size(); ++l) {
    const kernels::HashPositionArgs args = {
        {f_.levels_[l], points_.x, points_.y, points_.z, tiles_, f_.parameters_, nullptr,
         EncodingDelta(0) + l * f_.config_.features * kTile, Rows(RoundUp8(f_.padded_))},
        {positions_->x, positions_->y, positions_->z}};
    k_.hash_position(&args);
  }
}

void HashGridPass::BackwardTables(float* gradients) {
  if (deferred_ != nullptr) {
    TableDeltas& to = *deferred_;
    const size_t at = size_t{to.tiles} * kTile, bytes = size_t{tiles_} * kTile * sizeof(float);
    std::memcpy(to.x + at, points_.x, bytes);
    std::memcpy(to.y + at, points_.y, bytes);
    std::memcpy(to.z + at, points_.z, bytes);
    to.tiles += tiles_;
    return;
  }
  for (size_t l = 0; l < f_.levels_.size(); ++l) {
    const kernels::HashArgs args = {f_.levels_[l],
                                    points_.x,
                                    points_.y,
                                    points_.z,
                                    tiles_,
                                    nullptr,
                                    gradients,
                                    d_encoding_ + l * f_.config_.features * kTile,
                                    Rows(RoundUp8(f_.padded_))};
    k_.hash_backward(&args);
  }
}

Status NewHashGridPass(const HashGrid& field, bool training, Arena* arena,
                       std::unique_ptr<FieldPass>* out) {
  auto pass = std::make_unique<HashGridPass>(field, training);
  DAF_RETURN_IF_ERROR(pass->Reserve(arena));
  *out = std::move(pass);
  return Status::Ok();
}

}  // namespace daf::nerf
