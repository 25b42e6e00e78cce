// A dense layer's weights in bf16 or 8 bits, for inference.
#pragma once

#include "native/base/arena.h"
#include "native/kernels/dot.h"

namespace daf::nerf {

class LowDense {
 public:
  // `in` is a multiple of 2, for quads of 4. Errors: kMemory.
  Status Reserve(uint32_t in, uint32_t out, bool quads, Arena* arena);
  // Row-major weights [out][in] of row stride `stride`; a null bias is zero. For quads, quantum[in]
  // is what a step of each input's byte is worth.
  void Pack(const float* weights, size_t stride, const float* bias, const float* quantum);

  // To be run on words of the first in0 inputs and the other in1; the caller adds where the outputs
  // go.
  kernels::DotLayerArgs Args(const uint32_t* src0, uint32_t in0, const uint32_t* src1,
                             uint32_t in1) const;
  void Run(const kernels::DotTable& k, const kernels::DotLayerArgs& args) const {
    (quads_ ? k.int8_layer : k.bf16_layer)(&args);
  }

 private:
  uint32_t in_ = 0, out_ = 0;
  bool quads_ = false;
  uint32_t* weights_ = nullptr;
  float* bias_ = nullptr;
  float* unit_ = nullptr;
};

}  // namespace daf::nerf
