#include "native/nerf/background.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "native/base/rng.h"

namespace daf::nerf {
namespace {

struct Layer {
  const char* name;
  uint32_t weights, biases, inputs, outputs;
};
constexpr Layer kLayers[] = {
    {"background.1", Background::kLayer1, Background::kBias1, Background::kInputs,
     Background::kWidth},
    {"background.2", Background::kLayer2, Background::kBias2, Background::kWidth,
     Background::kWidth},
    {"background.3", Background::kLayer3, Background::kBias3, Background::kWidth, 3},
};

// out[o] = bias[o] + Σ_i in[i] weight[i][o]
template <uint32_t kIn, uint32_t kOut>
void Apply(const float* weights, const float* bias, const float* in, float* out) {
  for (uint32_t o = 0; o < kOut; ++o) out[o] = bias[o];
  for (uint32_t i = 0; i < kIn; ++i)
    for (uint32_t o = 0; o < kOut; ++o) out[o] += in[i] * weights[i * kOut + o];
}

// Of a layer with ReLU before it: adds its parameters' gradients, and writes those by its input.
template <uint32_t kIn, uint32_t kOut>
void Reverse(const float* weights, const float* in, const float* d_out, float* d_weights,
             float* d_bias, float* d_in) {
  for (uint32_t o = 0; o < kOut; ++o) d_bias[o] += d_out[o];
  for (uint32_t i = 0; i < kIn; ++i) {
    float sum = 0;
    for (uint32_t o = 0; o < kOut; ++o) {
      d_weights[i * kOut + o] += in[i] * d_out[o];
      sum += weights[i * kOut + o] * d_out[o];
    }
    if (d_in != nullptr) d_in[i] = in[i] > 0 ? sum : 0.0f;
  }
}

}  // namespace

Background::Background(uint64_t seed) {
  Rng rng(seed, 11);
  for (const Layer& layer : {kLayers[0], kLayers[1]}) {
    const float bound = std::sqrt(6.0f / static_cast<float>(layer.inputs));
    for (uint32_t i = 0; i < layer.inputs * layer.outputs; ++i)
      parameters_[layer.weights + i] = rng.Uniform(-bound, bound);
  }
}

void Background::Begin(const float color[3]) {
  std::fill_n(parameters_.data() + kLayer3, kWidth * 3, 0.0f);
  for (int c = 0; c < 3; ++c) {
    const float v = std::min(std::max(color[c], 0.02f), 0.98f);
    parameters_[kBias3 + c] = std::log(v / (1 - v));
  }
}

void Background::Forward(const float direction[3], Activations* out) const {
  float* in = out->input;
  for (int a = 0; a < 3; ++a) {
    in[a] = direction[a];
    float s = std::sin(direction[a]), c = std::cos(direction[a]);
    for (uint32_t f = 0; f < kFrequencies; ++f) {
      in[3 + f * 6 + a] = s;
      in[6 + f * 6 + a] = c;
      const float twice = 2 * s * c;
      c = c * c - s * s;
      s = twice;
    }
  }
  const float* p = parameters_.data();
  Apply<kInputs, kWidth>(p + kLayer1, p + kBias1, in, out->first);
  for (float& v : out->first) v = v > 0 ? v : 0.0f;
  Apply<kWidth, kWidth>(p + kLayer2, p + kBias2, out->first, out->second);
  for (float& v : out->second) v = v > 0 ? v : 0.0f;
  Apply<kWidth, 3>(p + kLayer3, p + kBias3, out->second, out->color);
  for (float& v : out->color) v = 1 / (1 + std::exp(-v));
}

void Background::Color(const float direction[3], float color[3]) const {
  Activations all;
  Forward(direction, &all);
  for (int c = 0; c < 3; ++c) color[c] = all.color[c];
}

void Background::Backward(const float direction[3], const float d_color[3],
                          float* gradients) const {
  Activations all;
  Forward(direction, &all);
  float d_out[3], d_second[kWidth], d_first[kWidth];
  for (int c = 0; c < 3; ++c) d_out[c] = d_color[c] * all.color[c] * (1 - all.color[c]);
  const float* p = parameters_.data();
  Reverse<kWidth, 3>(p + kLayer3, all.second, d_out, gradients + kLayer3, gradients + kBias3,
                     d_second);
  Reverse<kWidth, kWidth>(p + kLayer2, all.first, d_second, gradients + kLayer2, gradients + kBias2,
                          d_first);
  Reverse<kInputs, kWidth>(p + kLayer1, all.input, d_first, gradients + kLayer1, gradients + kBias1,
                           nullptr);
}

bool Background::In(const SafetensorsFile& file) {
  // Any of its tensors: where another is missing, that is said, and not taken for no background.
  return std::any_of(std::begin(kLayers), std::end(kLayers), [&](const Layer& layer) {
    const std::string name = layer.name;
    return file.Find(name + ".weight") != nullptr || file.Find(name + ".bias") != nullptr;
  });
}

Status Background::Save(std::array<float, kParameters>* scratch, SafetensorsWriter* writer) const {
  *scratch = parameters_;
  for (const Layer& layer : kLayers) {
    float* weights = scratch->data() + layer.weights;
    for (uint32_t o = 0; o < layer.outputs; ++o)
      for (uint32_t i = 0; i < layer.inputs; ++i)
        weights[o * layer.inputs + i] = parameters_[layer.weights + i * layer.outputs + o];
    const std::string name = layer.name;
    DAF_RETURN_IF_ERROR(
        writer->Add(name + ".weight", DType::kF32, {layer.outputs, layer.inputs}, weights));
    DAF_RETURN_IF_ERROR(
        writer->Add(name + ".bias", DType::kF32, {layer.outputs}, scratch->data() + layer.biases));
  }
  return Status::Ok();
}

Status Background::Load(const SafetensorsFile& file) {
  std::array<float, kParameters> loaded;
  for (const Layer& layer : kLayers) {
    const std::string name = layer.name;
    std::vector<float> weights;
    DAF_RETURN_IF_ERROR(file.Floats(name + ".weight", {layer.outputs, layer.inputs}, &weights));
    for (uint32_t o = 0; o < layer.outputs; ++o)
      for (uint32_t i = 0; i < layer.inputs; ++i)
        loaded[layer.weights + i * layer.outputs + o] = weights[o * layer.inputs + i];
    DAF_RETURN_IF_ERROR(file.FloatsInto(name + ".bias", {layer.outputs},
                                        loaded.data() + layer.biases, layer.outputs));
  }
  parameters_ = loaded;
  return Status::Ok();
}

}  // namespace daf::nerf
