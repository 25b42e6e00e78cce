// The classic field's inference in bf16, or in bf16 and 8 bits. Encodings are computed in fp32 and
// what sees them is multiplied in bf16, and so is the density's output; in 8 bits run the layers
// whose input has passed a ReLU, each hidden unit's byte scaled by the largest value it takes at
// sampled points; larger ones saturate.
#pragma once

#include <vector>

#include "native/nerf/classic_passes.h"
#include "native/nerf/low_dense.h"

namespace daf::nerf {

class ClassicLow final : public FieldPass {
 public:
  ClassicLow(const ClassicNetwork& network, const kernels::DotTable& dots, bool int8)
      : net_(network), dots_(dots), int8_(int8), layers_(network.config().depth) {}
  Status Reserve(Arena* arena);
  uint32_t capacity() const override { return kClassicTiles * kernels::kTile; }
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
    return net_.config().width < 256 ? layer + 2 < layers_.size() : net_.folds() || layer != last();
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

  static constexpr uint32_t kTogether = ClassicNetwork::kTogether;
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

}  // namespace daf::nerf
