// The fixed topology of the embedded head's skin: a grid of rows (neck base to crown) and columns
// (round the head), whose cells around the eyes, the mouth and the ears are replaced by patches of
// concentric rings. One topology for every shape; left and right are mirror images by construction.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "native/head/model/sdf.h"

namespace daf::head {

constexpr uint32_t kNoVertex = 0xffffffffu;

// Rings of a patch from its rectangular border (ring 0, vertices of the grid) inward; `pole` closes
// the last one.
struct RingPatch {
  std::vector<std::vector<uint32_t>> rings;
  uint32_t pole = kNoVertex;
  // Ring 0 in the patch's own square: across −1…1 (towards the subject's left or outward), up −1…1.
  std::vector<std::array<double, 2>> border;
  size_t around() const { return rings[0].size(); }
};

struct SkinTemplate {
  static constexpr int kColumns =
      40;  // half the way round: −40…40, both ends are the midline at the back
  static constexpr int kRows = 80;  // row 80 is the crown, a single vertex
  static constexpr int kEyeRow0 = 50, kEyeRow1 = 60, kEyeColumn0 = 7, kEyeColumn1 = 20;
  static constexpr int kMouthRow0 = 24, kMouthRow1 = 34, kMouthColumn = 14;
  static constexpr int kEarRow0 = 20, kEarRow1 = 60, kEarColumn0 = 29, kEarColumn1 = 34;
  static constexpr int kEyeRings =
      9;  // inside the border: 4 of skin, 2 of the lid's margin, 3 of the socket
  static constexpr int kMouthRings =
      11;  // 2 of skin, vermilion border, 2 of lip, contact, 2 of inner lip, 3 of cavity
  static constexpr int kEarRings = 12;

  uint32_t count = 0;
  std::vector<uint32_t> mirror;
  std::vector<Vec3> start;  // where each vertex begins, near the surface
  std::vector<std::array<double, 2>>
      chart;  // place in the skin's chart, both 0…1; v = 0 at the crown
  std::vector<std::array<uint32_t, 4>>
      faces;  // counter-clockwise from outside; the fourth is kNoVertex in a triangle
  std::vector<std::vector<uint32_t>> neighbours;  // along edges of the faces
  RingPatch eye[2];                               // 0: subject's right, 1: left
  RingPatch ear[2];
  RingPatch mouth;  // ring index i mirrors (around − i) mod around; 0 is the top midline

  // Column −40 is column 40. kNoVertex inside a patch.
  uint32_t Grid(int row, int column) const;

 private:
  friend SkinTemplate MakeSkinTemplate();
  std::vector<uint32_t> grid_;
};

SkinTemplate MakeSkinTemplate();

}  // namespace daf::head
