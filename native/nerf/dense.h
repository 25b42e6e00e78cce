// One dense layer of a field's network: where its parameters lie, their packed copies, and its
// three passes over tiles.
#pragma once

#include "native/base/arena.h"
#include "native/base/rng.h"
#include "native/kernels/kernels.h"

namespace daf::nerf {

// Inputs are padded to a multiple of 4 by zero rows (the weight gradient reads four at a time),
// outputs to 8 in the packed copies and to 4 in every tile that a layer writes.
class Dense {
 public:
  // Reserves [out][in] weights and [out] biases from *cursor on, each aligned to 16 floats.
  Dense() = default;
  Dense(uint32_t in, uint32_t out, size_t* cursor);

  uint32_t in() const { return in_; }
  uint32_t out() const { return out_; }
  size_t weights() const { return weights_; }
  size_t bias() const { return bias_; }

  // Uniform in ±√(6 / real_in) (He et al. 2015), zero in the padding and the biases.
  void Initialise(float* parameters, uint32_t real_in, Rng* rng) const;
  Status Reserve(Arena* arena);
  void Pack(const float* parameters);

  // dst [RoundUp4(out)][48] = activation(W [src0; src1] + b); in0 + in1 = in.
  void Forward(const kernels::Table& k, const float* src0, uint32_t in0, const float* src1,
               uint32_t in1, float* dst, kernels::Activation activation) const;
  // The same for `tiles` tiles, which lie stride0, stride1 and dst_stride floats apart. Faster than
  // one after the other where the weights are in no near cache.
  void ForwardTiles(const kernels::Table& k, uint32_t tiles, const float* src0, uint32_t in0,
                    size_t stride0, const float* src1, uint32_t in1, size_t stride1, float* dst,
                    size_t dst_stride, kernels::Activation activation) const;
  // dst [in][48] = Wᵀ delta, kept only where mask is positive unless mask is null.
  void Backward(const kernels::Table& k, const float* delta, float* dst, const float* mask) const {
    BackwardTo(k, in_, delta, dst, mask);
  }
  // The same for the first `inputs` inputs, a multiple of 4.
  void BackwardTo(const kernels::Table& k, uint32_t inputs, const float* delta, float* dst,
                  const float* mask) const;
  // Adds the gradients of the weights of inputs [column, column + in) and, where with_bias, of the
  // biases.
  void Gradient(const kernels::Table& k, const float* delta, size_t delta_stride, const float* src,
                size_t src_stride, uint32_t column, uint32_t in, uint32_t tiles, bool with_bias,
                float* gradients) const;

 private:
  uint32_t in_ = 0, out_ = 0;
  size_t weights_ = 0, bias_ = 0;
  float* packed_ = nullptr;
  float* packed_bias_ = nullptr;
  float* transposed_ = nullptr;
};

using kernels::RoundUp4;

}  // namespace daf::nerf
