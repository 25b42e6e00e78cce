// A head model's mesh with a garment behind it, ready to be drawn: what synthetic photos and
// training pictures share.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/arena.h"
#include "native/head/camera.h"
#include "native/head/head_model.h"
#include "native/head/raster/rasteriser.h"

namespace daf::head {

enum class Surface : uint8_t { kSkin, kMouth, kEye, kTooth, kHair, kCloth };

struct DressedMesh {
  std::vector<uint32_t> source, triangles;  // the model's, then the garment's
  std::vector<float> uv;
  std::vector<Surface> surface;  // [triangles]
  uint32_t first_hair = 0, hair_count = 0, first_cloth = 0;

  // Appends the garment's vertices to positions, which hold the model's. Parts are known by the
  // embedded head's names.
  static DressedMesh Make(const HeadModel& model, std::vector<float>* positions);

  // Of positions as long as those that Make left.
  MeshView View(const std::vector<float>& positions) const;
};

// What shows of a dressed mesh on samples of a picture: the solid surface and, before it, the hair.
struct Layers {
  float *solid_b, *solid_depth, *hair_b, *hair_depth;  // barycentrics [samples][2], depths
  uint32_t *solid, *hair;                              // triangles

  Status Allocate(Arena* arena, size_t samples);
  // Rows as in RasterOptions; the head alone, which others may look at, then the rest.
  void DrawHead(const Camera& camera, const MeshView& mesh, const float* projected,
                const DressedMesh& dressed, RasterOptions rows) const;
  void DrawRest(const Camera& camera, const MeshView& mesh, const float* projected,
                const DressedMesh& dressed, bool bald, RasterOptions rows) const;
};

}  // namespace daf::head
