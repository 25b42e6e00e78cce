// What is seen along a direction where the field lets light through: a small network of the
// direction alone, for scenes whose surroundings are far away (a sky, a studio's wall).
//
// Direction → sines and cosines of 4 frequencies (as in NeRF, Mildenhall et al. 2020) → 32 ReLU →
// 32 ReLU → sigmoid. It is asked once a ray, not once a sample, so that portable code is fast
// enough.
#pragma once

#include <array>
#include <cstdint>

#include "native/base/safetensors.h"
#include "native/base/status.h"

namespace daf::nerf {

class Background {
 public:
  static constexpr uint32_t kFrequencies = 4, kInputs = 3 + 6 * kFrequencies, kWidth = 32;
  // [inputs][outputs] weights of each layer, then its biases.
  static constexpr uint32_t kLayer1 = 0, kBias1 = kLayer1 + kInputs * kWidth,
                            kLayer2 = kBias1 + kWidth, kBias2 = kLayer2 + kWidth * kWidth,
                            kLayer3 = kBias2 + kWidth, kBias3 = kLayer3 + kWidth * 3,
                            kParameters = kBias3 + 3;

  // Grey everywhere, about to learn.
  explicit Background(uint64_t seed);
  // This colour everywhere, whose channels are kept within 0.02–0.98: a sigmoid takes long to come
  // back from its ends.
  void Begin(const float color[3]);

  float* parameters() { return parameters_.data(); }
  const float* parameters() const { return parameters_.data(); }

  // sRGB in (0, 1) along a unit direction.
  void Color(const float direction[3], float color[3]) const;
  // Adds dL/dparameters to gradients[kParameters], given dL/dcolour.
  void Backward(const float direction[3], const float d_color[3], float* gradients) const;

  // Tensors `background.1.weight` [32][27], `background.1.bias` [32], … of a field's checkpoint.
  // The writer borrows `scratch`. Load's errors: kBadData naming the tensor; nothing is changed
  // then.
  Status Save(std::array<float, kParameters>* scratch, SafetensorsWriter* writer) const;
  Status Load(const SafetensorsFile& file);
  static bool In(const SafetensorsFile& file);

 private:
  struct Activations {
    float input[kInputs], first[kWidth], second[kWidth], color[3];
  };
  void Forward(const float direction[3], Activations* out) const;

  std::array<float, kParameters> parameters_{};
};

}  // namespace daf::nerf
