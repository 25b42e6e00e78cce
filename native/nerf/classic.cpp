// The classic field: positional encoding, `depth` layers of `width` with the input entering again
// half way, then density and, through a linear feature layer and the encoded direction, colour. For
// inference the feature layer is multiplied into the view layer (exact up to rounding, and an
// eighth of the work).
#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/nerf/checkpoint.h"
#include "native/nerf/dense.h"
#include "native/nerf/field.h"

namespace daf::nerf {
namespace {

using kernels::kTile;
using kernels::PackedSize;
using kernels::RoundUp8;
using kernels::Table;

constexpr uint32_t kTiles = 8;  // of a call: a few milliseconds, and a tape of 4 MB when training
constexpr uint32_t kTogether = 2;  // tiles that pass a layer one after the other: its weights come
                                   // from L3 once for all of them
constexpr uint32_t kGroupTiles = 8;  // tiles whose deltas are kept for one weight-gradient sweep
constexpr float kToSigned[3] = {2, 2, 2}, kMinusOne[3] = {-1, -1, -1}, kOne[3] = {1, 1, 1},
                kZero[3] = {0, 0, 0};

class Classic final : public Field {
 public:
  Status Make(const ClassicConfig& config, uint64_t seed);
  const char* kind() const override { return "classic"; }
  void Pack() override;
  std::vector<ParameterGroup> groups() const override { return {{0, count_, 0, 0.05f, false}}; }
  Status NewPass(bool training, Arena* arena, std::unique_ptr<FieldPass>* out) const override;
  Status Save(Arena* scratch, SafetensorsWriter* writer) const override;
  Status LoadTensors(const SafetensorsFile& file) override;

 private:
  friend class ClassicPass;
  uint32_t RealInputs(size_t layer) const {
    return layer == 0 ? position_ : layer == skip_ ? position_ + config_.width : config_.width;
  }

  ClassicConfig config_;
  uint32_t position_ = 0, direction_ = 0;            // rows of the encodings
  uint32_t position_rows_ = 0, direction_rows_ = 0;  // padded to 4
  uint32_t view_width_ = 0;
  size_t skip_ = 0;  // the layer that sees the input again, before the hidden rows
  std::vector<Dense> trunk_;
  Dense head_;  // width features, then the log density
  Dense view_, rgb_;
  // Inference: the log density alone, and the view layer with the features folded in.
  float* sigma_ = nullptr;
  float* sigma_bias_ = nullptr;
  float* folded_ = nullptr;
  float* folded_bias_ = nullptr;
  float* folded_rows_ = nullptr;  // scratch of Pack, row-major
};

Status Classic::Make(const ClassicConfig& config, uint64_t seed) {
  const auto bad = [](const char* what) {
    return Status(Code::kBadArgument, std::string("classic: ") + what);
  };
  if (config.width < 16 || config.width > 1024 || config.width % 16 != 0)
    return bad("width must be a multiple of 16 up to 1024");
  if (config.depth < 2 || config.depth > 32) return bad("depth must be 2–32");
  if (config.position_frequencies > 16 || config.direction_frequencies > 8)
    return bad("too many frequencies");
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  config_ = config;
  position_ = 3 + 6 * config.position_frequencies;
  direction_ = 3 + 6 * config.direction_frequencies;
  position_rows_ = RoundUp4(position_);
  direction_rows_ = RoundUp4(direction_);
  view_width_ = config.width / 2;
  skip_ = config.depth / 2;
  size_t cursor = 0;
  for (uint32_t l = 0; l < config.depth; ++l) {
    trunk_.emplace_back(l == 0       ? position_rows_
                        : l == skip_ ? position_rows_ + config.width
                                     : config.width,
                        config.width, &cursor);
  }
  head_ = Dense(config.width, config.width + 1, &cursor);
  view_ = Dense(config.width + direction_rows_, view_width_, &cursor);
  rgb_ = Dense(view_width_, 3, &cursor);
  count_ = cursor;
  DAF_RETURN_IF_ERROR(arena_.Allocate(count_, &parameters_));
  std::memset(parameters_, 0, count_ * sizeof(float));
  for (Dense& layer : trunk_) DAF_RETURN_IF_ERROR(layer.Reserve(&arena_));
  for (Dense* layer : {&head_, &view_, &rgb_}) DAF_RETURN_IF_ERROR(layer->Reserve(&arena_));
  const uint32_t folded_in = config.width + direction_rows_;
  DAF_RETURN_IF_ERROR(arena_.Allocate(PackedSize(1, config.width), &sigma_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(8, &sigma_bias_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(PackedSize(view_width_, folded_in), &folded_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(view_width_, &folded_bias_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(size_t{view_width_} * folded_in, &folded_rows_));
  Rng rng(seed, 2);
  for (size_t l = 0; l < trunk_.size(); ++l) {
    trunk_[l].Initialise(parameters_, RealInputs(l), &rng);
    if (l != skip_) continue;
    for (uint32_t o = 0; o < config.width;
         ++o) {  // the padding lies between the two sources, not at the end
      float* row = parameters_ + trunk_[l].weights() + size_t{o} * trunk_[l].in();
      for (uint32_t i = position_rows_ + config.width; i-- > position_rows_;)
        row[i] = row[i - (position_rows_ - position_)];
      for (uint32_t i = position_; i < position_rows_; ++i) row[i] = 0;
    }
  }
  head_.Initialise(parameters_, config.width, &rng);
  view_.Initialise(parameters_, config.width + direction_, &rng);
  rgb_.Initialise(parameters_, view_width_, &rng);
  Pack();
  return Status::Ok();
}

void Classic::Pack() {
  for (Dense& layer : trunk_) layer.Pack(parameters_);
  for (Dense* layer : {&head_, &view_, &rgb_}) layer->Pack(parameters_);
  const uint32_t width = config_.width, in = view_.in();
  const float* head = parameters_ + head_.weights();
  const float* head_bias = parameters_ + head_.bias();
  const float* view = parameters_ + view_.weights();
  kernels::PackWeights(head + size_t{width} * width, 1, width, width, sigma_);
  for (uint32_t o = 0; o < 8; ++o) sigma_bias_[o] = o == 0 ? head_bias[width] : 0.0f;
  for (uint32_t o = 0; o < view_width_; ++o) {
    float* row = folded_rows_ + size_t{o} * in;
    std::memset(row, 0, width * sizeof(float));
    float bias = parameters_[view_.bias() + o];
    for (uint32_t f = 0; f < width; ++f) {
      const float w = view[size_t{o} * in + f];
      bias += w * head_bias[f];
      for (uint32_t i = 0; i < width; ++i) row[i] += w * head[size_t{f} * width + i];
    }
    std::memcpy(row + width, view + size_t{o} * in + width, (in - width) * sizeof(float));
    folded_bias_[o] = bias;
  }
  kernels::PackWeights(folded_rows_, view_width_, in, in, folded_);
}

Status Classic::Save(Arena* scratch, SafetensorsWriter* writer) const {
  writer->Metadata("format", "daf-field-1");
  writer->Metadata("kind", kind());
  writer->Metadata("width", std::to_string(config_.width));
  writer->Metadata("depth", std::to_string(config_.depth));
  writer->Metadata("positionFrequencies", std::to_string(config_.position_frequencies));
  writer->Metadata("directionFrequencies", std::to_string(config_.direction_frequencies));
  // Tensors as the kernels see them, zero columns included: the padding sits inside the rows.
  for (size_t l = 0; l < trunk_.size(); ++l) {
    DAF_RETURN_IF_ERROR(SaveDense(trunk_[l], "trunk." + std::to_string(l), parameters_,
                                  trunk_[l].in(), scratch, writer));
  }
  DAF_RETURN_IF_ERROR(SaveDense(head_, "head", parameters_, head_.in(), scratch, writer));
  DAF_RETURN_IF_ERROR(SaveDense(view_, "view", parameters_, view_.in(), scratch, writer));
  return SaveDense(rgb_, "rgb", parameters_, rgb_.in(), scratch, writer);
}

Status Classic::LoadTensors(const SafetensorsFile& file) {
  for (size_t l = 0; l < trunk_.size(); ++l) {
    DAF_RETURN_IF_ERROR(
        LoadDense(file, trunk_[l], "trunk." + std::to_string(l), trunk_[l].in(), parameters_));
  }
  DAF_RETURN_IF_ERROR(LoadDense(file, head_, "head", head_.in(), parameters_));
  DAF_RETURN_IF_ERROR(LoadDense(file, view_, "view", view_.in(), parameters_));
  return LoadDense(file, rgb_, "rgb", rgb_.in(), parameters_);
}

class ClassicPass final : public FieldPass {
 public:
  ClassicPass(const Classic& field, bool training)
      : f_(field), k_(*field.kernels_), training_(training) {}
  Status Reserve(Arena* arena);
  uint32_t capacity() const override { return kTiles * kTile; }
  void Density(const PointArrays& points, uint32_t n, float* density) override;
  void Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
             const ColorArrays& color) override;
  void Forward(const PointArrays& points, const PointArrays& directions, uint32_t n, float* density,
               const ColorArrays& color) override;
  void Backward(const float* d_density, const ColorArrays& d_color, float* gradients) override;

 private:
  static size_t Rows(uint32_t rows) { return size_t{rows} * kTile; }
  // Points of `count` ≤ kTogether tiles → encoding → the last hidden layers, at last + k ·
  // Rows(width). When training, every layer's output is kept at Layer(l, first + k).
  void Trunk(const PointArrays& points, uint32_t first, uint32_t count, float* last);
  void Sigma(const float* hidden, float* density);
  void FoldedColor(const float* hidden, const float* direction, uint32_t tile,
                   const ColorArrays& color);
  void Squash(uint32_t tile, const ColorArrays& color);
  float* Layer(size_t l, uint32_t tile) {
    return layers_ + (l * kTiles + tile) * Rows(f_.config_.width);
  }

  const Classic& f_;
  const Table& k_;
  const bool training_;
  uint32_t tiles_ = 0;
  bool with_color_ = false;
  const float* density_out_ = nullptr;
  ColorArrays color_out_{};
  float* position_ = nullptr;  // all tiles when training, else kTogether
  float* direction_ = nullptr;
  float* ping_ = nullptr;  // width, kTogether tiles
  float* pong_ = nullptr;
  float* latent_ = nullptr;    // width, all tiles: the last hidden layer (inference)
  float* view_ = nullptr;      // view_width, all tiles when training
  float* raw_ = nullptr;       // 8
  float* layers_ = nullptr;    // [depth][tile][width] when training
  float* head_ = nullptr;      // [tile][RoundUp8(width + 1)] when training
  float* d_layers_ = nullptr;  // [depth][slot][width]
  float* d_head_ = nullptr;
  float* d_view_in_ = nullptr;  // one tile
  float* d_view_ = nullptr;
  float* d_raw_ = nullptr;
  float* d_in_ = nullptr;  // one tile of the widest layer input
};

Status ClassicPass::Reserve(Arena* arena) {
  const uint32_t width = f_.config_.width, depth = f_.config_.depth, taped = training_ ? kTiles : 1;
  const auto take = [&](size_t tiles, uint32_t rows, float** out) {
    return arena->Allocate(tiles * Rows(rows), out);
  };
  const uint32_t encoded = training_ ? kTiles : kTogether;
  DAF_RETURN_IF_ERROR(take(encoded, f_.position_rows_, &position_));
  DAF_RETURN_IF_ERROR(take(taped, f_.direction_rows_, &direction_));
  std::memset(position_, 0,
              encoded * Rows(f_.position_rows_) * sizeof(float));  // padding rows stay zero
  std::memset(direction_, 0, taped * Rows(f_.direction_rows_) * sizeof(float));
  DAF_RETURN_IF_ERROR(take(kTogether, width, &ping_));
  DAF_RETURN_IF_ERROR(take(kTogether, width, &pong_));
  DAF_RETURN_IF_ERROR(take(taped, f_.view_width_, &view_));
  DAF_RETURN_IF_ERROR(take(1, 8, &raw_));
  if (!training_) return take(kTiles, width, &latent_);
  const uint32_t head_rows = RoundUp8(width + 1);
  DAF_RETURN_IF_ERROR(take(size_t{depth} * kTiles, width, &layers_));
  DAF_RETURN_IF_ERROR(take(kTiles, head_rows, &head_));
  DAF_RETURN_IF_ERROR(take(size_t{depth} * kGroupTiles, width, &d_layers_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, head_rows, &d_head_));
  std::memset(d_head_, 0, kGroupTiles * Rows(head_rows) * sizeof(float));
  DAF_RETURN_IF_ERROR(take(1, RoundUp8(f_.view_.in()), &d_view_in_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, f_.view_width_, &d_view_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, 8, &d_raw_));
  std::memset(d_raw_, 0, kGroupTiles * Rows(8) * sizeof(float));
  latent_ = layers_ + size_t{depth - 1} * kTiles * Rows(width);
  return take(1, RoundUp8(f_.position_rows_ + width), &d_in_);
}

PointArrays At(const PointArrays& points, uint32_t tile) {
  const size_t at = size_t{tile} * kTile;
  return {points.x + at, points.y + at, points.z + at};
}

void ClassicPass::Trunk(const PointArrays& points, uint32_t first, uint32_t count, float* last) {
  const size_t depth = f_.trunk_.size(), wide = Rows(f_.config_.width),
               position_stride = Rows(f_.position_rows_);
  float* position = position_ + (training_ ? first * position_stride : 0);
  const PointArrays p = At(points, first);
  k_.frequencies(p.x, p.y, p.z, kToSigned, kMinusOne, f_.config_.position_frequencies, count,
                 position, position_stride);
  const float* from = nullptr;
  for (size_t l = 0; l < depth; ++l) {
    float* to = l + 1 == depth ? last : training_ ? Layer(l, first) : from == ping_ ? pong_ : ping_;
    for (uint32_t k = 0; k < count; ++k) {
      const float* encoded = position + k * position_stride;
      const float* hidden = l > 0 ? from + k * wide : nullptr;
      if (l == 0) {
        f_.trunk_[l].Forward(k_, encoded, f_.position_rows_, nullptr, 0, to + k * wide,
                             kernels::kRelu);
      } else if (l == f_.skip_) {
        f_.trunk_[l].Forward(k_, encoded, f_.position_rows_, hidden, f_.config_.width,
                             to + k * wide, kernels::kRelu);
      } else {
        f_.trunk_[l].Forward(k_, hidden, f_.config_.width, nullptr, 0, to + k * wide,
                             kernels::kRelu);
      }
    }
    from = to;
  }
}

void ClassicPass::Sigma(const float* hidden, float* density) {
  const kernels::LayerArgs args = {f_.sigma_, f_.sigma_bias_, hidden, f_.config_.width, nullptr, 0,
                                   raw_,      nullptr,        8,      kernels::kLinear};
  k_.layer(&args);
  k_.exponential(raw_, density, kTile);
}

void ClassicPass::Squash(uint32_t tile, const ColorArrays& color) {
  k_.sigmoid(raw_, color.r + size_t{tile} * kTile, kTile);
  k_.sigmoid(raw_ + kTile, color.g + size_t{tile} * kTile, kTile);
  k_.sigmoid(raw_ + 2 * kTile, color.b + size_t{tile} * kTile, kTile);
}

void ClassicPass::FoldedColor(const float* hidden, const float* direction, uint32_t tile,
                              const ColorArrays& color) {
  const kernels::LayerArgs args = {f_.folded_,     f_.folded_bias_,    hidden, f_.config_.width,
                                   direction,      f_.direction_rows_, view_,  nullptr,
                                   f_.view_width_, kernels::kRelu};
  k_.layer(&args);
  f_.rgb_.Forward(k_, view_, f_.view_width_, nullptr, 0, raw_, kernels::kLinear);
  Squash(tile, color);
}

void ClassicPass::Density(const PointArrays& points, uint32_t n, float* density) {
  const uint32_t tiles = TilesOf(n);
  const size_t wide = Rows(f_.config_.width);
  for (uint32_t first = 0; first < tiles; first += kTogether) {
    const uint32_t count = std::min(kTogether, tiles - first);
    Trunk(points, first, count, latent_ + first * wide);
    for (uint32_t tile = first; tile < first + count; ++tile)
      Sigma(latent_ + tile * wide, density + size_t{tile} * kTile);
  }
}

void ClassicPass::Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
                        const ColorArrays& color) {
  const uint32_t width = f_.config_.width;
  for (uint32_t tile = 0; tile < TilesOf(n); ++tile) {
    for (uint32_t s = 0; s < kTile; ++s) {
      const uint32_t i = tile * kTile + s, from = i < n ? pick[i] : 0;
      const float* column = latent_ + (from / kTile) * Rows(width) + from % kTile;
      for (uint32_t row = 0; row < width; ++row) ping_[row * kTile + s] = column[row * kTile];
    }
    const PointArrays d = At(directions, tile);
    k_.frequencies(d.x, d.y, d.z, kOne, kZero, f_.config_.direction_frequencies, 1, direction_, 0);
    FoldedColor(ping_, direction_, tile, color);
  }
}

void ClassicPass::Forward(const PointArrays& points, const PointArrays& directions, uint32_t n,
                          float* density, const ColorArrays& color) {
  const uint32_t width = f_.config_.width;
  const size_t wide = Rows(width), head_stride = Rows(RoundUp8(width + 1));
  tiles_ = TilesOf(n);
  density_out_ = density;
  color_out_ = color;
  with_color_ = color.r != nullptr;
  for (uint32_t first = 0; first < tiles_; first += kTogether) {
    const uint32_t count = std::min(kTogether, tiles_ - first);
    Trunk(points, first, count, latent_ + first * wide);
    for (uint32_t tile = first; tile < first + count; ++tile) {
      const float* last = latent_ + tile * wide;
      float* direction = direction_ + (training_ ? tile * Rows(f_.direction_rows_) : 0);
      if (with_color_) {
        const PointArrays d = At(directions, tile);
        k_.frequencies(d.x, d.y, d.z, kOne, kZero, f_.config_.direction_frequencies, 1, direction,
                       0);
      }
      if (!training_) {
        Sigma(last, density + size_t{tile} * kTile);
        if (with_color_) FoldedColor(last, direction, tile, color);
        continue;
      }
      float* head = head_ + tile * head_stride;
      f_.head_.Forward(k_, last, width, nullptr, 0, head, kernels::kLinear);
      k_.exponential(head + wide, density + size_t{tile} * kTile, kTile);
      if (!with_color_) continue;
      float* view = view_ + tile * Rows(f_.view_width_);
      f_.view_.Forward(k_, head, width, direction, f_.direction_rows_, view, kernels::kRelu);
      f_.rgb_.Forward(k_, view, f_.view_width_, nullptr, 0, raw_, kernels::kLinear);
      Squash(tile, color);
    }
  }
}

void ClassicPass::Backward(const float* d_density, const ColorArrays& d_color, float* gradients) {
  const uint32_t width = f_.config_.width, view_width = f_.view_width_;
  const size_t depth = f_.trunk_.size(), wide = Rows(width),
               head_stride = Rows(RoundUp8(width + 1));
  for (uint32_t first = 0; first < tiles_; first += kGroupTiles) {
    const uint32_t count = tiles_ - first < kGroupTiles ? tiles_ - first : kGroupTiles;
    for (uint32_t slot = 0; slot < count; ++slot) {
      const uint32_t tile = first + slot;
      const size_t at = size_t{tile} * kTile;
      float* d_head = d_head_ + slot * head_stride;
      if (with_color_) {
        float* d_raw = d_raw_ + slot * Rows(8);
        const float* const d[3] = {d_color.r + at, d_color.g + at, d_color.b + at};
        const float* const c[3] = {color_out_.r + at, color_out_.g + at, color_out_.b + at};
        for (uint32_t row = 0; row < 3; ++row) {
          for (uint32_t s = 0; s < kTile; ++s)
            d_raw[row * kTile + s] = d[row][s] * c[row][s] * (1 - c[row][s]);
        }
        float* d_view = d_view_ + slot * Rows(view_width);
        f_.rgb_.Backward(k_, d_raw, d_view, view_ + tile * Rows(view_width));
        f_.view_.Backward(k_, d_view, d_view_in_, nullptr);
        std::memcpy(d_head, d_view_in_, wide * sizeof(float));
      } else {
        std::memset(d_head, 0, wide * sizeof(float));
      }
      for (uint32_t s = 0; s < kTile; ++s)
        d_head[wide + s] = d_density[at + s] * density_out_[at + s];
      const auto delta = [&](size_t l) { return d_layers_ + (l * kGroupTiles + slot) * wide; };
      f_.head_.Backward(k_, d_head, delta(depth - 1), Layer(depth - 1, tile));
      for (size_t l = depth; l-- > 1;) {
        if (l == f_.skip_) {  // the encoding's share of the input's delta is dropped, the hidden
                              // rows are masked here
          f_.trunk_[l].Backward(k_, delta(l), d_in_, nullptr);
          const float* hidden = Layer(l - 1, tile);
          const float* from = d_in_ + Rows(f_.position_rows_);
          float* to = delta(l - 1);
          for (size_t i = 0; i < wide; ++i) to[i] = hidden[i] > 0 ? from[i] : 0.0f;
        } else {
          f_.trunk_[l].Backward(k_, delta(l), delta(l - 1), Layer(l - 1, tile));
        }
      }
    }
    const float* last = Layer(depth - 1, first);
    if (with_color_) {
      f_.rgb_.Gradient(k_, d_raw_, Rows(8), view_ + first * Rows(view_width), Rows(view_width), 0,
                       view_width, count, true, gradients);
      f_.view_.Gradient(k_, d_view_, Rows(view_width), head_ + first * head_stride, head_stride, 0,
                        width, count, true, gradients);
      f_.view_.Gradient(k_, d_view_, Rows(view_width),
                        direction_ + first * Rows(f_.direction_rows_), Rows(f_.direction_rows_),
                        width, f_.direction_rows_, count, false, gradients);
    }
    f_.head_.Gradient(k_, d_head_, head_stride, last, wide, 0, width, count, true, gradients);
    for (size_t l = 0; l < depth; ++l) {
      const float* delta = d_layers_ + l * kGroupTiles * wide;
      const float* encoded = position_ + first * Rows(f_.position_rows_);
      const bool sees_input = l == 0 || l == f_.skip_;
      if (sees_input)
        f_.trunk_[l].Gradient(k_, delta, wide, encoded, Rows(f_.position_rows_), 0,
                              f_.position_rows_, count, true, gradients);
      if (l > 0)
        f_.trunk_[l].Gradient(k_, delta, wide, Layer(l - 1, first), wide,
                              sees_input ? f_.position_rows_ : 0, width, count, !sees_input,
                              gradients);
    }
  }
}

Status Classic::NewPass(bool training, Arena* arena, std::unique_ptr<FieldPass>* out) const {
  auto pass = std::make_unique<ClassicPass>(*this, training);
  DAF_RETURN_IF_ERROR(pass->Reserve(arena));
  *out = std::move(pass);
  return Status::Ok();
}

}  // namespace

Status NewClassic(const ClassicConfig& config, uint64_t seed, std::unique_ptr<Field>* out) {
  auto field = std::make_unique<Classic>();
  DAF_RETURN_IF_ERROR(field->Make(config, seed));
  *out = std::move(field);
  return Status::Ok();
}

}  // namespace daf::nerf
