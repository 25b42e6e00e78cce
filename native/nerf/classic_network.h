// The classic field's network as its passes read it: where the layers lie, their packed copies, and
// the steps that inference and training share.
#pragma once

#include <vector>

#include "native/nerf/classic_encoding.h"

namespace daf::nerf {

// Positional encoding → `depth` hidden layers of `width`, some of which see the encoding again →
// `width` features and the density → with the encoded direction a view layer → RGB before its
// sigmoid. For inference a feature layer without activation is multiplied into the view layer
// (exact up to rounding, and an eighth of the work).
class ClassicNetwork {
 public:
  // One tile of each step of inference after the hidden layers.
  struct Scratch {
    float* hidden = nullptr;     // width
    float* direction = nullptr;  // the encoded direction
    float* head = nullptr;       // width + 1, unless the features are folded away
    float* view = nullptr;       // view_width
    float* raw = nullptr;        // 8
  };

  // Tiles that pass a layer one after the other: its weights come from L3 once for all of them.
  static constexpr uint32_t kTogether = 4;

  // Reserves the parameters from *cursor on and the packed copies in `arena`. Errors: kMemory.
  Status Make(const ClassicConfig& config, const kernels::Table* kernels, size_t* cursor,
              Arena* arena);
  // Random weights, zero biases and padding.
  void Initialise(float* parameters, Rng* rng) const;
  void Pack(const float* parameters);
  // Errors: kMemory.
  Status Reserve(Arena* arena, Scratch* out) const;

  const ClassicConfig& config() const { return config_; }
  const kernels::Table& kernels() const { return *kernels_; }
  const ClassicEncoding& position() const { return position_; }
  const ClassicEncoding& direction() const { return direction_; }
  bool SeesInput(size_t layer) const { return (sees_input_ >> layer & 1) != 0; }
  bool Activated(size_t layer) const { return (linear_ >> layer & 1) == 0; }
  bool folds() const { return !config_.feature_relu; }
  const std::vector<Dense>& trunk() const { return trunk_; }
  const Dense& head() const { return head_; }  // the features, then the density's output
  const Dense& view() const { return view_; }  // of the features, then the encoded direction
  const Dense& rgb() const { return rgb_; }
  // For copies in another precision: the parameters last packed, how often that was, and the view
  // layer with the features folded in, row-major.
  const float* parameters() const { return parameters_; }
  uint64_t packs() const { return packs_; }
  const float* folded() const { return folded_rows_; }
  const float* folded_bias() const { return folded_bias_; }

  // Encodings into [tile][allocated], of one tile for the direction; padding is left as it is.
  void EncodePosition(const PointArrays& points, uint32_t tiles, float* rows) const;
  void EncodeDirection(const PointArrays& directions, float* rows) const;
  // `tiles` ≤ kTogether encoded tiles through the hidden layers; layer l is written to outputs[l],
  // tile after tile, and read from there by the next.
  void Trunk(const float* position, uint32_t tiles, float* const* outputs) const;
  // Of one tile, `output` in place: features to their activation, the output to a density.
  void ActivateFeatures(float* features) const;
  void ActivateDensity(const float* output, float* density) const;
  void Squash(const float* raw, const ColorArrays& color) const;
  // One tile of features and encoded direction → view layer → colour.
  void View(const float* features, const float* direction, float* view, float* raw,
            const ColorArrays& color) const;
  // Inference on one tile of the last hidden layer.
  void Density(const float* hidden, const Scratch& scratch, float* density) const;
  void Color(const float* hidden, const PointArrays& directions, const Scratch& scratch,
             const ColorArrays& color) const;
  // The same for samples pick[i] of `latent` [tile][width], as FieldPass::Color.
  void PickedColor(const float* latent, const uint32_t* pick, const PointArrays& directions,
                   uint32_t n, const Scratch& scratch, const ColorArrays& color) const;

 private:
  Status ReserveFolded(Arena* arena);
  void PackFolded(const float* parameters);
  void Rgb(const float* view, float* raw, const ColorArrays& color) const;

  ClassicConfig config_;
  const kernels::Table* kernels_ = nullptr;
  ClassicEncoding position_, direction_;
  uint32_t sees_input_ = 1, linear_ = 0;  // a bit for each hidden layer
  std::vector<Dense> trunk_;
  Dense head_, view_, rgb_;
  // Inference: the density's output alone, and the view layer with the features folded in.
  float* sigma_ = nullptr;
  float* sigma_bias_ = nullptr;
  float* folded_ = nullptr;
  float* folded_bias_ = nullptr;
  float* folded_rows_ = nullptr;  // the same, row-major
  const float* parameters_ = nullptr;
  uint64_t packs_ = 0;
};

// Floats of one tile of `rows` rows.
constexpr size_t TileFloats(uint32_t rows) { return size_t{rows} * kernels::kTile; }

inline PointArrays AtTile(const PointArrays& points, uint32_t tile) {
  const size_t at = TileFloats(tile);
  return {points.x + at, points.y + at, points.z + at};
}
inline ColorArrays AtTile(const ColorArrays& color, uint32_t tile) {
  const size_t at = TileFloats(tile);
  return {color.r + at, color.g + at, color.b + at};
}

}  // namespace daf::nerf
