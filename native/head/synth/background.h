// What stands behind a synthetic person, out of focus; and what they wear.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/rng.h"
#include "native/head/synth/paint.h"

namespace daf::head {

class Background {
 public:
  explicit Background(Rng& rng);
  // x, y: 0…1 over the picture. Linear.
  Colour At(float x, float y) const;

 private:
  struct Blot {
    float x, y, w, h, soft;
    bool round;
    Colour colour;
  };
  Colour top_, bottom_;
  uint32_t grain_;
  float noise_;
  std::vector<Blot> blots_;
};

// Neck of a garment, shoulders and chest around the embedded head, head space; appended to both
// lists.
void AddGarment(std::vector<float>* positions, std::vector<uint32_t>* triangles);

}  // namespace daf::head
