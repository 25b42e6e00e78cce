#include "native/nerf/dense.h"

#include <cmath>

namespace daf::nerf {

using kernels::PackedSize;
using kernels::RoundUp8;

Dense::Dense(uint32_t in, uint32_t out, size_t* cursor) : in_(RoundUp4(in)), out_(out) {
  weights_ = *cursor;
  bias_ = (weights_ + size_t{in_} * out_ + 15) / 16 * 16;
  *cursor = (bias_ + out_ + 15) / 16 * 16;
}

void Dense::Initialise(float* parameters, uint32_t real_in, Rng* rng) const {
  const float bound = std::sqrt(6.0f / static_cast<float>(real_in));
  for (uint32_t o = 0; o < out_; ++o) {
    for (uint32_t i = 0; i < in_; ++i)
      parameters[weights_ + size_t{o} * in_ + i] = i < real_in ? rng->Uniform(-bound, bound) : 0.0f;
    parameters[bias_ + o] = 0;
  }
}

Status Dense::Reserve(Arena* arena) {
  DAF_RETURN_IF_ERROR(arena->Allocate(PackedSize(out_, in_), &packed_));
  DAF_RETURN_IF_ERROR(arena->Allocate(RoundUp8(out_), &packed_bias_));
  return arena->Allocate(PackedSize(in_, out_), &transposed_);
}

void Dense::Pack(const float* parameters) {
  kernels::PackWeights(parameters + weights_, out_, in_, in_, packed_);
  kernels::PackTransposed(parameters + weights_, out_, in_, in_, transposed_);
  for (uint32_t o = 0; o < RoundUp8(out_); ++o)
    packed_bias_[o] = o < out_ ? parameters[bias_ + o] : 0.0f;
}

void Dense::Forward(const kernels::Table& k, const float* src0, uint32_t in0, const float* src1,
                    uint32_t in1, float* dst, kernels::Activation activation) const {
  ForwardTiles(k, 1, src0, in0, 0, src1, in1, 0, dst, 0, activation);
}

void Dense::ForwardTiles(const kernels::Table& k, uint32_t tiles, const float* src0, uint32_t in0,
                         size_t stride0, const float* src1, uint32_t in1, size_t stride1,
                         float* dst, size_t dst_stride, kernels::Activation activation) const {
  const kernels::LayerArgs args = {
      packed_, packed_bias_,   src0,       in0,   src1,    in1,     dst,
      nullptr, RoundUp4(out_), activation, tiles, stride0, stride1, dst_stride};
  k.layer(&args);
}

void Dense::BackwardTo(const kernels::Table& k, uint32_t inputs, const float* delta, float* dst,
                       const float* mask) const {
  const kernels::LayerArgs args = {
      transposed_, nullptr, delta, out_,   nullptr,
      0,           dst,     mask,  inputs, mask != nullptr ? kernels::kReluMask : kernels::kLinear};
  k.layer(&args);
}

void Dense::Gradient(const kernels::Table& k, const float* delta, size_t delta_stride,
                     const float* src, size_t src_stride, uint32_t column, uint32_t in,
                     uint32_t tiles, bool with_bias, float* gradients) const {
  const kernels::WeightGradientArgs args = {delta,      delta_stride,
                                            out_,       src,
                                            src_stride, in,
                                            tiles,      gradients + weights_ + column,
                                            in_,        with_bias ? gradients + bias_ : nullptr};
  k.weight_gradient(&args);
}

}  // namespace daf::nerf
