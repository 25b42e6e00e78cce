#include "native/nerf/low_dense.h"

namespace daf::nerf {

using kernels::RoundUp4;
using kernels::RoundUp8;

Status LowDense::Reserve(uint32_t in, uint32_t out, bool quads, Arena* arena) {
  in_ = in;
  out_ = out;
  quads_ = quads;
  const size_t words = quads ? kernels::QuadsOf(in) : kernels::PairsOf(in);
  DAF_RETURN_IF_ERROR(arena->Allocate(RoundUp8(out) * words, &weights_));
  DAF_RETURN_IF_ERROR(arena->Allocate(RoundUp8(out), &bias_));
  return quads ? arena->Allocate(RoundUp8(out), &unit_) : Status::Ok();
}

void LowDense::Pack(const float* weights, size_t stride, const float* bias, const float* quantum) {
  if (quads_) {
    kernels::PackQuads(weights, out_, in_, stride, quantum, weights_, unit_);
  } else {
    kernels::PackPairs(weights, out_, in_, stride, weights_);
  }
  for (uint32_t o = 0; o < RoundUp8(out_); ++o)
    bias_[o] = bias != nullptr && o < out_ ? bias[o] : 0.0f;
}

kernels::DotLayerArgs LowDense::Args(const uint32_t* src0, uint32_t in0, const uint32_t* src1,
                                     uint32_t in1) const {
  kernels::DotLayerArgs args = {};
  args.weights = weights_;
  args.bias = bias_;
  args.unit = unit_;
  args.src0 = src0;
  args.words0 = quads_ ? in0 / 4 : in0 / 2;
  args.src1 = src1;
  args.words1 = quads_ ? in1 / 4 : in1 / 2;
  args.out = quads_ ? RoundUp8(out_) : RoundUp4(out_);
  return args;
}

}  // namespace daf::nerf
