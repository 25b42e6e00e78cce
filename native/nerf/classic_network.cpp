#include "native/nerf/classic_network.h"

#include <cstring>

namespace daf::nerf {

using kernels::kTile;
using kernels::PackedSize;

namespace {
constexpr float kToSigned[3] = {2, 2, 2}, kMinusOne[3] = {-1, -1, -1}, kOne[3] = {1, 1, 1},
                kZero[3] = {0, 0, 0};
}  // namespace

Status ClassicNetwork::Make(const ClassicConfig& config, const kernels::Table* kernels,
                            size_t* cursor, Arena* arena) {
  config_ = config;
  kernels_ = kernels;
  position_ = 3 + 6 * config.position_frequencies;
  direction_ = 3 + 6 * config.direction_frequencies;
  position_rows_ = RoundUp4(position_);
  direction_rows_ = RoundUp4(direction_);
  view_width_ = config.width / 2;
  skip_ = config.depth / 2;
  for (uint32_t l = 0; l < config.depth; ++l) {
    trunk_.emplace_back((SeesInput(l) ? position_rows_ : 0) + (l > 0 ? config.width : 0),
                        config.width, cursor);
  }
  head_ = Dense(config.width, config.width + 1, cursor);
  view_ = Dense(config.width + direction_rows_, view_width_, cursor);
  rgb_ = Dense(view_width_, 3, cursor);
  for (Dense& layer : trunk_) DAF_RETURN_IF_ERROR(layer.Reserve(arena));
  for (Dense* layer : {&head_, &view_, &rgb_}) DAF_RETURN_IF_ERROR(layer->Reserve(arena));
  const uint32_t folded_in = config.width + direction_rows_;
  DAF_RETURN_IF_ERROR(arena->Allocate(PackedSize(1, config.width), &sigma_));
  DAF_RETURN_IF_ERROR(arena->Allocate(8, &sigma_bias_));
  DAF_RETURN_IF_ERROR(arena->Allocate(PackedSize(view_width_, folded_in), &folded_));
  DAF_RETURN_IF_ERROR(arena->Allocate(view_width_, &folded_bias_));
  return arena->Allocate(size_t{view_width_} * folded_in, &folded_rows_);
}

void ClassicNetwork::Initialise(float* parameters, Rng* rng) const {
  for (size_t l = 0; l < trunk_.size(); ++l) {
    trunk_[l].Initialise(parameters, RealInputs(l), rng);
    if (l != skip_) continue;
    for (uint32_t o = 0; o < config_.width;
         ++o) {  // the padding lies between the two sources, not at the end
      float* row = parameters + trunk_[l].weights() + size_t{o} * trunk_[l].in();
      for (uint32_t i = position_rows_ + config_.width; i-- > position_rows_;)
        row[i] = row[i - (position_rows_ - position_)];
      for (uint32_t i = position_; i < position_rows_; ++i) row[i] = 0;
    }
  }
  head_.Initialise(parameters, config_.width, rng);
  view_.Initialise(parameters, config_.width + direction_, rng);
  rgb_.Initialise(parameters, view_width_, rng);
}

void ClassicNetwork::Pack(const float* parameters) {
  for (Dense& layer : trunk_) layer.Pack(parameters);
  for (Dense* layer : {&head_, &view_, &rgb_}) layer->Pack(parameters);
  const uint32_t width = config_.width, in = view_.in();
  const float* head = parameters + head_.weights();
  const float* head_bias = parameters + head_.bias();
  const float* view = parameters + view_.weights();
  kernels::PackWeights(head + size_t{width} * width, 1, width, width, sigma_);
  for (uint32_t o = 0; o < 8; ++o) sigma_bias_[o] = o == 0 ? head_bias[width] : 0.0f;
  for (uint32_t o = 0; o < view_width_; ++o) {
    float* row = folded_rows_ + size_t{o} * in;
    std::memset(row, 0, width * sizeof(float));
    float bias = parameters[view_.bias() + o];
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

void ClassicNetwork::EncodePosition(const PointArrays& points, uint32_t tiles, float* rows) const {
  kernels_->frequencies(points.x, points.y, points.z, kToSigned, kMinusOne,
                        config_.position_frequencies, tiles, rows, TileFloats(position_rows_));
}

void ClassicNetwork::EncodeDirection(const PointArrays& directions, float* rows) const {
  kernels_->frequencies(directions.x, directions.y, directions.z, kOne, kZero,
                        config_.direction_frequencies, 1, rows, 0);
}

void ClassicNetwork::Trunk(const float* position, uint32_t tiles, float* const* outputs) const {
  const size_t wide = TileFloats(config_.width);
  for (size_t l = 0; l < trunk_.size(); ++l) {
    for (uint32_t k = 0; k < tiles; ++k) {
      const float* encoded = SeesInput(l) ? position + k * TileFloats(position_rows_) : nullptr;
      const float* hidden = l > 0 ? outputs[l - 1] + k * wide : nullptr;
      float* to = outputs[l] + k * wide;
      if (encoded == nullptr) {
        trunk_[l].Forward(*kernels_, hidden, config_.width, nullptr, 0, to, kernels::kRelu);
      } else {
        trunk_[l].Forward(*kernels_, encoded, position_rows_, hidden, l > 0 ? config_.width : 0, to,
                          kernels::kRelu);
      }
    }
  }
}

Status ClassicNetwork::Reserve(Arena* arena, Scratch* out) const {
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(config_.width), &out->hidden));
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(direction_rows_), &out->direction));
  std::memset(out->direction, 0, TileFloats(direction_rows_) * sizeof(float));
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(view_width_), &out->view));
  return arena->Allocate(TileFloats(8), &out->raw);
}

void ClassicNetwork::Density(const float* hidden, const Scratch& scratch, float* density) const {
  const kernels::LayerArgs args = {sigma_,      sigma_bias_, hidden, config_.width,   nullptr, 0,
                                   scratch.raw, nullptr,     8,      kernels::kLinear};
  kernels_->layer(&args);
  kernels_->exponential(scratch.raw, density, kTile);
}

void ClassicNetwork::Color(const float* hidden, const PointArrays& directions,
                           const Scratch& scratch, const ColorArrays& color) const {
  EncodeDirection(directions, scratch.direction);
  const kernels::LayerArgs args = {folded_,           folded_bias_,    hidden,       config_.width,
                                   scratch.direction, direction_rows_, scratch.view, nullptr,
                                   view_width_,       kernels::kRelu};
  kernels_->layer(&args);
  rgb_.Forward(*kernels_, scratch.view, view_width_, nullptr, 0, scratch.raw, kernels::kLinear);
  Squash(scratch.raw, color);
}

void ClassicNetwork::PickedColor(const float* latent, const uint32_t* pick,
                                 const PointArrays& directions, uint32_t n, const Scratch& scratch,
                                 const ColorArrays& color) const {
  for (uint32_t tile = 0; tile < TilesOf(n); ++tile) {
    for (uint32_t s = 0; s < kTile; ++s) {
      const uint32_t i = tile * kTile + s, from = i < n ? pick[i] : 0;
      const float* column = latent + (from / kTile) * TileFloats(config_.width) + from % kTile;
      for (uint32_t row = 0; row < config_.width; ++row)
        scratch.hidden[row * kTile + s] = column[row * kTile];
    }
    Color(scratch.hidden, AtTile(directions, tile), scratch, AtTile(color, tile));
  }
}

void ClassicNetwork::Squash(const float* raw, const ColorArrays& color) const {
  kernels_->sigmoid(raw, color.r, kTile);
  kernels_->sigmoid(raw + kTile, color.g, kTile);
  kernels_->sigmoid(raw + 2 * kTile, color.b, kTile);
}

}  // namespace daf::nerf
