// The classic field without a tape: hidden layers in two buffers, the feature layer folded away.
#include <algorithm>
#include <cstring>

#include "native/nerf/classic_passes.h"

namespace daf::nerf {
namespace {

using kernels::kTile;

class ClassicInference final : public FieldPass {
 public:
  explicit ClassicInference(const ClassicNetwork& network) : net_(network) {}
  Status Reserve(Arena* arena);
  uint32_t capacity() const override { return kClassicTiles * kTile; }
  void Density(const PointArrays& points, uint32_t n, float* density) override;
  void Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
             const ColorArrays& color) override;
  void Forward(const PointArrays& points, const PointArrays& directions, uint32_t n, float* density,
               const ColorArrays& color) override;
  void Backward(const float*, const ColorArrays&, float*) override {}  // there is no tape

 private:
  float* Latent(uint32_t tile) { return latent_ + tile * TileFloats(net_.config().width); }

  const ClassicNetwork& net_;
  std::vector<float*> outputs_;  // of each hidden layer; the last one is set for every group
  float* position_ = nullptr;    // kTogether tiles
  float* ping_ = nullptr;        // width, kTogether tiles
  float* pong_ = nullptr;
  float* latent_ = nullptr;  // width, all tiles: the last hidden layer
  ClassicNetwork::Scratch scratch_;
};

Status ClassicInference::Reserve(Arena* arena) {
  const uint32_t width = net_.config().width;
  const auto take = [&](uint32_t tiles, uint32_t rows, float** out) {
    return arena->Allocate(tiles * TileFloats(rows), out);
  };
  constexpr uint32_t kTogether = ClassicNetwork::kTogether;
  DAF_RETURN_IF_ERROR(take(kTogether, net_.position().allocated(), &position_));
  // Padding rows stay zero.
  std::memset(position_, 0, kTogether * TileFloats(net_.position().allocated()) * sizeof(float));
  DAF_RETURN_IF_ERROR(take(kTogether, width, &ping_));
  DAF_RETURN_IF_ERROR(take(kTogether, width, &pong_));
  DAF_RETURN_IF_ERROR(net_.Reserve(arena, &scratch_));
  for (uint32_t l = 0; l < net_.config().depth; ++l) outputs_.push_back(l % 2 == 0 ? ping_ : pong_);
  return take(kClassicTiles, width, &latent_);
}

void ClassicInference::Density(const PointArrays& points, uint32_t n, float* density) {
  const uint32_t tiles = TilesOf(n);
  for (uint32_t first = 0; first < tiles; first += ClassicNetwork::kTogether) {
    const uint32_t count = std::min(ClassicNetwork::kTogether, tiles - first);
    net_.EncodePosition(AtTile(points, first), count, position_);
    outputs_.back() = Latent(first);
    net_.Trunk(position_, count, outputs_.data());
    for (uint32_t tile = first; tile < first + count; ++tile)
      net_.Density(Latent(tile), scratch_, density + TileFloats(tile));
  }
}

void ClassicInference::Color(const uint32_t* pick, const PointArrays& directions, uint32_t n,
                             const ColorArrays& color) {
  net_.PickedColor(latent_, pick, directions, n, scratch_, color);
}

void ClassicInference::Forward(const PointArrays& points, const PointArrays& directions, uint32_t n,
                               float* density, const ColorArrays& color) {
  Density(points, n, density);
  if (color.r == nullptr) return;
  for (uint32_t tile = 0; tile < TilesOf(n); ++tile)
    net_.Color(Latent(tile), AtTile(directions, tile), scratch_, AtTile(color, tile));
}

}  // namespace

Status NewClassicInference(const ClassicNetwork& network, Arena* arena,
                           std::unique_ptr<FieldPass>* out) {
  auto pass = std::make_unique<ClassicInference>(network);
  DAF_RETURN_IF_ERROR(pass->Reserve(arena));
  *out = std::move(pass);
  return Status::Ok();
}

}  // namespace daf::nerf
