// How the rounded network's weights come from those of the exact one.
#include <algorithm>
#include <cmath>

#include "native/base/rng.h"
#include "native/nerf/classic_low.h"

namespace daf::nerf {
namespace {
constexpr uint32_t kCalibrationTiles = 84;  // 4032 points: 40 ms for the published network
}

using kernels::kTile;

// Rounds the weights again where they changed since.
Status ClassicLow::Prepare() {
  if (packs_ == net_.packs()) return Status::Ok();
  if (int8_) DAF_RETURN_IF_ERROR(Calibrate());
  Pack();
  packs_ = net_.packs();
  return Status::Ok();
}

Status ClassicLow::Calibrate() {
  const uint32_t width = net_.config().width;
  Arena scratch;
  float* points = nullptr;
  std::vector<float*> outputs(layers_.size());
  DAF_RETURN_IF_ERROR(scratch.Allocate(TileFloats(3 * kTogether), &points));
  for (float*& one : outputs)
    DAF_RETURN_IF_ERROR(scratch.Allocate(kTogether * TileFloats(width), &one));
  for (Layer& layer : layers_) std::fill_n(layer.largest, width, 1e-6f);
  Rng rng(1, 9);
  for (uint32_t tile = 0; tile < kCalibrationTiles; tile += kTogether) {
    for (size_t i = 0; i < TileFloats(3 * kTogether); ++i) points[i] = rng.Uniform();
    net_.EncodePosition(
        {points, points + TileFloats(kTogether), points + TileFloats(2 * kTogether)}, kTogether,
        position_);
    net_.Trunk(position_, kTogether, outputs.data());
    for (size_t l = 0; l < layers_.size(); ++l) {
      for (size_t i = 0; i < kTogether * TileFloats(width); ++i) {
        float& largest = layers_[l].largest[i / kTile % width];
        largest = std::max(largest, outputs[l][i]);
      }
    }
  }
  return Status::Ok();
}

// A unit that takes large values or is weighed much would coarsen all bytes, or all weights, that
// share its scale: its range is divided between its byte and the weights that see it, as their
// geometric mean (Xiao et al. 2023, SmoothQuant). `weights` [out] rows of stride `stride`.
void ClassicLow::Balance(const float* weights, size_t stride, uint32_t out, Layer* layer) const {
  const uint32_t width = net_.config().width;
  float most = 0;
  for (uint32_t i = 0; i < width; ++i) {
    float weight = 1e-6f;
    for (uint32_t o = 0; o < out; ++o)
      weight = std::max(weight, std::fabs(weights[o * stride + i]));
    layer->quantum[i] = std::sqrt(layer->largest[i] / weight);
    most = std::max(most, layer->largest[i] / layer->quantum[i]);
  }
  for (uint32_t i = 0; i < width; ++i) {
    layer->quantum[i] *= most / 255;
    layer->steps[i] = 1 / layer->quantum[i];
  }
}

void ClassicLow::BalanceAll() {
  const float* p = net_.parameters();
  for (size_t l = 1; l < layers_.size(); ++l) {
    const Dense& next = net_.trunk()[l];
    const uint32_t skipped = net_.SeesInput(l) ? net_.position().rows() : 0;
    Balance(p + next.weights() + skipped, next.in(), next.out(), &layers_[l - 1]);
  }
  if (net_.folds()) {
    Balance(net_.folded(), net_.view().in(), net_.view().out(), &layers_.back());
  } else {
    Balance(p + net_.head().weights(), net_.head().in(), net_.config().width, &layers_.back());
  }
}

void ClassicLow::Pack() {
  const float* p = net_.parameters();
  const uint32_t width = net_.config().width, seen = net_.position().rows();
  if (int8_) BalanceAll();
  for (size_t l = 0; l < layers_.size(); ++l) {
    const Dense& dense = net_.trunk()[l];
    const float* weights = p + dense.weights();
    const float* bias = p + dense.bias();
    const bool apart = net_.SeesInput(l) && BytesIn(l);
    if (apart) layers_[l].encoded.Pack(weights, dense.in(), bias, nullptr);
    layers_[l].hidden.Pack(weights + (apart ? seen : 0), dense.in(), apart ? nullptr : bias,
                           l > 0 ? layers_[l - 1].quantum : nullptr);
  }
  const Dense &head = net_.head(), &view = net_.view(), &rgb = net_.rgb();
  const float* quantum = layers_.back().quantum;
  sigma_.Pack(p + head.weights() + size_t{width} * head.in(), head.in(), p + head.bias() + width,
              nullptr);
  rgb_.Pack(p + rgb.weights(), rgb.in(), p + rgb.bias(), nullptr);
  if (!net_.folds()) {
    features_.Pack(p + head.weights(), head.in(), p + head.bias(), quantum);
    view_.Pack(p + view.weights(), view.in(), p + view.bias(), nullptr);
  } else if (Bytes(last())) {
    view_.Pack(net_.folded(), view.in(), nullptr, quantum);
    view_direction_.Pack(net_.folded() + width, view.in(), net_.folded_bias(), nullptr);
  } else {
    view_.Pack(net_.folded(), view.in(), net_.folded_bias(), nullptr);
  }
}

}  // namespace daf::nerf
