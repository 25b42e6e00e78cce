#include "native/nerf/views.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace daf::nerf {
namespace {

uint8_t Byte(float v) {
  return static_cast<uint8_t>(std::lround(std::min(std::max(v, 0.0f), 1.0f) * 255));
}

}  // namespace

Status CheckCamera(const Camera& c) {
  const auto bad = [](const char* what) {
    return Status(Code::kBadArgument, std::string("training view: ") + what);
  };
  if (c.width == 0 || c.height == 0 || c.width > 16384 || c.height > 16384)
    return bad("a side must be 1–16384 pixels");
  for (const float v : c.rotation) {
    if (!std::isfinite(v)) return bad("the camera's rotation is not finite");
  }
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      float dot = 0;
      for (int k = 0; k < 3; ++k) dot += c.rotation[a * 3 + k] * c.rotation[b * 3 + k];
      if (std::fabs(dot - (a == b ? 1.0f : 0.0f)) > 1e-2f)
        return bad("the camera's rotation is not orthonormal");
    }
    if (!std::isfinite(c.translation[a])) return bad("the camera's translation is not finite");
  }
  for (int a = 0; a < 2; ++a) {
    if (!(c.focal[a] > 0) || !std::isfinite(c.focal[a]) || !std::isfinite(c.center[a]))
      return bad("focal length and centre must be finite, focal above 0");
  }
  return Status::Ok();
}

Status ViewSet::Add(const ViewInput& in) {
  DAF_RETURN_IF_ERROR(CheckCamera(in.camera));
  if (in.rgb8 == nullptr && in.rgb == nullptr)
    return Status(Code::kBadArgument, "training view: no colour");
  if (in.supervised && in.depth == nullptr)
    return Status(Code::kBadArgument, "training view: a supervised view needs depth");
  if (in.supervised && !in.camera.lens.pinhole())
    return Status(Code::kBadArgument, "training view: a supervised view is a pinhole's");
  const size_t pixels = size_t{in.camera.width} * in.camera.height;
  uint8_t* rgba = nullptr;
  DAF_RETURN_IF_ERROR(arena_.Allocate(pixels * 4, &rgba));
  for (size_t i = 0; i < pixels; ++i) {
    for (size_t c = 0; c < 3; ++c)
      rgba[i * 4 + c] = in.rgb8 != nullptr ? in.rgb8[i * 3 + c] : Byte(in.rgb[i * 3 + c]);
    rgba[i * 4 + 3] = in.alpha8 != nullptr  ? in.alpha8[i]
                      : in.alpha != nullptr ? Byte(in.alpha[i])
                                            : 255;
  }
  float* depth = nullptr;
  if (in.depth != nullptr) {
    DAF_RETURN_IF_ERROR(arena_.Allocate(pixels, &depth));
    for (size_t i = 0; i < pixels; ++i)
      depth[i] = in.depth[i] > 0 && std::isfinite(in.depth[i]) ? in.depth[i] : 0.0f;
  }
  (in.supervised ? supervised_ : photos_).push_back({in.supervised, in.camera, rgba, depth});
  return Status::Ok();
}

Status ViewSet::Carve(const Box& box, float margin, Occupancy* grid,
                      const TaskControl& control) const {
  const uint32_t r = grid->resolution();
  float size[3], radius = 0;
  for (int a = 0; a < 3; ++a) {
    size[a] = box.side(a) / static_cast<float>(r);
    radius += size[a] * size[a] / 4;
  }
  radius = std::sqrt(radius) + margin;  // of the ball around a cell that must be seen to be empty
  for (uint32_t z = 0; z < r; ++z) {
    DAF_RETURN_IF_ERROR(control.Check());
    for (uint32_t y = 0; y < r; ++y) {
      for (uint32_t x = 0; x < r; ++x) {
        const float p[3] = {box.min[0] + (static_cast<float>(x) + 0.5f) * size[0],
                            box.min[1] + (static_cast<float>(y) + 0.5f) * size[1],
                            box.min[2] + (static_cast<float>(z) + 0.5f) * size[2]};
        for (const View& view : supervised_) {
          const Camera& c = view.camera;
          float q[3];
          for (int a = 0; a < 3; ++a)
            q[a] = c.rotation[a * 3] * p[0] + c.rotation[a * 3 + 1] * p[1] +
                   c.rotation[a * 3 + 2] * p[2] + c.translation[a];
          const float distance = -q[2];
          if (!(distance > radius)) continue;
          const float u = c.center[0] + c.focal[0] * q[0] / distance,
                      v = c.center[1] - c.focal[1] * q[1] / distance;
          const float ru = c.focal[0] * radius / (distance - radius),
                      rv = c.focal[1] * radius / (distance - radius);
          const int u0 = static_cast<int>(std::floor(u - ru)),
                    u1 = static_cast<int>(std::ceil(u + ru));
          const int v0 = static_cast<int>(std::floor(v - rv)),
                    v1 = static_cast<int>(std::ceil(v + rv));
          if (u0 < 0 || v0 < 0 || u1 >= static_cast<int>(c.width) ||
              v1 >= static_cast<int>(c.height))
            continue;  // not wholly in view
          // A coarse lattice over the footprint is enough: the margin is wider than what slips
          // between its points.
          const int su = std::max(1, (u1 - u0) / 4), sv = std::max(1, (v1 - v0) / 4);
          bool empty = true;
          for (int j = v0; empty && j <= v1; j += sv) {
            for (int i = u0; empty && i <= u1; i += su) {
              const size_t at = static_cast<size_t>(j) * c.width + static_cast<size_t>(i);
              empty = view.rgba[at * 4 + 3] == 0 ||
                      (view.depth[at] > 0 && view.depth[at] > distance + radius);
            }
          }
          if (!empty) continue;
          grid->Forbid(x, y, z);
          break;
        }
      }
    }
  }
  grid->ResetToAllowed();
  return Status::Ok();
}

}  // namespace daf::nerf
