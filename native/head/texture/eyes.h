// Eyeballs come from the base albedo, whose pupils sit where the mesh's do; only the iris takes the
// person's colour.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "native/head/texture/atlas.h"
#include "native/head/texture/texture_projection.h"

namespace daf::head {

// How much a texel belongs to an iris, 0–1, by the angle between its place on the eyeball and
// straight ahead; 0 outside parts named "eye…".
std::vector<float> IrisWeights(const HeadModel& model, const Atlas& atlas);

// Factor (linear light) that turns the base albedo's iris into the person's, from the rings around
// the pupils of every photo large enough to show them; false when there is none.
bool EstimateIrisGain(const HeadModel& model, const Atlas& atlas, const std::vector<float>& iris,
                      const TextureView* views, int view_count,
                      const std::vector<std::array<float, 12>>& lights, const uint8_t* base,
                      float gain[3]);

}  // namespace daf::head
