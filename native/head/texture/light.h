// First-order spherical-harmonic light of one photo, from texels whose albedo is roughly known.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace daf::head {

struct LightSample {
  float albedo[3], photo[3];  // linear
  float normal[3];            // unit, head space
  float weight;
};

// Per channel: ambient, x, y, z, so that photo ≈ albedo × (ambient + xyz·normal). Robust to texels
// whose albedo is not the expected one (brows, beard, marks, shadows); the directional part is held
// small where the normals seen cannot tell it from the ambient one. All ambient 1 when there are
// too few samples.
std::array<float, 12> EstimateLight(const std::vector<LightSample>& samples);

}  // namespace daf::head
