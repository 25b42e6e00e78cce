#include "native/head/raster/rasteriser.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace daf::head {
namespace {

constexpr int kSubpixelBits = 8;
constexpr int64_t kSubpixel = 1 << kSubpixelBits;
constexpr float kNear = 0.1f;
constexpr float kFarthestPixel = 1e6f;

struct Edge {
  int64_t dx, dy, value;  // value at the first pixel centre, already biased by the fill rule
};

// Twice the signed area left of a→b at p; positive inside for counter-clockwise order in a y-down
// image's mirror.
Edge MakeEdge(const int64_t a[2], const int64_t b[2], int64_t px, int64_t py) {
  Edge e;
  e.dx = b[0] - a[0];
  e.dy = b[1] - a[1];
  e.value = e.dx * (py - a[1]) - e.dy * (px - a[0]);
  // Top-left rule: an edge that is horizontal and above, or goes up on the left, owns its pixels.
  const bool top_left = (e.dy == 0 && e.dx > 0) || e.dy < 0;
  if (!top_left) e.value -= 1;
  return e;
}

}  // namespace

Status MeshView::Validate() const {
  if (position_count == 0 || triangle_count == 0)
    return Status(Code::kBadArgument, "the mesh is empty");
  if (source == nullptr && render_count != position_count) {
    return Status(Code::kBadArgument,
                  "a mesh without source must have as many render vertices as positions");
  }
  for (size_t i = 0; source != nullptr && i < render_count; ++i) {
    if (source[i] >= position_count)
      return Status(Code::kBadArgument, "source[" + std::to_string(i) + "] is out of range");
  }
  for (size_t i = 0; i < triangle_count * 3; ++i) {
    if (triangles[i] >= render_count) {
      return Status(Code::kBadArgument, "triangles[" + std::to_string(i) + "] is out of range");
    }
  }
  return Status::Ok();
}

void ProjectPositions(const Camera& camera, const MeshView& mesh, float* projected) {
  for (size_t i = 0; i < mesh.position_count; ++i) {
    float depth = 0;
    float pixel[2] = {0, 0};
    if (!camera.Project(mesh.positions + 3 * i, pixel, &depth)) depth = -1;
    projected[3 * i] = pixel[0];
    projected[3 * i + 1] = pixel[1];
    projected[3 * i + 2] = depth;
  }
}

void Rasterise(const Camera& camera, const MeshView& mesh, const float* projected,
               const RasterOptions& options, const PixelBuffers& out) {
  const int first_row = std::max(0, options.first_row);
  const int last_row =
      options.last_row < 0 ? camera.height : std::min(options.last_row, camera.height);
  const int width = camera.width;
  if (last_row <= first_row || width <= 0) return;
  const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(last_row - first_row);
  if (options.clear) {
    std::fill(out.depth, out.depth + pixels, std::numeric_limits<float>::infinity());
    if (out.triangle != nullptr) std::fill(out.triangle, out.triangle + pixels, kNoTriangle);
    if (out.barycentric != nullptr) std::fill(out.barycentric, out.barycentric + 2 * pixels, 0.0f);
  }
  const size_t end = std::min<size_t>(mesh.triangle_count,
                                      size_t{options.first_triangle} + options.triangle_count);
  for (size_t t = options.first_triangle; t < end; ++t) {
    const float* v[3];
    bool usable = true;
    for (int k = 0; k < 3; ++k) {
      v[k] = projected + 3 * size_t{mesh.Position(mesh.triangles[3 * t + k])};
      usable = usable && v[k][2] >= kNear && std::abs(v[k][0]) < kFarthestPixel &&
               std::abs(v[k][1]) < kFarthestPixel;
    }
    if (!usable) continue;
    int64_t p[3][2];
    for (int k = 0; k < 3; ++k) {
      p[k][0] = std::llround(double{v[k][0]} * kSubpixel);
      p[k][1] = std::llround(double{v[k][1]} * kSubpixel);
    }
    // Seen from its front, a counter-clockwise triangle runs clockwise in x-right, y-down pixels:
    // positive here.
    int order[3] = {0, 2, 1};
    int64_t area =
        (p[2][0] - p[0][0]) * (p[1][1] - p[0][1]) - (p[2][1] - p[0][1]) * (p[1][0] - p[0][0]);
    if (area == 0) continue;
    if (area < 0) {
      if (options.cull_back) continue;
      std::swap(order[1], order[2]);
      area = -area;
    }
    const int64_t min_x = std::min({p[0][0], p[1][0], p[2][0]}),
                  max_x = std::max({p[0][0], p[1][0], p[2][0]});
    const int64_t min_y = std::min({p[0][1], p[1][1], p[2][1]}),
                  max_y = std::max({p[0][1], p[1][1], p[2][1]});
    const int x0 = static_cast<int>(std::max<int64_t>(0, (min_x - kSubpixel / 2) >> kSubpixelBits));
    const int x1 =
        static_cast<int>(std::min<int64_t>(width - 1, (max_x + kSubpixel / 2) >> kSubpixelBits));
    const int y0 =
        static_cast<int>(std::max<int64_t>(first_row, (min_y - kSubpixel / 2) >> kSubpixelBits));
    const int y1 =
        static_cast<int>(std::min<int64_t>(last_row - 1, (max_y + kSubpixel / 2) >> kSubpixelBits));
    if (x0 > x1 || y0 > y1) continue;

    const int64_t px = x0 * kSubpixel + kSubpixel / 2, py = y0 * kSubpixel + kSubpixel / 2;
    Edge e[3];  // e[k] is opposite to order[k]
    for (int k = 0; k < 3; ++k)
      e[k] = MakeEdge(p[order[(k + 1) % 3]], p[order[(k + 2) % 3]], px, py);
    const float inverse_area = 1.0f / static_cast<float>(area);
    float inverse_depth[3];
    for (int k = 0; k < 3; ++k) inverse_depth[k] = 1.0f / v[k][2];

    for (int y = y0; y <= y1; ++y) {
      const int64_t rows = y - y0;
      int64_t w[3];
      for (int k = 0; k < 3; ++k) w[k] = e[k].value + e[k].dx * kSubpixel * rows;
      float* depth_row = out.depth + static_cast<size_t>(y - first_row) * width;
      for (int x = x0; x <= x1; ++x) {
        if ((w[0] | w[1] | w[2]) >= 0) {
          float b[3];
          for (int k = 0; k < 3; ++k) {
            b[order[k]] = static_cast<float>(w[k]) * inverse_area * inverse_depth[order[k]];
          }
          const float depth = 1.0f / (b[0] + b[1] + b[2]);
          if (depth < depth_row[x]) {
            depth_row[x] = depth;
            const size_t at = static_cast<size_t>(y - first_row) * width + static_cast<size_t>(x);
            if (out.triangle != nullptr) out.triangle[at] = static_cast<uint32_t>(t);
            if (out.barycentric != nullptr) {
              out.barycentric[2 * at] = b[1] * depth;
              out.barycentric[2 * at + 1] = b[2] * depth;
            }
          }
        }
        for (int k = 0; k < 3; ++k) w[k] -= e[k].dy * kSubpixel;
      }
    }
  }
}

void VertexNormals(const MeshView& mesh, float* normals) {
  std::fill(normals, normals + 3 * mesh.position_count, 0.0f);
  for (size_t t = 0; t < mesh.triangle_count; ++t) {
    uint32_t index[3];
    const float* p[3];
    for (int k = 0; k < 3; ++k) {
      index[k] = mesh.Position(mesh.triangles[3 * t + k]);
      p[k] = mesh.positions + 3 * size_t{index[k]};
    }
    float a[3], b[3];
    for (int k = 0; k < 3; ++k) {
      a[k] = p[1][k] - p[0][k];
      b[k] = p[2][k] - p[0][k];
    }
    const float n[3] = {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2],
                        a[0] * b[1] - a[1] * b[0]};
    for (uint32_t i : index) {
      for (int k = 0; k < 3; ++k) normals[3 * size_t{i} + k] += n[k];
    }
  }
  for (size_t i = 0; i < mesh.position_count; ++i) {
    float* n = normals + 3 * i;
    const float length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    if (length > 0) {
      for (int k = 0; k < 3; ++k) n[k] /= length;
    } else {
      n[2] = 1;
    }
  }
}

}  // namespace daf::head
