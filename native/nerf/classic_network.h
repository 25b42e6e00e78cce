// The classic field's network as its passes read it: where the layers lie, their packed copies, and
// the steps that inference and training share.
#pragma once

#include <vector>

#include "native/nerf/dense.h"
#include "native/nerf/field.h"

namespace daf::nerf {

// Positional encoding → `depth` layers of `width`, one of which sees the encoding again → `width`
// linear features and the log density → with the encoded direction a view layer → RGB before its
// sigmoid. For inference the feature layer is multiplied into the view layer (exact up to rounding,
// and an eighth of the work).
class ClassicNetwork {
 public:
  // One tile of each step of inference after the hidden layers.
  struct Scratch {
    float* hidden = nullptr;     // width
    float* direction = nullptr;  // direction_rows, padding zero
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
  uint32_t position_rows() const { return position_rows_; }
  uint32_t direction_rows() const { return direction_rows_; }
  uint32_t view_width() const { return view_width_; }
  const std::vector<Dense>& trunk() const { return trunk_; }
  bool SeesInput(size_t layer) const { return layer == 0 || layer == skip_; }
  const Dense& head() const { return head_; }  // `width` features, then the log density
  const Dense& view() const { return view_; }  // of the features, then the encoded direction
  const Dense& rgb() const { return rgb_; }

  // Encodings of `tiles` tiles; the padding rows are left as they are and must be zero.
  void EncodePosition(const PointArrays& points, uint32_t tiles, float* rows) const;
  void EncodeDirection(const PointArrays& directions, float* rows) const;  // of one tile
  // `tiles` ≤ kTogether encoded tiles through the hidden layers; layer l is written to outputs[l],
  // tile after tile, and read from there by the next.
  void Trunk(const float* position, uint32_t tiles, float* const* outputs) const;
  // Inference on one tile of the last hidden layer, with the features folded away.
  void Density(const float* hidden, const Scratch& scratch, float* density) const;
  void Color(const float* hidden, const PointArrays& directions, const Scratch& scratch,
             const ColorArrays& color) const;
  // The same for samples pick[i] of `latent` [tile][width], as FieldPass::Color.
  void PickedColor(const float* latent, const uint32_t* pick, const PointArrays& directions,
                   uint32_t n, const Scratch& scratch, const ColorArrays& color) const;
  // Rows of RGB before the sigmoid → colours of one tile.
  void Squash(const float* raw, const ColorArrays& color) const;

 private:
  uint32_t RealInputs(size_t layer) const {
    return layer == 0 ? position_ : layer == skip_ ? position_ + config_.width : config_.width;
  }

  ClassicConfig config_;
  const kernels::Table* kernels_ = nullptr;
  uint32_t position_ = 0, direction_ = 0;            // rows of the encodings
  uint32_t position_rows_ = 0, direction_rows_ = 0;  // padded to 4
  uint32_t view_width_ = 0;
  size_t skip_ = 0;  // the layer that sees the input again, before the hidden rows
  std::vector<Dense> trunk_;
  Dense head_, view_, rgb_;
  // Inference: the log density alone, and the view layer with the features folded in.
  float* sigma_ = nullptr;
  float* sigma_bias_ = nullptr;
  float* folded_ = nullptr;
  float* folded_bias_ = nullptr;
  float* folded_rows_ = nullptr;  // scratch of Pack, row-major
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
