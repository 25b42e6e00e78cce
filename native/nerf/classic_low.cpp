// The classic field's inference in bf16, or in bf16 and 8 bits. Encodings are computed in fp32 and
// what sees them is multiplied in bf16, and so is the density's output; in 8 bits run the layers
// whose input has passed a ReLU, each hidden unit's byte scaled by the largest value it takes at
// sampled points; larger ones saturate.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/nerf/classic_passes.h"
#include "native/nerf/low_dense.h"

namespace daf::nerf {
namespace {

using kernels::DotLayerArgs;
using kernels::kTile;

constexpr uint32_t kTogether = ClassicNetwork::kTogether;
constexpr uint32_t kCalibrationTiles = 84;  // 4032 points: 40 ms for the published network
constexpr uint32_t kWide = 256;

class ClassicLow final : public FieldPass {
 public:
  ClassicLow(const ClassicNetwork& network, const kernels::DotTable& dots, bool int8)
      : net_(network), dots_(dots), int8_(int8), layers_(network.config().depth) {}
  Status Reserve(Arena* arena);
  uint32_t capacity() const override { return kClassicTiles * kTile; }
  Status Prepare() override;
  void Density(const PointArrays& points, uint32_t n, float* density) override;
  void Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
             const ColorArrays& color) override;
  void Forward(const PointArrays& points, const PointArrays& directions, uint32_t n, float* density,
               const ColorArrays& color) override;
  void Backward(const float*, const ColorArrays&, float*) override {}  // there is no tape

 private:
  struct Layer {
    LowDense encoded;  // apart from the hidden rows where those are bytes
    LowDense hidden;   // with the encoded rows before it where all are pairs
    // [width], where its outputs are bytes: the largest seen, what a step is worth, its inverse.
    float* largest;
    float* quantum;
    float* steps;
  };

  // Whether a hidden layer's outputs are kept as bytes, for the next layer to run in 8 bits.
  // Roundings cost most in sums of few products and near the output: narrow networks keep their
  // last two hidden layers in bf16, and features that are not folded away are computed in it.
  bool Bytes(size_t layer) const {
    if (!int8_ || !net_.Activated(layer)) return false;
    return net_.config().width < kWide ? layer + 2 < layers_.size()
                                       : net_.folds() || layer != last();
  }
  bool BytesIn(size_t layer) const { return layer > 0 && Bytes(layer - 1); }
  uint32_t last() const { return net_.config().depth - 1; }
  size_t LatentWords() const { return TileFloats(net_.config().width / (Bytes(last()) ? 4 : 2)); }
  Status Calibrate();
  void Balance(const float* weights, size_t stride, uint32_t out, Layer* layer) const;
  void BalanceAll();
  void Pack();
  void Hidden(size_t layer, const uint32_t* encoded, const uint32_t* from, uint32_t* to);
  void Sigma(const uint32_t* pairs, float* density);
  void ColorTile(const uint32_t* latent, const PointArrays& directions, const ColorArrays& color);

  const ClassicNetwork& net_;
  const kernels::DotTable& dots_;
  const bool int8_;
  uint64_t packs_ = 0;  // of the network, when its weights were rounded
  std::vector<Layer> layers_;
  LowDense sigma_, features_, view_, view_direction_, rgb_;
  float* position_ = nullptr;    // encoding, kTogether tiles
  uint32_t* encoded_ = nullptr;  // its pairs
  uint32_t* ping_ = nullptr;     // width in pairs at most, kTogether tiles
  uint32_t* pong_ = nullptr;
  uint32_t* latent_ = nullptr;  // of all tiles
  uint32_t* picked_ = nullptr;  // of one tile
  uint32_t* pairs_ = nullptr;   // width, one tile
  float* addend_ = nullptr;     // width, one tile
  float* direction_ = nullptr;  // encoding, one tile
  uint32_t* direction_pairs_ = nullptr;
  uint32_t* view_pairs_ = nullptr;
  float* raw_ = nullptr;  // 8
};

Status ClassicLow::Reserve(Arena* arena) {
  const uint32_t width = net_.config().width, seen = net_.position().rows(),
                 directions = net_.direction().rows(), view = net_.config().view_width;
  for (size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    const bool sees = net_.SeesInput(l);
    if (sees && BytesIn(l)) DAF_RETURN_IF_ERROR(layer.encoded.Reserve(seen, width, false, arena));
    const uint32_t in = (l > 0 ? width : 0) + (sees && !BytesIn(l) ? seen : 0);
    DAF_RETURN_IF_ERROR(layer.hidden.Reserve(in, width, BytesIn(l), arena));
    DAF_RETURN_IF_ERROR(arena->Allocate(width, &layer.largest));
    DAF_RETURN_IF_ERROR(arena->Allocate(width, &layer.quantum));
    DAF_RETURN_IF_ERROR(arena->Allocate(width, &layer.steps));
  }
  const bool bytes = Bytes(last());
  DAF_RETURN_IF_ERROR(sigma_.Reserve(width, 1, false, arena));
  if (net_.folds() && bytes) {
    DAF_RETURN_IF_ERROR(view_direction_.Reserve(directions, view, false, arena));
    DAF_RETURN_IF_ERROR(view_.Reserve(width, view, true, arena));
  } else {
    DAF_RETURN_IF_ERROR(view_.Reserve(width + directions, view, false, arena));
  }
  if (!net_.folds()) DAF_RETURN_IF_ERROR(features_.Reserve(width, width, bytes, arena));
  DAF_RETURN_IF_ERROR(rgb_.Reserve(view, 3, false, arena));
  const size_t position = kTogether * TileFloats(net_.position().allocated());
  DAF_RETURN_IF_ERROR(arena->Allocate(position, &position_));
  std::memset(position_, 0, position * sizeof(float));  // padding rows stay zero
  const size_t direction = TileFloats(net_.direction().allocated());
  DAF_RETURN_IF_ERROR(arena->Allocate(direction, &direction_));
  std::memset(direction_, 0, direction * sizeof(float));
  DAF_RETURN_IF_ERROR(arena->Allocate(kTogether * TileFloats(seen / 2), &encoded_));
  DAF_RETURN_IF_ERROR(arena->Allocate(kTogether * TileFloats(width / 2), &ping_));
  DAF_RETURN_IF_ERROR(arena->Allocate(kTogether * TileFloats(width / 2), &pong_));
  DAF_RETURN_IF_ERROR(arena->Allocate(kClassicTiles * LatentWords(), &latent_));
  DAF_RETURN_IF_ERROR(arena->Allocate(LatentWords(), &picked_));
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(width / 2), &pairs_));
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(std::max(width, view)), &addend_));
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(directions / 2), &direction_pairs_));
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(kernels::RoundUp8(view) / 2), &view_pairs_));
  DAF_RETURN_IF_ERROR(arena->Allocate(TileFloats(8), &raw_));
  return Prepare();
}

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

// One tile through a hidden layer, to `to` in its form; the last one's outputs are in pairs_ too.
void ClassicLow::Hidden(size_t l, const uint32_t* encoded, const uint32_t* from, uint32_t* to) {
  const Layer& layer = layers_[l];
  const uint32_t width = net_.config().width, seen = net_.SeesInput(l) ? net_.position().rows() : 0,
                 hidden = l > 0 ? width : 0;
  const bool apart = seen > 0 && BytesIn(l);
  DotLayerArgs args = seen > 0 && !apart ? layer.hidden.Args(encoded, seen, from, hidden)
                                         : layer.hidden.Args(from, hidden, nullptr, 0);
  if (apart) {
    DotLayerArgs first = layer.encoded.Args(encoded, seen, nullptr, 0);
    first.rows = addend_;
    layer.encoded.Run(dots_, first);
    args.addend = addend_;
  }
  args.relu = net_.Activated(l);
  if (Bytes(l)) {
    args.quads = to;
    args.steps = layer.steps;
    if (l == last()) args.pairs = pairs_;
  } else {
    args.pairs = to;
  }
  layer.hidden.Run(dots_, args);
}

void ClassicLow::Sigma(const uint32_t* pairs, float* density) {
  DotLayerArgs args = sigma_.Args(pairs, net_.config().width, nullptr, 0);
  args.rows = raw_;
  sigma_.Run(dots_, args);
  net_.ActivateDensity(raw_, density);
}

void ClassicLow::Density(const PointArrays& points, uint32_t n, float* density) {
  const uint32_t tiles = TilesOf(n), seen = net_.position().rows();
  const size_t wide = TileFloats(net_.config().width / 2), latent = LatentWords();
  for (uint32_t first = 0; first < tiles; first += kTogether) {
    const uint32_t count = std::min(kTogether, tiles - first);
    net_.EncodePosition(AtTile(points, first), count, position_);
    for (uint32_t k = 0; k < count; ++k) {
      const size_t from = k * TileFloats(net_.position().allocated());
      dots_.to_pairs(position_ + from + TileFloats(net_.position().skipped()), seen,
                     encoded_ + k * TileFloats(seen / 2));
    }
    for (uint32_t l = 0; l <= last(); ++l) {
      const uint32_t* from = l % 2 == 0 ? pong_ : ping_;
      uint32_t* to = l % 2 == 0 ? ping_ : pong_;
      for (uint32_t k = 0; k < count; ++k) {
        const uint32_t* encoded = encoded_ + k * TileFloats(seen / 2);
        if (l < last()) {
          Hidden(l, encoded, from + k * wide, to + k * wide);
          continue;
        }
        uint32_t* out = latent_ + (first + k) * latent;
        Hidden(l, encoded, from + k * wide, out);
        Sigma(Bytes(l) ? pairs_ : out, density + TileFloats(first + k));
      }
    }
  }
}

void ClassicLow::ColorTile(const uint32_t* latent, const PointArrays& directions,
                           const ColorArrays& color) {
  const uint32_t width = net_.config().width, rows = net_.direction().rows();
  net_.EncodeDirection(directions, direction_);
  dots_.to_pairs(direction_ + TileFloats(net_.direction().skipped()), rows, direction_pairs_);
  DotLayerArgs args;
  if (net_.folds() && Bytes(last())) {
    DotLayerArgs first = view_direction_.Args(direction_pairs_, rows, nullptr, 0);
    first.rows = addend_;
    view_direction_.Run(dots_, first);
    args = view_.Args(latent, width, nullptr, 0);
    args.addend = addend_;
  } else if (net_.folds()) {
    args = view_.Args(latent, width, direction_pairs_, rows);
  } else {
    DotLayerArgs features = features_.Args(latent, width, nullptr, 0);
    features.relu = true;
    features.pairs = pairs_;
    features_.Run(dots_, features);
    args = view_.Args(pairs_, width, direction_pairs_, rows);
  }
  args.relu = true;
  args.pairs = view_pairs_;
  view_.Run(dots_, args);
  DotLayerArgs rgb = rgb_.Args(view_pairs_, net_.config().view_width, nullptr, 0);
  rgb.rows = raw_;
  rgb_.Run(dots_, rgb);
  net_.Squash(raw_, color);
}

void ClassicLow::Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
                       const ColorArrays& color) {
  const size_t words = LatentWords();
  for (uint32_t tile = 0; tile < TilesOf(n); ++tile) {
    for (uint32_t s = 0; s < kTile; ++s) {
      const uint32_t i = tile * kTile + s, from = i < n ? pick[i] : 0;
      const uint32_t* column = latent_ + (from / kTile) * words + from % kTile;
      for (size_t at = 0; at < words; at += kTile) picked_[at + s] = column[at];
    }
    ColorTile(picked_, AtTile(directions, tile), AtTile(color, tile));
  }
}

void ClassicLow::Forward(const PointArrays& points, const PointArrays& directions, uint32_t n,
                         float* density, const ColorArrays& color) {
  Density(points, n, density);
  if (color.r == nullptr) return;
  for (uint32_t tile = 0; tile < TilesOf(n); ++tile)
    ColorTile(latent_ + tile * LatentWords(), AtTile(directions, tile), AtTile(color, tile));
}

}  // namespace

Status NewClassicLow(const ClassicNetwork& network, const kernels::DotTable& dots, bool int8,
                     Arena* arena, std::unique_ptr<FieldPass>* out) {
  auto pass = std::make_unique<ClassicLow>(network, dots, int8);
  DAF_RETURN_IF_ERROR(pass->Reserve(arena));
  *out = std::move(pass);
  return Status::Ok();
}

}  // namespace daf::nerf
