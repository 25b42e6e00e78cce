// The embedded head while it is being built: skin and parts in one list of positions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "native/head/head_model.h"
#include "native/head/model/parts.h"
#include "native/head/model/skin.h"

namespace daf::head {

struct HeadBuild {
  HeadBuild();

  HeadMeasures mean;
  SkinTemplate skin;
  SkinWrap wrap;
  std::vector<Vec3> normals;  // of the skin
  PartMesh eyes[2];           // 0: the subject's right
  PartMesh teeth[2];          // 0: upper
  Tongue tongue;
  HairShell hair;
  std::vector<Vec3> positions;  // skin, eyes, teeth, tongue, hair
  std::vector<uint32_t> mirror;
  uint32_t first_eye[2] = {0, 0}, first_teeth[2] = {0, 0}, first_tongue = 0, first_hair = 0;
  std::array<uint32_t, kLandmarks> landmarks{};
  std::array<std::vector<uint32_t>, 17> contour;

  // How far each hair vertex stands off the scalp in the mean: a short cut.
  double HairHeight(size_t hair_vertex) const { return 0.04 + 0.85 * hair.thick[hair_vertex]; }
  // Copies the left side's movement to the right; the midline stays on it.
  void MirrorMotion(std::vector<Vec3>* delta) const;

 private:
  void PlaceLandmarks();
};

struct Mode {
  std::string name;
  std::vector<Vec3> delta;  // one a position
};

// ≈ 60 shape modes; a coefficient of 1 is about one standard deviation among adults.
std::vector<Mode> IdentityModes(const HeadBuild& build);
// ARKit's 52 blend shapes, weight 1 being the extreme.
std::vector<Mode> ExpressionModes(const HeadBuild& build);

// Everything together, with charts and seams.
HeadModel AssembleHead(const HeadBuild& build);

}  // namespace daf::head
