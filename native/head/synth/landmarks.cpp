#include "native/head/synth/landmarks.h"

#include <algorithm>
#include <cmath>

namespace daf::head {

void PlaceLandmarks(const HeadModel& model, const std::vector<float>& positions,
                    const Camera& camera, const float* depth,
                    std::array<float, 2 * kLandmarks>* out, std::array<bool, kLandmarks>* seen,
                    std::array<float, 2 * kJawPoints>* jaw) {
  auto project = [&](uint32_t v, float pixel[2]) {
    float d = 0;
    if (!camera.Project(&positions[3 * size_t{v}], pixel, &d)) return false;
    const int x = static_cast<int>(std::floor(pixel[0])),
              y = static_cast<int>(std::floor(pixel[1]));
    if (x < 0 || y < 0 || x >= camera.width || y >= camera.height) return true;
    // A contour vertex may fall just outside what was drawn.
    float nearest = 1e9f;
    for (int dy = -2; dy <= 2; ++dy) {
      for (int dx = -2; dx <= 2; ++dx) {
        const int nx = std::clamp(x + dx, 0, camera.width - 1),
                  ny = std::clamp(y + dy, 0, camera.height - 1);
        const float there = depth[static_cast<size_t>(ny) * camera.width + nx];
        nearest = std::isfinite(there) ? std::min(nearest, std::max(0.0f, d - there)) : 0;
      }
    }
    return nearest < 0.5f;
  };
  for (size_t k = 0; k < kLandmarks; ++k) {
    float* pixel = &(*out)[2 * k];
    const bool shows = project(model.landmarks[k], pixel);
    if (seen != nullptr) (*seen)[k] = shows;
    if (jaw != nullptr && k < kJawPoints) {
      (*jaw)[2 * k] = pixel[0];
      (*jaw)[2 * k + 1] = pixel[1];
    }
    if (k >= kJawPoints || shows) continue;
    float best[2] = {pixel[0], pixel[1]};
    // The last candidate from the front that is still seen lies on the contour; where all hide, the
    // foremost is nearest.
    for (size_t i = 0; i < model.contour[k].size(); ++i) {
      float at[2] = {0, 0};
      if (!project(model.contour[k][i], at) && i > 0) break;
      best[0] = at[0];
      best[1] = at[1];
    }
    pixel[0] = best[0];
    pixel[1] = best[1];
  }
}

}  // namespace daf::head
