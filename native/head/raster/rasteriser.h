// Which triangle each pixel sees, where on it, and how far away: a z-buffer over one mesh and one
// camera.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/camera.h"

namespace daf::head {

constexpr uint32_t kNoTriangle = 0xffffffffu;

// A borrowed triangle mesh. Render vertices index positions through `source`; without it they are
// the positions.
struct MeshView {
  const float* positions = nullptr;  // [position_count][3] cm, head space
  size_t position_count = 0;
  const uint32_t* source = nullptr;  // [render_count], or null for the identity
  size_t render_count = 0;
  const float* uv = nullptr;  // [render_count][2], (0,0) = top left of the image; may be null
  const uint32_t* triangles =
      nullptr;  // [triangle_count][3] render vertices, counter-clockwise from outside
  size_t triangle_count = 0;

  uint32_t Position(uint32_t render) const { return source == nullptr ? render : source[render]; }
  // Sizes and indices agree. Errors: kBadArgument.
  Status Validate() const;
};

// What a rasterisation writes: width × height pixels, row by row from the top. Any array may be
// null but `depth`.
struct PixelBuffers {
  uint32_t* triangle = nullptr;  // index of the nearest triangle, kNoTriangle where there is none
  float* barycentric =
      nullptr;  // [2] perspective-correct weights of the triangle's second and third vertex
  float* depth = nullptr;  // cm along the viewing direction, +infinity where there is none
};

struct RasterOptions {
  bool cull_back = false;  // leave out triangles that turn their back to the camera
  int first_row = 0;       // rows [first_row, last_row) of the image; the buffers hold only these
  int last_row = -1;       // −1: the camera's height
  bool clear = true;       // false: draw on top of what the buffers hold (nearer wins)
  uint32_t first_triangle = 0;            // triangles [first, first + count)
  uint32_t triangle_count = kNoTriangle;  // kNoTriangle: all from first on
};

// Positions in camera pixels, to share between passes: [position_count][3] x, y, depth (depth ≤ 0:
// behind).
void ProjectPositions(const Camera& camera, const MeshView& mesh, float* projected);

// Pixel centres are at +0.5; a pixel on an edge that two triangles share belongs to exactly one of
// them (top-left rule on a 1/256 pixel grid). Triangles with a vertex nearer than 1 mm or farther
// than 10⁶ pixels off are left out. `projected` comes from ProjectPositions with the same camera.
void Rasterise(const Camera& camera, const MeshView& mesh, const float* projected,
               const RasterOptions& options, const PixelBuffers& out);

// Which pixels see a triangle at all: covered[rows][width] is 1 there and, where `options` clear, 0
// elsewhere. The pixels are those of Rasterise.
void Cover(const Camera& camera, const MeshView& mesh, const float* projected,
           const RasterOptions& options, uint8_t* covered);

// Area-weighted unit normals of the positions, [position_count][3].
void VertexNormals(const MeshView& mesh, float* normals);

}  // namespace daf::head
