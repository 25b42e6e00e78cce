// The hash-grid field: multi-resolution hash encoding → density network (one hidden layer) → 16
// numbers, of which the first is the log density and all feed, with 16 spherical harmonics of the
// direction, a colour network of two hidden layers.
#include <cmath>
#include <cstring>

#include "native/nerf/checkpoint.h"
#include "native/nerf/dense.h"
#include "native/nerf/field.h"

namespace daf::nerf {
namespace {

using kernels::HashLevel;
using kernels::kTile;
using kernels::RoundUp8;
using kernels::Table;

constexpr uint32_t kLatent = 16;  // density network's outputs
constexpr uint32_t kHarmonics = 16;
constexpr float kLogScale =
    4;  // log density = 4 × the first latent: keeps the latents, which colour shares, small
constexpr uint32_t kGroupTiles =
    16;  // tiles whose deltas are kept for one weight-gradient sweep: they stay in L2

class HashGrid final : public Field {
 public:
  Status Make(const HashGridConfig& config, uint64_t seed);
  const char* kind() const override { return "hashgrid"; }
  void Pack() override;
  std::vector<ParameterGroup> groups() const override;
  Status NewPass(bool training, Arena* arena, std::unique_ptr<FieldPass>* out) const override;
  Status Save(Arena* scratch, SafetensorsWriter* writer) const override;
  Status LoadTensors(const SafetensorsFile& file) override;

 private:
  friend class HashGridPass;
  std::vector<NamedDense> Layers() const;

  HashGridConfig config_;
  uint32_t encoded_ = 0;  // rows of the encoding; padded_ of them are allocated
  uint32_t padded_ = 0;
  std::vector<HashLevel> levels_;
  size_t table_ = 0;  // floats
  Dense density0_, density1_, color0_, color1_, color2_;
};

Status CheckConfig(const HashGridConfig& c) {
  const auto bad = [](const char* what) {
    return Status(Code::kBadArgument, std::string("hashgrid: ") + what);
  };
  if (c.levels < 1 || c.levels > 32) return bad("levels must be 1–32");
  if (c.features != 2 && c.features != 4 && c.features != 8)
    return bad("features must be 2, 4 or 8");
  if (c.levels * c.features > 64) return bad("levels × features must be at most 64");
  if (c.log2_entries < 8 || c.log2_entries > 22) return bad("log2Entries must be 8–22");
  if (c.coarsest < 1 || c.coarsest > 1024 || c.finest < c.coarsest || c.finest > 65536)
    return bad("cells must be 1 ≤ coarsest ≤ finest ≤ 65536, coarsest ≤ 1024");
  for (const uint32_t width : {c.density_width, c.color_width}) {
    if (width < 8 || width > 128 || width % 8 != 0)
      return bad("widths must be multiples of 8 up to 128");
  }
  return Status::Ok();
}

Status HashGrid::Make(const HashGridConfig& config, uint64_t seed) {
  DAF_RETURN_IF_ERROR(CheckConfig(config));
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  config_ = config;
  encoded_ = config.levels * config.features;
  padded_ = RoundUp4(encoded_);
  const double growth = config.levels > 1 ? std::pow(double{1} * config.finest / config.coarsest,
                                                     1.0 / (config.levels - 1))
                                          : 1;
  size_t cursor = 0;
  for (uint32_t l = 0; l < config.levels; ++l) {
    HashLevel level;
    level.cells = static_cast<uint32_t>(std::floor(config.coarsest * std::pow(growth, l) + 1e-6));
    level.features = config.features;
    level.offset = cursor;
    const uint64_t vertices = uint64_t{level.cells + 1} * (level.cells + 1) * (level.cells + 1);
    level.dense = vertices <= (uint64_t{1} << config.log2_entries) ? 1 : 0;
    level.size = level.dense != 0 ? static_cast<uint32_t>(vertices) : 1u << config.log2_entries;
    cursor = (cursor + size_t{level.size} * level.features + 15) / 16 * 16;
    levels_.push_back(level);
  }
  table_ = cursor;
  density0_ = Dense(encoded_, config.density_width, &cursor);
  density1_ = Dense(config.density_width, kLatent, &cursor);
  color0_ = Dense(kLatent + kHarmonics, config.color_width, &cursor);
  color1_ = Dense(config.color_width, config.color_width, &cursor);
  color2_ = Dense(config.color_width, 3, &cursor);
  count_ = cursor;
  DAF_RETURN_IF_ERROR(arena_.Allocate(count_, &parameters_));
  for (Dense* layer : {&density0_, &density1_, &color0_, &color1_, &color2_})
    DAF_RETURN_IF_ERROR(layer->Reserve(&arena_));
  std::memset(parameters_, 0, count_ * sizeof(float));
  Rng rng(seed, 1);
  for (const HashLevel& level : levels_) {
    for (size_t i = 0; i < size_t{level.size} * level.features; ++i)
      parameters_[level.offset + i] = rng.Uniform(-1e-4f, 1e-4f);
  }
  density0_.Initialise(parameters_, encoded_, &rng);
  density1_.Initialise(parameters_, config.density_width, &rng);
  color0_.Initialise(parameters_, kLatent + kHarmonics, &rng);
  color1_.Initialise(parameters_, config.color_width, &rng);
  color2_.Initialise(parameters_, config.color_width, &rng);
  Pack();
  return Status::Ok();
}

void HashGrid::Pack() {
  for (Dense* layer : {&density0_, &density1_, &color0_, &color1_, &color2_})
    layer->Pack(parameters_);
}

std::vector<ParameterGroup> HashGrid::groups() const {
  return {{0, table_, 0, 1, true}, {table_, count_ - table_, 1e-6f, 0.5f, false}};
}

std::vector<NamedDense> HashGrid::Layers() const {
  return {{"density.0", &density0_, encoded_},
          {"density.1", &density1_, config_.density_width},
          {"color.0", &color0_, kLatent + kHarmonics},
          {"color.1", &color1_, config_.color_width},
          {"color.2", &color2_, config_.color_width}};
}

std::vector<ConfigNumber> Numbers(HashGridConfig* config) {
  return {{"levels", 1, 32, &config->levels},
          {"features", 2, 8, &config->features},
          {"log2Entries", 8, 22, &config->log2_entries},
          {"coarsest", 1, 1024, &config->coarsest},
          {"finest", 1, 65536, &config->finest},
          {"densityWidth", 8, 128, &config->density_width},
          {"colorWidth", 8, 128, &config->color_width}};
}

Status HashGrid::Save(Arena* scratch, SafetensorsWriter* writer) const {
  HashGridConfig config = config_;
  SaveNumbers(*this, Numbers(&config), writer);
  for (size_t l = 0; l < levels_.size(); ++l) {
    const HashLevel& level = levels_[l];
    DAF_RETURN_IF_ERROR(writer->Add("table." + std::to_string(l), DType::kF32,
                                    {level.size, level.features}, parameters_ + level.offset));
  }
  return SaveLayers(Layers(), parameters_, scratch, writer);
}

Status HashGrid::LoadTensors(const SafetensorsFile& file) {
  for (size_t l = 0; l < levels_.size(); ++l) {
    const HashLevel& level = levels_[l];
    DAF_RETURN_IF_ERROR(file.FloatsInto("table." + std::to_string(l), {level.size, level.features},
                                        parameters_ + level.offset,
                                        size_t{level.size} * level.features));
  }
  return LoadLayers(file, Layers(), parameters_);
}

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
  void Backward(const float* d_density, const ColorArrays& d_color, float* gradients) override;

 private:
  void Encode(const PointArrays& points, uint32_t tiles, float* encoding);
  void Networks(const PointArrays& points, const PointArrays& directions, uint32_t n,
                float* density, const ColorArrays& color);
  void DensityTiles(uint32_t tiles, const float* encoding, float* density);
  void ColorTile(const float* latent, const float* harmonics, float* c1, float* c2, uint32_t tile,
                 const ColorArrays& color);
  void BackwardTile(uint32_t tile, uint32_t slot, const float* d_density,
                    const ColorArrays& d_color);
  size_t Rows(uint32_t rows) const { return size_t{rows} * kTile; }

  const HashGrid& f_;
  const Table& k_;
  const bool training_;
  PointArrays points_{};
  const float* density_out_ = nullptr;
  ColorArrays color_out_{};
  uint32_t tiles_ = 0;
  bool with_color_ = false;
  float* encoding_ = nullptr;   // padded_
  float* seen_ = nullptr;       // padded_, training: of the last Density, for Keep
  float* hidden_ = nullptr;     // density_width (one tile unless training)
  float* latent_ = nullptr;     // kLatent
  float* harmonics_ = nullptr;  // kHarmonics
  float* color1_ = nullptr;     // color_width (one tile unless training)
  float* color2_ = nullptr;
  float* raw_ = nullptr;     // 8 rows, one tile
  float* picked_ = nullptr;  // kLatent rows, one tile
  // Deltas of one group of tiles.
  float* d_encoding_ = nullptr;  // all tiles: the hash backward goes level by level over the batch
  float* d_hidden_ = nullptr;
  float* d_latent_ = nullptr;
  float* d_color0_ = nullptr;  // of the colour network's input: kLatent + kHarmonics, one tile
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
  DAF_RETURN_IF_ERROR(take(kPassTiles, kHarmonics, &harmonics_));
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
  DAF_RETURN_IF_ERROR(take(1, kLatent + kHarmonics, &d_color0_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, color_width, &d_color1_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, color_width, &d_color2_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, 8, &d_raw_));
  std::memset(d_raw_, 0, kGroupTiles * Rows(8) * sizeof(float));
  return Status::Ok();
}

void HashGridPass::Encode(const PointArrays& points, uint32_t tiles, float* encoding) {
  for (size_t l = 0; l < f_.levels_.size(); ++l) {
    const kernels::HashArgs args = {
        f_.levels_[l],   points.x,       points.y, points.z,
        tiles,           f_.parameters_, nullptr,  encoding + l * f_.config_.features * kTile,
        Rows(f_.padded_)};
    k_.hash_forward(&args);
  }
}

void HashGridPass::DensityTiles(uint32_t tiles, const float* encoding, float* density) {
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    float* hidden = hidden_ + (training_ ? tile * Rows(f_.config_.density_width) : 0);
    float* latent = latent_ + tile * Rows(kLatent);
    f_.density0_.Forward(k_, encoding + tile * Rows(f_.padded_), f_.padded_, nullptr, 0, hidden,
                         kernels::kRelu);
    f_.density1_.Forward(k_, hidden, f_.config_.density_width, nullptr, 0, latent,
                         kernels::kLinear);
    for (uint32_t s = 0; s < kTile; ++s) raw_[s] = latent[s] * kLogScale;
    k_.exponential(raw_, density + size_t{tile} * kTile, kTile);
  }
}

void HashGridPass::ColorTile(const float* latent, const float* harmonics, float* c1, float* c2,
                             uint32_t tile, const ColorArrays& color) {
  f_.color0_.Forward(k_, latent, kLatent, harmonics, kHarmonics, c1, kernels::kRelu);
  f_.color1_.Forward(k_, c1, f_.config_.color_width, nullptr, 0, c2, kernels::kRelu);
  f_.color2_.Forward(k_, c2, f_.config_.color_width, nullptr, 0, raw_, kernels::kLinear);
  k_.sigmoid(raw_, color.r + size_t{tile} * kTile, kTile);
  k_.sigmoid(raw_ + kTile, color.g + size_t{tile} * kTile, kTile);
  k_.sigmoid(raw_ + 2 * kTile, color.b + size_t{tile} * kTile, kTile);
}

void HashGridPass::Density(const PointArrays& points, uint32_t n, float* density) {
  const uint32_t tiles = TilesOf(n);
  Encode(points, tiles, seen_);
  DensityTiles(tiles, seen_, density);
}

void HashGridPass::Keep(const uint32_t* pick, uint32_t n, uint32_t at) {
  for (uint32_t i = 0; i < n; ++i, ++at) {
    const float* from = seen_ + (pick[i] / kTile) * Rows(f_.padded_) + pick[i] % kTile;
    float* to = encoding_ + (at / kTile) * Rows(f_.padded_) + at % kTile;
    for (uint32_t row = 0; row < f_.encoded_; ++row) to[row * kTile] = from[row * kTile];
  }
}

void HashGridPass::ForwardKept(const PointArrays& points, const PointArrays& directions, uint32_t n,
                               float* density, const ColorArrays& color) {
  Networks(points, directions, n, density, color);
}

void HashGridPass::Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
                         const ColorArrays& color) {
  const uint32_t tiles = TilesOf(n);
  k_.harmonics(directions.x, directions.y, directions.z, tiles, harmonics_, Rows(kHarmonics));
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    for (uint32_t s = 0; s < kTile; ++s) {
      const uint32_t i = tile * kTile + s, from = i < n ? pick[i] : 0;
      const float* column = latent_ + (from / kTile) * Rows(kLatent) + from % kTile;
      for (uint32_t row = 0; row < kLatent; ++row) picked_[row * kTile + s] = column[row * kTile];
    }
    ColorTile(picked_, harmonics_ + tile * Rows(kHarmonics), color1_, color2_, tile, color);
  }
}

void HashGridPass::Forward(const PointArrays& points, const PointArrays& directions, uint32_t n,
                           float* density, const ColorArrays& color) {
  Encode(points, TilesOf(n), encoding_);
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
  k_.harmonics(directions.x, directions.y, directions.z, tiles_, harmonics_, Rows(kHarmonics));
  const size_t width = Rows(f_.config_.color_width);
  for (uint32_t tile = 0; tile < tiles_; ++tile) {
    const size_t kept =
        training_ ? tile * width : 0;  // without a tape there is one tile of scratch
    ColorTile(latent_ + tile * Rows(kLatent), harmonics_ + tile * Rows(kHarmonics), color1_ + kept,
              color2_ + kept, tile, color);
  }
}

void HashGridPass::BackwardTile(uint32_t tile, uint32_t slot, const float* d_density,
                                const ColorArrays& d_color) {
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
    f_.color0_.Backward(k_, d1, d_color0_, nullptr);
    std::memcpy(d_latent, d_color0_, Rows(kLatent) * sizeof(float));
  } else {
    std::memset(d_latent, 0, Rows(kLatent) * sizeof(float));
  }
  for (uint32_t s = 0; s < kTile; ++s)
    d_latent[s] += d_density[at + s] * density_out_[at + s] * kLogScale;
  float* d_hidden = d_hidden_ + slot * Rows(f_.config_.density_width);
  f_.density1_.Backward(k_, d_latent, d_hidden, hidden_ + tile * Rows(f_.config_.density_width));
  f_.density0_.Backward(k_, d_hidden, d_encoding_ + tile * Rows(RoundUp8(f_.padded_)), nullptr);
}

void HashGridPass::Backward(const float* d_density, const ColorArrays& d_color, float* gradients) {
  const uint32_t width = f_.config_.density_width, color_width = f_.config_.color_width;
  for (uint32_t first = 0; first < tiles_; first += kGroupTiles) {
    const uint32_t count = tiles_ - first < kGroupTiles ? tiles_ - first : kGroupTiles;
    for (uint32_t slot = 0; slot < count; ++slot)
      BackwardTile(first + slot, slot, d_density, d_color);
    if (with_color_) {
      f_.color2_.Gradient(k_, d_raw_, Rows(8), color2_ + first * Rows(color_width),
                          Rows(color_width), 0, color_width, count, true, gradients);
      f_.color1_.Gradient(k_, d_color2_, Rows(color_width), color1_ + first * Rows(color_width),
                          Rows(color_width), 0, color_width, count, true, gradients);
      f_.color0_.Gradient(k_, d_color1_, Rows(color_width), latent_ + first * Rows(kLatent),
                          Rows(kLatent), 0, kLatent, count, true, gradients);
      f_.color0_.Gradient(k_, d_color1_, Rows(color_width), harmonics_ + first * Rows(kHarmonics),
                          Rows(kHarmonics), kLatent, kHarmonics, count, false, gradients);
    }
    f_.density1_.Gradient(k_, d_latent_, Rows(kLatent), hidden_ + first * Rows(width), Rows(width),
                          0, width, count, true, gradients);
    f_.density0_.Gradient(k_, d_hidden_, Rows(width), encoding_ + first * Rows(f_.padded_),
                          Rows(f_.padded_), 0, f_.padded_, count, true, gradients);
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

Status HashGrid::NewPass(bool training, Arena* arena, std::unique_ptr<FieldPass>* out) const {
  auto pass = std::make_unique<HashGridPass>(*this, training);
  DAF_RETURN_IF_ERROR(pass->Reserve(arena));
  *out = std::move(pass);
  return Status::Ok();
}

}  // namespace

Status ReadConfig(const SafetensorsFile& file, HashGridConfig* out) {
  return ReadNumbers(file, Numbers(out));
}

Status NewHashGrid(const HashGridConfig& config, uint64_t seed, std::unique_ptr<Field>* out) {
  auto field = std::make_unique<HashGrid>();
  DAF_RETURN_IF_ERROR(field->Make(config, seed));
  *out = std::move(field);
  return Status::Ok();
}

}  // namespace daf::nerf
