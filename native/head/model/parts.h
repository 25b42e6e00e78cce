// Everything of the head that is not skin: eyeballs, teeth, tongue and the hair shell, as
// positions, faces and charts.
#pragma once

#include <string>
#include <vector>

#include "native/head/model/skin.h"

namespace daf::head {

// Vertices [first, first + count) of the whole list of positions.
struct PartMesh {
  std::string name;
  uint32_t first = 0;
  std::vector<Vec3> positions;
  std::vector<std::array<double, 2>> chart;  // place in the texture, 0…1
  std::vector<uint32_t>
      mirror;  // of this part, or of its twin for the eyes; offsets into `positions`
  std::vector<std::array<uint32_t, 4>> faces;  // offsets into `positions`
};

// Where each part lies in the texture: left, top, width, height.
constexpr double kSkinChart[4] = {0.0, 0.0, 1.0, 0.80};
constexpr double kEyeChart[2][4] = {{0.004, 0.812, 0.12, 0.12}, {0.130, 0.812, 0.12, 0.12}};
constexpr double kTeethChart[4] = {0.260, 0.812, 0.14, 0.18};
constexpr double kTongueChart[4] = {0.004, 0.944, 0.246, 0.050};
constexpr double kHairChart[4] = {0.410, 0.812, 0.586, 0.18};

// The eye chart is a disc: the distance from its middle is 0.5·(angle from the axis / π)^0.6.
double EyeChartRadius(double angle);
constexpr double kIrisAngle =
    0.50;  // radians from the axis to the iris' rim: 5.75 mm on a ball of 12 mm

PartMesh MakeEye(const HeadMeasures& m, int side);   // 0: the subject's right
PartMesh MakeTeeth(const HeadMeasures& m, int jaw);  // 0: upper, 1: lower

struct Tongue {
  PartMesh mesh;
  std::vector<Vec3> out;  // each vertex' way out of the mouth, past an open jaw's teeth and lip
};
Tongue MakeTongue(const HeadMeasures& m);

// The hair lies over part of the scalp: a copy of the skin's grid there.
struct HairShell {
  PartMesh mesh;
  std::vector<uint32_t> scalp;  // skin vertex under each hair vertex
  std::vector<double> inside;   // 0 at the hairline … 1 well within (1.7 cm)
  std::vector<double>
      thick;  // share of a cut's full height: grows for 5 cm from the hairline, less on the sides
  std::vector<double>
      low;  // 0 on top … 1 at the lower edge of sides and back: what long hair stretches
  std::vector<double> front;  // 1 near the hairline above the forehead … 0
};
HairShell MakeHair(const SkinTemplate& skin, const std::vector<Vec3>& positions,
                   const std::vector<Vec3>& normals);

}  // namespace daf::head
