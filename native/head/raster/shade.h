// Pictures of a mesh: clay, normals, vertex colours or a texture, with supersampled edges.
#pragma once

#include <cstdint>

#include "native/head/raster/rasteriser.h"
#include "native/head/raster/texture.h"

namespace daf::head {

enum class Shading {
  kClay,          // grey under three soft lights fixed to the camera
  kNormal,        // camera-space normal as colour: 0.5 + 0.5·n
  kVertexColour,  // MeshView's positions coloured by Picture::colours, unlit
  kTexture,       // Picture::texture as it is, unlit
  kLitTexture,    // Picture::texture under clay's lights
};

struct PictureStyle {
  Shading shading = Shading::kClay;
  int supersample = 2;                   // 1…4: samples a pixel along each side
  bool cull_back = true;                 // leave out triangles that show their back
  uint8_t background[4] = {0, 0, 0, 0};  // straight alpha
};

// What a mesh looks like besides its shape. Null where the shading does not ask for it.
struct MeshLook {
  const float* normals = nullptr;       // [position_count][3]; null: computed
  const uint8_t* colours = nullptr;     // [position_count][4] sRGB
  const MipTexture* texture = nullptr;  // needs MeshView::uv
};

// rgba: [height][width][4] straight alpha; depth: [height][width] cm along the viewing direction at
// pixel centres (supersample 1) or the nearest sample of the pixel, +infinity outside; may be null.
// Errors: kBadArgument (mesh, style or a missing look), kMemory, kCancelled.
Status RenderPicture(const Camera& camera, const MeshView& mesh, const MeshLook& look,
                     const PictureStyle& style, const TaskControl& control, uint8_t* rgba,
                     float* depth);

// Share of each pixel that the mesh covers, 0…255, by 4×4 samples. mask: [height][width].
Status RenderMask(const Camera& camera, const MeshView& mesh, const TaskControl& control,
                  uint8_t* mask);

// Texels of a texture's level 0 that one sample of a triangle steps over, by the ratio of the
// areas. `projected` as for Rasterise.
float TexelsPerSample(const MeshView& mesh, const float* projected, const MipTexture& texture,
                      uint32_t triangle);

// The same view with `factor` times the samples along each side.
Camera Finer(const Camera& camera, int factor);

// sRGB transfer, value in 0…1.
float SrgbToLinear(float value);
float LinearToSrgb(float value);

}  // namespace daf::head
