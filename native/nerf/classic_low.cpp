// How samples go through the rounded network.
#include "native/nerf/classic_low.h"

#include <algorithm>
#include <cstring>

namespace daf::nerf {

using kernels::DotLayerArgs;
using kernels::kTile;

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

Status NewClassicLow(const ClassicNetwork& network, const kernels::DotTable& dots, bool int8,
                     Arena* arena, std::unique_ptr<FieldPass>* out) {
  auto pass = std::make_unique<ClassicLow>(network, dots, int8);
  DAF_RETURN_IF_ERROR(pass->Reserve(arena));
  *out = std::move(pass);
  return Status::Ok();
}

}  // namespace daf::nerf
