// The classic field with a tape: every layer's output is kept, and the gradients of the weights are
// swept for a group of tiles at once.
#include <algorithm>
#include <cstring>

#include "native/nerf/classic_passes.h"
#include "native/nerf/columns.h"

namespace daf::nerf {
namespace {

using kernels::kTile;
using kernels::RoundUp8;

constexpr uint32_t kGroupTiles = 8;  // tiles whose deltas are kept for one weight-gradient sweep

// The delta before a ReLU whose output is `out`.
void Mask(const float* delta, const float* out, size_t n, float* masked) {
  for (size_t i = 0; i < n; ++i) masked[i] = out[i] > 0 ? delta[i] : 0.0f;
}

// Buffers are [tile][rows][48] for all tiles of a call, deltas for one group of tiles.
class ClassicTraining final : public FieldPass {
 public:
  explicit ClassicTraining(const ClassicNetwork& network)
      : net_(network), k_(network.kernels()), head_rows_(RoundUp8(network.config().width + 1)) {}
  Status Reserve(Arena* arena);
  uint32_t capacity() const override { return kClassicTiles * kTile; }
  void Density(const PointArrays& points, uint32_t n, float* density) override;
  void Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
             const ColorArrays& color) override;
  void Forward(const PointArrays& points, const PointArrays& directions, uint32_t n, float* density,
               const ColorArrays& color) override;
  void Keep(const uint32_t* pick, uint32_t n, uint32_t at) override;
  void ForwardKept(const PointArrays& points, const PointArrays& directions, uint32_t n,
                   float* density, const ColorArrays& color) override;
  void Backward(const float* d_density, const ColorArrays& d_color, float* gradients) override;
  void Positions(const PositionDeltas* deltas) override { positions_ = deltas; }

 private:
  // What the hidden layers saw and gave.
  struct Tape {
    float* position = nullptr;  // [tile][position rows]
    float* layers = nullptr;    // [depth][tile][width]
  };
  float* Layer(const Tape& tape, size_t l, uint32_t tile) const {
    return tape.layers + (l * kClassicTiles + tile) * TileFloats(net_.config().width);
  }
  float* Layer(size_t l, uint32_t tile) const { return Layer(learnt_, l, tile); }
  float* Delta(size_t l, uint32_t slot) {
    return d_layers_ + (l * kGroupTiles + slot) * TileFloats(net_.config().width);
  }
  // `count` ≤ kTogether tiles through the hidden layers.
  void Trunk(const PointArrays& points, uint32_t first, uint32_t count, const Tape& tape);
  // From the hidden layers of all tiles to densities and colours.
  void Heads(const PointArrays& directions, uint32_t n, float* density, const ColorArrays& color);
  // The deltas of one tile's outputs, kept in its slot of the group.
  void BackwardHead(uint32_t tile, uint32_t slot, const float* d_density,
                    const ColorArrays& d_color);
  void BackwardTrunk(uint32_t tile, uint32_t slot);
  // From the deltas of the layers that see the encoded position to those of the position itself.
  void BackwardPosition(uint32_t tile, uint32_t slot);
  void HeadGradients(uint32_t first, uint32_t count, float* gradients);
  void TrunkGradients(uint32_t first, uint32_t count, float* gradients);

  const ClassicNetwork& net_;
  const kernels::Table& k_;
  const uint32_t head_rows_;
  std::vector<float*> outputs_;  // of each hidden layer, set for every group
  uint32_t tiles_ = 0;
  bool with_color_ = false;
  const PositionDeltas* positions_ = nullptr;
  const float* density_out_ = nullptr;
  ColorArrays color_out_{};
  Tape seen_;    // of the last Density
  Tape learnt_;  // of the last Forward, or of what was kept
  const Tape* last_ = &learnt_;
  float* direction_ = nullptr;
  float* head_ = nullptr;  // head_rows_
  float* view_ = nullptr;  // view_width
  ClassicNetwork::Scratch scratch_;
  float* d_layers_ = nullptr;    // [depth][slot][width]
  float* d_head_ = nullptr;      // head_rows_
  float* d_view_in_ = nullptr;   // the view layer's input, one tile
  float* d_view_ = nullptr;      // view_width
  float* d_raw_ = nullptr;       // 8
  float* d_in_ = nullptr;        // the widest layer's input, one tile
  float* d_position_ = nullptr;  // the encoded position, one tile
};

Status ClassicTraining::Reserve(Arena* arena) {
  const uint32_t width = net_.config().width, depth = net_.config().depth;
  const auto take = [&](size_t tiles, uint32_t rows, float** out) {
    DAF_RETURN_IF_ERROR(arena->Allocate(tiles * TileFloats(rows), out));
    std::memset(*out, 0, tiles * TileFloats(rows) * sizeof(float));  // padding rows stay zero
    return Status::Ok();
  };
  outputs_.resize(depth);
  for (Tape* tape : {&seen_, &learnt_}) {
    DAF_RETURN_IF_ERROR(take(kClassicTiles, net_.position().allocated(), &tape->position));
    DAF_RETURN_IF_ERROR(take(size_t{depth} * kClassicTiles, width, &tape->layers));
  }
  DAF_RETURN_IF_ERROR(take(kClassicTiles, net_.direction().allocated(), &direction_));
  DAF_RETURN_IF_ERROR(take(kClassicTiles, head_rows_, &head_));
  DAF_RETURN_IF_ERROR(take(kClassicTiles, net_.config().view_width, &view_));
  DAF_RETURN_IF_ERROR(net_.Reserve(arena, &scratch_));
  DAF_RETURN_IF_ERROR(take(size_t{depth} * kGroupTiles, width, &d_layers_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, head_rows_, &d_head_));
  DAF_RETURN_IF_ERROR(take(1, RoundUp8(net_.view().in()), &d_view_in_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, net_.config().view_width, &d_view_));
  DAF_RETURN_IF_ERROR(take(kGroupTiles, 8, &d_raw_));
  DAF_RETURN_IF_ERROR(take(1, RoundUp8(net_.position().rows() + width), &d_in_));
  return take(1, net_.position().allocated(), &d_position_);
}

void ClassicTraining::Trunk(const PointArrays& points, uint32_t first, uint32_t count,
                            const Tape& tape) {
  float* position = tape.position + first * TileFloats(net_.position().allocated());
  net_.EncodePosition(AtTile(points, first), count, position);
  for (size_t l = 0; l < outputs_.size(); ++l) outputs_[l] = Layer(tape, l, first);
  net_.Trunk(position, count, outputs_.data());
}

void ClassicTraining::Density(const PointArrays& points, uint32_t n, float* density) {
  for (uint32_t first = 0; first < TilesOf(n); first += ClassicNetwork::kTogether) {
    const uint32_t count = std::min(ClassicNetwork::kTogether, TilesOf(n) - first);
    Trunk(points, first, count, seen_);
    for (uint32_t tile = first; tile < first + count; ++tile)
      net_.Density(Layer(seen_, outputs_.size() - 1, tile), scratch_, density + TileFloats(tile));
  }
  last_ = &seen_;
}

// A column of the tape is moved in a twentieth of the time that it takes to compute.
void ClassicTraining::Keep(const uint32_t* pick, uint32_t n, uint32_t at) {
  const uint32_t width = net_.config().width, rows = net_.position().allocated();
  CopyColumns(seen_.position, rows, pick, n, at, rows, learnt_.position, rows);
  for (size_t l = 0; l < outputs_.size(); ++l)
    CopyColumns(Layer(seen_, l, 0), width, pick, n, at, width, Layer(l, 0), width);
}

void ClassicTraining::ForwardKept(const PointArrays& points, const PointArrays& directions,
                                  uint32_t n, float* density, const ColorArrays& color) {
  Heads(directions, n, density, color);
}

void ClassicTraining::Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
                            const ColorArrays& color) {
  net_.PickedColor(Layer(*last_, outputs_.size() - 1, 0), pick, directions, n, scratch_, color);
}

void ClassicTraining::Forward(const PointArrays& points, const PointArrays& directions, uint32_t n,
                              float* density, const ColorArrays& color) {
  for (uint32_t first = 0; first < TilesOf(n); first += ClassicNetwork::kTogether)
    Trunk(points, first, std::min(ClassicNetwork::kTogether, TilesOf(n) - first), learnt_);
  Heads(directions, n, density, color);
}

void ClassicTraining::Heads(const PointArrays& directions, uint32_t n, float* density,
                            const ColorArrays& color) {
  const uint32_t width = net_.config().width;
  last_ = &learnt_;
  tiles_ = TilesOf(n);
  density_out_ = density;
  color_out_ = color;
  with_color_ = color.r != nullptr;
  for (uint32_t tile = 0; tile < tiles_; ++tile) {
    float* head = head_ + tile * TileFloats(head_rows_);
    net_.head().Forward(k_, Layer(outputs_.size() - 1, tile), width, nullptr, 0, head,
                        kernels::kLinear);
    net_.ActivateDensity(head + TileFloats(width), density + TileFloats(tile));
    if (!with_color_) continue;
    net_.ActivateFeatures(head);
    float* direction = direction_ + tile * TileFloats(net_.direction().allocated());
    net_.EncodeDirection(AtTile(directions, tile), direction);
    net_.View(head, direction, view_ + tile * TileFloats(net_.config().view_width), scratch_.raw,
              AtTile(color, tile));
  }
}

void ClassicTraining::BackwardHead(uint32_t tile, uint32_t slot, const float* d_density,
                                   const ColorArrays& d_color) {
  const size_t wide = TileFloats(net_.config().width), at = TileFloats(tile);
  float* d_head = d_head_ + slot * TileFloats(head_rows_);
  if (with_color_) {
    float* d_raw = d_raw_ + slot * TileFloats(8);
    const float* const d[3] = {d_color.r + at, d_color.g + at, d_color.b + at};
    const float* const c[3] = {color_out_.r + at, color_out_.g + at, color_out_.b + at};
    for (uint32_t row = 0; row < 3; ++row) {
      for (uint32_t s = 0; s < kTile; ++s)
        d_raw[row * kTile + s] = d[row][s] * c[row][s] * (1 - c[row][s]);
    }
    float* d_view = d_view_ + slot * TileFloats(net_.config().view_width);
    net_.rgb().Backward(k_, d_raw, d_view, view_ + tile * TileFloats(net_.config().view_width));
    net_.view().Backward(k_, d_view, d_view_in_, nullptr);
    if (net_.config().feature_relu) {
      Mask(d_view_in_, head_ + tile * TileFloats(head_rows_), wide, d_head);
    } else {
      std::memcpy(d_head, d_view_in_, wide * sizeof(float));
    }
  } else {
    std::memset(d_head, 0, wide * sizeof(float));
  }
  for (uint32_t s = 0; s < kTile; ++s) {
    const float density = density_out_[at + s];
    const float slope = !net_.config().relu_density ? density : density > 0 ? 1.0f : 0.0f;
    d_head[wide + s] = d_density[at + s] * slope;
  }
}

void ClassicTraining::BackwardTrunk(uint32_t tile, uint32_t slot) {
  const size_t depth = net_.trunk().size(), wide = TileFloats(net_.config().width);
  const auto mask = [&](size_t l) { return net_.Activated(l) ? Layer(l, tile) : nullptr; };
  net_.head().Backward(k_, d_head_ + slot * TileFloats(head_rows_), Delta(depth - 1, slot),
                       mask(depth - 1));
  for (size_t l = depth; l-- > 1;) {
    float* to = Delta(l - 1, slot);
    if (!net_.SeesInput(l)) {
      net_.trunk()[l].Backward(k_, Delta(l, slot), to, mask(l - 1));
      continue;
    }
    // The encoding's share of the input's delta is BackwardPosition's, the hidden rows are masked.
    net_.trunk()[l].Backward(k_, Delta(l, slot), d_in_, nullptr);
    const float* from = d_in_ + TileFloats(net_.position().rows());
    if (net_.Activated(l - 1)) {
      Mask(from, Layer(l - 1, tile), wide, to);
    } else {
      std::memcpy(to, from, wide * sizeof(float));
    }
  }
}

void ClassicTraining::BackwardPosition(uint32_t tile, uint32_t slot) {
  const ClassicEncoding& encoding = net_.position();
  // Rows that layers do not see stay zero.
  float* const seen = d_position_ + TileFloats(encoding.skipped());
  for (size_t l = 0; l < net_.trunk().size(); ++l) {
    if (!net_.SeesInput(l)) continue;
    net_.trunk()[l].BackwardTo(k_, encoding.rows(), Delta(l, slot), l == 0 ? seen : d_in_, nullptr);
    if (l == 0) continue;
    for (size_t i = 0; i < TileFloats(encoding.rows()); ++i) seen[i] += d_in_[i];
  }
  const float* const encoded = learnt_.position + tile * TileFloats(encoding.allocated());
  float* const out[3] = {positions_->x, positions_->y, positions_->z};
  for (uint32_t axis = 0; axis < 3; ++axis) {
    float* const to = out[axis] + TileFloats(tile);
    std::memcpy(to, d_position_ + TileFloats(axis), kTile * sizeof(float));
    float slope = 1;  // of 2^k p by p
    for (uint32_t k = 0; k < encoding.frequencies; ++k, slope *= 2) {
      const size_t sine = TileFloats(3 + 6 * k + axis), cosine = sine + TileFloats(3);
      for (uint32_t s = 0; s < kTile; ++s)
        to[s] += slope * (d_position_[sine + s] * encoded[cosine + s] -
                          d_position_[cosine + s] * encoded[sine + s]);
    }
    for (uint32_t s = 0; s < kTile; ++s) to[s] *= net_.config().input_scale[axis];
  }
}

void ClassicTraining::HeadGradients(uint32_t first, uint32_t count, float* gradients) {
  const uint32_t width = net_.config().width, view_rows = net_.config().view_width,
                 direction_rows = net_.direction().rows();
  const size_t head_stride = TileFloats(head_rows_), view_stride = TileFloats(view_rows),
               direction_stride = TileFloats(net_.direction().allocated());
  const float* direction =
      direction_ + first * direction_stride + TileFloats(net_.direction().skipped());
  if (with_color_) {
    net_.rgb().Gradient(k_, d_raw_, TileFloats(8), view_ + first * view_stride, view_stride, 0,
                        view_rows, count, true, gradients);
    net_.view().Gradient(k_, d_view_, view_stride, head_ + first * head_stride, head_stride, 0,
                         width, count, true, gradients);
    net_.view().Gradient(k_, d_view_, view_stride, direction, direction_stride, width,
                         direction_rows, count, false, gradients);
  }
  net_.head().Gradient(k_, d_head_, head_stride, Layer(net_.trunk().size() - 1, first),
                       TileFloats(width), 0, width, count, true, gradients);
}

void ClassicTraining::TrunkGradients(uint32_t first, uint32_t count, float* gradients) {
  const uint32_t width = net_.config().width, position_rows = net_.position().rows();
  const size_t wide = TileFloats(width), position_stride = TileFloats(net_.position().allocated());
  const float* position =
      learnt_.position + first * position_stride + TileFloats(net_.position().skipped());
  for (size_t l = 0; l < net_.trunk().size(); ++l) {
    const Dense& layer = net_.trunk()[l];
    const bool sees_input = net_.SeesInput(l);
    if (sees_input) {
      layer.Gradient(k_, Delta(l, 0), wide, position, position_stride, 0, position_rows, count,
                     true, gradients);
    }
    if (l > 0) {
      layer.Gradient(k_, Delta(l, 0), wide, Layer(l - 1, first), wide,
                     sees_input ? position_rows : 0, width, count, !sees_input, gradients);
    }
  }
}

void ClassicTraining::Backward(const float* d_density, const ColorArrays& d_color,
                               float* gradients) {
  for (uint32_t first = 0; first < tiles_; first += kGroupTiles) {
    const uint32_t count = std::min(kGroupTiles, tiles_ - first);
    for (uint32_t slot = 0; slot < count; ++slot) {
      BackwardHead(first + slot, slot, d_density, d_color);
      BackwardTrunk(first + slot, slot);
      if (positions_ != nullptr) BackwardPosition(first + slot, slot);
    }
    HeadGradients(first, count, gradients);
    TrunkGradients(first, count, gradients);
  }
}

}  // namespace

Status NewClassicTraining(const ClassicNetwork& network, Arena* arena,
                          std::unique_ptr<FieldPass>* out) {
  auto pass = std::make_unique<ClassicTraining>(network);
  DAF_RETURN_IF_ERROR(pass->Reserve(arena));
  *out = std::move(pass);
  return Status::Ok();
}

}  // namespace daf::nerf
