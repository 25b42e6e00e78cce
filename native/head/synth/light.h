// Light for synthetic photos: a sky that the head itself occludes, and one key light with a soft
// shadow.
#pragma once

#include <vector>

#include "native/base/control.h"
#include "native/base/rng.h"
#include "native/head/raster/rasteriser.h"
#include "native/head/synth/paint.h"

namespace daf::head {

struct LightRig {
  float key[3];  // towards the light, camera space, unit
  Colour key_colour;
  Colour up, down, left;  // sky radiance: towards +y, −y, and what −x adds over +x
  float softness;         // cm over which the key's shadow fades

  // Radiance from a camera-space direction.
  Colour Sky(const float direction[3]) const;
};

LightRig DrawRig(Rng& rng);

// Seen from the key: is a point lit? One depth map, filtered over `softness`.
class ShadowMap {
 public:
  // direction: towards the light, head space.
  Status Build(const MeshView& mesh, const float direction[3], int size, float bias);
  // 0 in shadow … 1 lit; `spread` in texels of the map.
  float Lit(const float point[3], float spread) const;
  float TexelsPerCm() const { return camera_.focal / kFar; }

 private:
  static constexpr float kFar = 500;
  Camera camera_;
  float bias_ = 0.2f;
  std::vector<float> depth_;
};

// Irradiance / π from the sky at every position, self-occlusion included: [position_count] colours.
Status SkyLight(const MeshView& mesh, const float* normals, const LightRig& rig,
                const float rotation[9], const TaskControl& control, std::vector<Colour>* out);

}  // namespace daf::head
