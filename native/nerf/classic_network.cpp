#include "native/nerf/classic_network.h"

#include <cstring>

namespace daf::nerf {

using kernels::kTile;
using kernels::PackedSize;

namespace {

constexpr float kOne[3] = {1, 1, 1}, kZero[3] = {0, 0, 0};

uint32_t Bits(const std::vector<uint32_t>& layers) {
  uint32_t bits = 0;
  for (const uint32_t layer : layers) bits |= 1u << layer;
  return bits;
}

}  // namespace

Status ClassicNetwork::Make(const ClassicConfig& config, const kernels::Table* kernels,
                            size_t* cursor, Arena* arena) {
  config_ = config;
  kernels_ = kernels;
  position_ = {config.position_frequencies, config.raw_position};
  direction_ = {config.direction_frequencies, config.raw_direction};
  sees_input_ = 1 | Bits(config.skips);
  linear_ = Bits(config.linear);
  for (uint32_t l = 0; l < config.depth; ++l) {
    trunk_.emplace_back((SeesInput(l) ? position_.rows() : 0) + (l > 0 ? config.width : 0),
                        config.width, cursor);
  }
  head_ = Dense(config.width, config.width + 1, cursor);
  view_ = Dense(config.width + direction_.rows(), config.view_width, cursor);
  rgb_ = Dense(config.view_width, 3, cursor);
  for (Dense& layer : trunk_) DAF_RETURN_IF_ERROR(layer.Reserve(arena));
  for (Dense* layer : {&head_, &view_, &rgb_}) DAF_RETURN_IF_ERROR(layer->Reserve(arena));
  DAF_RETURN_IF_ERROR(arena->Allocate(PackedSize(1, config.width), &sigma_));
  DAF_RETURN_IF_ERROR(arena->Allocate(8, &sigma_bias_));
  return folds() ? ReserveFolded(arena) : Status::Ok();
}

Status ClassicNetwork::ReserveFolded(Arena* arena) {
  const uint32_t in = view_.in(), out = view_.out();
  DAF_RETURN_IF_ERROR(arena->Allocate(PackedSize(out, in), &folded_));
  DAF_RETURN_IF_ERROR(arena->Allocate(out, &folded_bias_));
  return arena->Allocate(size_t{out} * in, &folded_rows_);
}

void ClassicNetwork::Initialise(float* parameters, Rng* rng) const {
  for (size_t l = 0; l < trunk_.size(); ++l) {
    const uint32_t encoded = SeesInput(l) ? position_.real() : 0,
                   hidden = l > 0 ? config_.width : 0;
    trunk_[l].Initialise(parameters, encoded + hidden, rng);
    if (encoded == 0 || hidden == 0) continue;
    // The padding lies between the two sources, not at the end.
    for (uint32_t o = 0; o < config_.width; ++o) {
      float* row = parameters + trunk_[l].weights() + size_t{o} * trunk_[l].in();
      std::memmove(row + position_.rows(), row + encoded, hidden * sizeof(float));
      for (uint32_t i = encoded; i < position_.rows(); ++i) row[i] = 0;
    }
  }
  head_.Initialise(parameters, config_.width, rng);
  view_.Initialise(parameters, config_.width + direction_.real(), rng);
  rgb_.Initialise(parameters, config_.view_width, rng);
}

void ClassicNetwork::Pack(const float* parameters) {
  for (Dense& layer : trunk_) layer.Pack(parameters);
  for (Dense* layer : {&head_, &view_, &rgb_}) layer->Pack(parameters);
  const uint32_t width = config_.width;
  kernels::PackWeights(parameters + head_.weights() + size_t{width} * width, 1, width, width,
                       sigma_);
  for (uint32_t o = 0; o < 8; ++o)
    sigma_bias_[o] = o == 0 ? parameters[head_.bias() + width] : 0.0f;
  if (folds()) PackFolded(parameters);
  parameters_ = parameters;
  ++packs_;
}

void ClassicNetwork::PackFolded(const float* parameters) {
  const uint32_t width = config_.width, in = view_.in();
  const float* head = parameters + head_.weights();
  const float* head_bias = parameters + head_.bias();
  const float* view = parameters + view_.weights();
  for (uint32_t o = 0; o < view_.out(); ++o) {
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
  kernels::PackWeights(folded_rows_, view_.out(), in, in, folded_);
}

Status ClassicNetwork::Reserve(Arena* arena, Scratch* out) const {
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(config_.width), &out->hidden));
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(direction_.allocated()), &out->direction));
  std::memset(out->direction, 0, TileFloats(direction_.allocated()) * sizeof(float));
  if (!folds()) {
    DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(kernels::RoundUp8(head_.out())), &out->head));
  }
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(config_.view_width), &out->view));
  return arena->Allocate(TileFloats(8), &out->raw);
}

void ClassicNetwork::EncodePosition(const PointArrays& points, uint32_t tiles, float* rows) const {
  kernels_->frequencies(points.x, points.y, points.z, config_.input_scale, config_.input_shift,
                        position_.frequencies, tiles, rows, TileFloats(position_.allocated()));
}

void ClassicNetwork::EncodeDirection(const PointArrays& directions, float* rows) const {
  kernels_->frequencies(directions.x, directions.y, directions.z, kOne, kZero,
                        direction_.frequencies, 1, rows, 0);
}

void ClassicNetwork::Trunk(const float* position, uint32_t tiles, float* const* outputs) const {
  const size_t wide = TileFloats(config_.width), apart = TileFloats(position_.allocated());
  position += TileFloats(position_.skipped());
  for (size_t l = 0; l < trunk_.size(); ++l) {
    const kernels::Activation activation = Activated(l) ? kernels::kRelu : kernels::kLinear;
    const float* hidden = l > 0 ? outputs[l - 1] : nullptr;
    if (SeesInput(l)) {
      trunk_[l].ForwardTiles(*kernels_, tiles, position, position_.rows(), apart, hidden,
                             l > 0 ? config_.width : 0, wide, outputs[l], wide, activation);
    } else {
      trunk_[l].ForwardTiles(*kernels_, tiles, hidden, config_.width, wide, nullptr, 0, 0,
                             outputs[l], wide, activation);
    }
  }
}

void ClassicNetwork::ActivateFeatures(float* features) const {
  if (!config_.feature_relu) return;
  for (size_t i = 0; i < TileFloats(config_.width); ++i)
    features[i] = features[i] > 0 ? features[i] : 0.0f;
}

void ClassicNetwork::ActivateDensity(const float* output, float* density) const {
  if (config_.relu_density) {
    for (uint32_t s = 0; s < kTile; ++s) density[s] = output[s] > 0 ? output[s] : 0.0f;
  } else {
    kernels_->exponential(output, density, kTile);
  }
}

void ClassicNetwork::View(const float* features, const float* direction, float* view, float* raw,
                          const ColorArrays& color) const {
  view_.Forward(*kernels_, features, config_.width, direction + TileFloats(direction_.skipped()),
                direction_.rows(), view, kernels::kRelu);
  Rgb(view, raw, color);
}

void ClassicNetwork::Rgb(const float* view, float* raw, const ColorArrays& color) const {
  rgb_.Forward(*kernels_, view, config_.view_width, nullptr, 0, raw, kernels::kLinear);
  Squash(raw, color);
}

void ClassicNetwork::Squash(const float* raw, const ColorArrays& color) const {
  kernels_->sigmoid(raw, color.r, kTile);
  kernels_->sigmoid(raw + kTile, color.g, kTile);
  kernels_->sigmoid(raw + 2 * kTile, color.b, kTile);
}

void ClassicNetwork::Density(const float* hidden, const Scratch& scratch, float* density) const {
  const kernels::LayerArgs args = {sigma_,      sigma_bias_, hidden, config_.width,   nullptr, 0,
                                   scratch.raw, nullptr,     8,      kernels::kLinear};
  kernels_->layer(&args);
  ActivateDensity(scratch.raw, density);
}

void ClassicNetwork::Color(const float* hidden, const PointArrays& directions,
                           const Scratch& scratch, const ColorArrays& color) const {
  EncodeDirection(directions, scratch.direction);
  if (!folds()) {
    head_.Forward(*kernels_, hidden, config_.width, nullptr, 0, scratch.head, kernels::kLinear);
    ActivateFeatures(scratch.head);
    View(scratch.head, scratch.direction, scratch.view, scratch.raw, color);
    return;
  }
  const kernels::LayerArgs args = {folded_,
                                   folded_bias_,
                                   hidden,
                                   config_.width,
                                   scratch.direction + TileFloats(direction_.skipped()),
                                   direction_.rows(),
                                   scratch.view,
                                   nullptr,
                                   config_.view_width,
                                   kernels::kRelu};
  kernels_->layer(&args);
  Rgb(scratch.view, scratch.raw, color);
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

}  // namespace daf::nerf
