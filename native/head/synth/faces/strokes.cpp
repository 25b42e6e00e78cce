#include "native/head/synth/faces/strokes.h"

#include <algorithm>
#include <cmath>

namespace daf::head {

Point See(const Sitter& s, float x, float y, float z) {
  const float at[3] = {x, y, z};
  float pixel[2] = {0, 0}, depth = 0;
  if (!s.camera.Project(at, pixel, &depth)) return {-1e6f, -1e6f, -1};
  return {pixel[0], pixel[1], depth};
}

void Stroke(const Point& a, const Point& b, float radius, Colour colour, float gleam,
            Canvas* canvas) {
  const float margin = radius + 1, w = static_cast<float>(canvas->width),
              h = static_cast<float>(canvas->height);
  if (std::max(a.x, b.x) < -margin || std::min(a.x, b.x) > w + margin ||
      std::max(a.y, b.y) < -margin || std::min(a.y, b.y) > h + margin)
    return;
  const float dx = b.x - a.x, dy = b.y - a.y,
              length = std::min(4000.0f, std::sqrt(dx * dx + dy * dy));
  const int steps = 1 + static_cast<int>(length / std::max(0.5f, 0.4f * radius));
  for (int i = 0; i <= steps; ++i) {
    const float t = static_cast<float>(i) / static_cast<float>(steps), x = a.x + t * dx,
                y = a.y + t * dy, depth = a.depth + t * (b.depth - a.depth);
    const int reach = static_cast<int>(std::ceil(radius));
    for (int v = -reach; v <= reach; ++v) {
      for (int u = -reach; u <= reach; ++u) {
        if (static_cast<float>(u * u + v * v) > radius * radius + 0.3f) continue;
        const int px = static_cast<int>(x) + u, py = static_cast<int>(y) + v;
        if (!canvas->Holds(px, py) || canvas->depth[canvas->At(px, py)] < depth - 0.4f) continue;
        const float up = gleam * static_cast<float>(-v) / std::max(1.0f, radius);
        canvas->light[canvas->At(px, py)] = Scale(colour, 1 + std::max(-0.6f, up));
      }
    }
  }
}

}  // namespace daf::head
