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
// Triangles wider than this find where each row enters and leaves them; in narrower ones asking
// every pixel costs less.
constexpr int kNarrow = 6;

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

// As llround, in line: halves away from zero.
int64_t Rounded(double value) { return static_cast<int64_t>(value + (value < 0 ? -0.5 : 0.5)); }

// A triangle on the pixel grid: the pixels that may see it and its edges there.
struct Placed {
  int x0, x1, y0, y1;  // inclusive
  int order[3];        // e[k] is opposite to order[k]
  Edge e[3];
  float inverse_area, inverse_depth[3];
};

// False for a triangle that no pixel of the rows [first_row, last_row) sees.
bool Place(const float* const v[3], int width, int first_row, int last_row, bool cull_back,
           Placed* out) {
  const auto [low, high] = std::minmax({v[0][1], v[1][1], v[2][1]});
  if (high < static_cast<float>(first_row) - 1 || low > static_cast<float>(last_row) + 1)
    return false;
  int64_t p[3][2];
  for (int k = 0; k < 3; ++k) {
    if (!(v[k][2] >= kNear) || !(std::abs(v[k][0]) < kFarthestPixel) ||
        !(std::abs(v[k][1]) < kFarthestPixel))
      return false;
    p[k][0] = Rounded(double{v[k][0]} * kSubpixel);
    p[k][1] = Rounded(double{v[k][1]} * kSubpixel);
  }
  // The first and last pixel centres within the triangle's bounds; the smallest triangles have
  // none.
  const int64_t half = kSubpixel / 2, min_x = std::min({p[0][0], p[1][0], p[2][0]}),
                max_x = std::max({p[0][0], p[1][0], p[2][0]}),
                min_y = std::min({p[0][1], p[1][1], p[2][1]}),
                max_y = std::max({p[0][1], p[1][1], p[2][1]});
  out->x0 = static_cast<int>(std::max<int64_t>(0, (min_x + half - 1) >> kSubpixelBits));
  out->x1 = static_cast<int>(std::min<int64_t>(width - 1, (max_x - half) >> kSubpixelBits));
  out->y0 = static_cast<int>(std::max<int64_t>(first_row, (min_y + half - 1) >> kSubpixelBits));
  out->y1 = static_cast<int>(std::min<int64_t>(last_row - 1, (max_y - half) >> kSubpixelBits));
  if (out->x0 > out->x1 || out->y0 > out->y1) return false;
  // Seen from its front, a counter-clockwise triangle runs clockwise in x-right, y-down pixels:
  // positive here.
  int64_t area =
      (p[2][0] - p[0][0]) * (p[1][1] - p[0][1]) - (p[2][1] - p[0][1]) * (p[1][0] - p[0][0]);
  if (area == 0 || (area < 0 && cull_back)) return false;
  const bool back = area < 0;
  if (back) area = -area;
  out->order[0] = 0;
  out->order[1] = back ? 1 : 2;
  out->order[2] = back ? 2 : 1;
  const int64_t px = out->x0 * kSubpixel + half, py = out->y0 * kSubpixel + half;
  for (int k = 0; k < 3; ++k)
    out->e[k] = MakeEdge(p[out->order[(k + 1) % 3]], p[out->order[(k + 2) % 3]], px, py);
  out->inverse_area = 1.0f / static_cast<float>(area);
  for (int k = 0; k < 3; ++k) out->inverse_depth[k] = 1.0f / v[k][2];
  return true;
}

// Of the pixels x0 + first … x0 + last of a row, those on the inner side of an edge whose value is
// w at x0 and falls by `fall` from pixel to pixel.
void ClipRow(int64_t w, int64_t fall, int* first, int* last) {
  if (fall == 0) {
    if (w < 0) *last = -1;
  } else if (fall > 0) {
    if (w < 0) {
      *last = -1;
    } else if (w - fall * *last < 0) {
      // The quotient of doubles is off by one at most.
      int64_t n = static_cast<int64_t>(static_cast<double>(w) / static_cast<double>(fall));
      while (w - fall * n < 0) --n;
      while (w - fall * (n + 1) >= 0) ++n;
      *last = static_cast<int>(n);
    }
  } else if (w < 0) {
    if (w - fall * *last < 0) {
      *last = -1;
    } else {
      int64_t n = static_cast<int64_t>(static_cast<double>(w) / static_cast<double>(fall));
      while (w - fall * n < 0) ++n;
      while (n > 0 && w - fall * (n - 1) >= 0) --n;
      *first = std::max(*first, static_cast<int>(n));
    }
  }
}

// Calls run(y, first, last, w) for runs of pixels of each row that are inside; w are the edges'
// values at `first`.
template <typename Run>
inline void ForEachRun(const Placed& t, const Run& run) {
  const bool narrow = t.x1 - t.x0 < kNarrow;
  const int64_t fall[3] = {t.e[0].dy * kSubpixel, t.e[1].dy * kSubpixel, t.e[2].dy * kSubpixel};
  int64_t start[3] = {t.e[0].value, t.e[1].value, t.e[2].value};
  for (int y = t.y0; y <= t.y1; ++y) {
    int first = 0, last = t.x1 - t.x0;
    int64_t w[3] = {start[0], start[1], start[2]};
    for (int k = 0; k < 3; ++k) start[k] += t.e[k].dx * kSubpixel;
    if (narrow) {
      while (first <= last && (w[0] | w[1] | w[2]) < 0) {
        ++first;
        for (int k = 0; k < 3; ++k) w[k] -= fall[k];
      }
      if (first > last) continue;
      // A triangle is convex: what is inside hangs together.
      int64_t ahead[3] = {w[0] - fall[0], w[1] - fall[1], w[2] - fall[2]};
      int end = first;
      while (end < last && (ahead[0] | ahead[1] | ahead[2]) >= 0) {
        ++end;
        for (int k = 0; k < 3; ++k) ahead[k] -= fall[k];
      }
      last = end;
    } else {
      for (int k = 0; k < 3 && first <= last; ++k) ClipRow(w[k], fall[k], &first, &last);
      if (first > last) continue;
      for (int k = 0; k < 3; ++k) w[k] -= fall[k] * first;
    }
    run(y, t.x0 + first, t.x0 + last, w, fall);
  }
}

// Calls draw(triangle, placed) for the triangles that some pixel may see.
template <typename Draw>
inline void ForEachTriangle(const Camera& camera, const MeshView& mesh, const float* projected,
                            const RasterOptions& options, int first_row, int last_row,
                            const Draw& draw) {
  const size_t end = std::min<size_t>(mesh.triangle_count,
                                      size_t{options.first_triangle} + options.triangle_count);
  Placed placed;
  for (size_t t = options.first_triangle; t < end; ++t) {
    const float* v[3];
    for (int k = 0; k < 3; ++k)
      v[k] = projected + 3 * size_t{mesh.Position(mesh.triangles[3 * t + k])};
    if (Place(v, camera.width, first_row, last_row, options.cull_back, &placed)) draw(t, placed);
  }
}

int LastRow(const Camera& camera, const RasterOptions& options) {
  return options.last_row < 0 ? camera.height : std::min(options.last_row, camera.height);
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
  const int first_row = std::max(0, options.first_row), last_row = LastRow(camera, options);
  const int width = camera.width;
  if (last_row <= first_row || width <= 0) return;
  const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(last_row - first_row);
  if (options.clear) {
    std::fill(out.depth, out.depth + pixels, std::numeric_limits<float>::infinity());
    if (out.triangle != nullptr) std::fill(out.triangle, out.triangle + pixels, kNoTriangle);
    if (out.barycentric != nullptr) std::fill(out.barycentric, out.barycentric + 2 * pixels, 0.0f);
  }
  const auto draw = [&](size_t t, const Placed& placed) {
    ForEachRun(placed, [&](int y, int first, int last, int64_t w[3], const int64_t fall[3]) {
      const size_t row = static_cast<size_t>(y - first_row) * width;
      for (int x = first; x <= last; ++x) {
        float b[3];
        for (int k = 0; k < 3; ++k) {
          const int corner = placed.order[k];
          b[corner] = static_cast<float>(w[k]) * placed.inverse_area * placed.inverse_depth[corner];
          w[k] -= fall[k];
        }
        const float depth = 1.0f / (b[0] + b[1] + b[2]);
        const size_t at = row + static_cast<size_t>(x);
        if (!(depth < out.depth[at])) continue;
        out.depth[at] = depth;
        if (out.triangle != nullptr) out.triangle[at] = static_cast<uint32_t>(t);
        if (out.barycentric != nullptr) {
          out.barycentric[2 * at] = b[1] * depth;
          out.barycentric[2 * at + 1] = b[2] * depth;
        }
      }
    });
  };
  ForEachTriangle(camera, mesh, projected, options, first_row, last_row, draw);
}

void Cover(const Camera& camera, const MeshView& mesh, const float* projected,
           const RasterOptions& options, uint8_t* covered) {
  const int first_row = std::max(0, options.first_row), last_row = LastRow(camera, options);
  const size_t width = static_cast<size_t>(std::max(0, camera.width));
  if (last_row <= first_row || width == 0) return;
  if (options.clear) std::fill_n(covered, width * static_cast<size_t>(last_row - first_row), 0);
  const auto draw = [&](size_t, const Placed& placed) {
    ForEachRun(placed, [&](int y, int first, int last, const int64_t*, const int64_t*) {
      std::fill(covered + static_cast<size_t>(y - first_row) * width + first,
                covered + static_cast<size_t>(y - first_row) * width + last + 1, uint8_t{1});
    });
  };
  ForEachTriangle(camera, mesh, projected, options, first_row, last_row, draw);
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
