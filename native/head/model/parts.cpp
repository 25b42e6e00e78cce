#include "native/head/model/parts.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace daf::head {
namespace {

using T = SkinTemplate;
constexpr double kPi = 3.14159265358979323846;

constexpr double kHairRows = 1.17;  // rows of the whole grid to rows down to the nape

std::array<double, 2> InChart(const double (&chart)[4], double u, double v) {
  return {chart[0] + chart[2] * u, chart[1] + chart[3] * v};
}

// First grid row of the hair at a column: forehead, temple and the sideburn down to the ear's
// canal, above the ear (its patch has rows of its own), behind it to the nape.
int HairRow(int column) {
  const int c = std::abs(column);
  constexpr int temple[] = {69, 68, 67, 66, 66, 65, 64,
                            63, 61, 59, 56, 52, 48, 46};  // columns 15 to 28
  constexpr int brow[] = {70, 70, 70, 70, 70, 70, 70, 70,
                          70, 70, 70, 71, 71, 71, 70};  // to column 14: the corner
  if (c <= 14) return brow[c];
  if (c <= 28) return temple[c - 15];
  if (c == T::kEarColumn0) return 46;
  if (c < T::kEarColumn1) return T::kEarRow1;
  // Behind the ear it falls to the nape, as low as the lobe.
  constexpr int nape[] = {24, 22, 16, 14, 13, 13, 13};  // columns 34 to 40
  return nape[c - T::kEarColumn1];
}

// Rings of the ear's patch that lie on the scalp and carry hair: its border, half way, the root.
constexpr int kHairRings = 2;
// How far each lies from the border towards the patch's middle.
constexpr double kRingShare[kHairRings + 1] = {0, 0.35, 0.7};

// Border places of the ear's patch between which there is hair: from behind the lobe over the top
// to the sideburn.
bool HairBesideEar(const RingPatch& ear, size_t i) {
  const auto& [across, up] = ear.border[i];
  if (across >= 1) return up > -0.86;
  return up >= 1 || (across <= -1 && up > 0.29);
}

}  // namespace

double EyeChartRadius(double angle) { return 0.5 * std::pow(angle / kPi, 0.6); }

PartMesh MakeEye(const HeadMeasures& m, int side) {
  constexpr int rings = 14, around = 24;
  PartMesh eye;
  eye.name = side == 0 ? "eye_right" : "eye_left";
  Vec3 center = SkinWrap::EyeCenter(m);
  if (side == 0) center.x = -center.x;
  auto add = [&](double polar, double azimuth) {
    // The cornea rises over the ball by a millimetre and a half.
    const double cornea = 0.13 * std::exp(-0.5 * std::pow(polar / 0.30, 2));
    const double r = kEyeRadius + cornea - 0.02;
    eye.positions.push_back(center + Vec3{r * std::sin(polar) * std::cos(azimuth),
                                          r * std::sin(polar) * std::sin(azimuth),
                                          r * std::cos(polar)});
    const double s = EyeChartRadius(polar);
    eye.chart.push_back(
        InChart(kEyeChart[side], 0.5 + s * std::cos(azimuth), 0.5 - s * std::sin(azimuth)));
  };
  add(0, 0);
  for (int i = 1; i < rings; ++i) {
    // Denser at the front, where the iris is.
    const double polar = kPi * std::pow(static_cast<double>(i) / rings, 1.35);
    for (int k = 0; k < around; ++k) add(polar, 2 * kPi * k / around);
  }
  // Open behind, where nobody looks: a pole there would cover the chart.
  auto at = [&](int ring, int k) {
    return static_cast<uint32_t>(1 + (ring - 1) * around + (k + around) % around);
  };
  // Turn every face so that left and right mirror each other: k runs the other way round on the
  // mirrored side.
  eye.mirror.resize(eye.positions.size());
  eye.mirror[0] = 0;
  for (int i = 1; i < rings; ++i) {
    for (int k = 0; k < around; ++k) eye.mirror[at(i, k)] = at(i, around / 2 - k);
  }
  for (int k = 0; k < around; ++k) {
    eye.faces.push_back({0, at(1, k), at(1, k + 1), kNoVertex});
    for (int i = 1; i + 1 < rings; ++i)
      eye.faces.push_back({at(i, k), at(i + 1, k), at(i + 1, k + 1), at(i, k + 1)});
  }
  // Exact mirror images: both are built for the left and the right one is reflected.
  if (side == 0) {
    const PartMesh left = MakeEye(m, 1);
    for (size_t v = 0; v < eye.positions.size(); ++v) {
      const Vec3 p = left.positions[eye.mirror[v]];
      eye.positions[v] = {-p.x, p.y, p.z};
    }
    for (auto& face : eye.faces) {
      if (face[3] != kNoVertex) std::rotate(face.begin(), face.begin() + 1, face.end());
    }
  }
  return eye;
}

// A row of teeth as one band: gum line, bulge, biting edge, back. The texture draws the teeth
// apart.
PartMesh MakeTeeth(const HeadMeasures& m, int jaw) {
  constexpr int stations = 24;
  PartMesh teeth;
  teeth.name = jaw == 0 ? "teeth_upper" : "teeth_lower";
  const double sign = jaw == 0 ? 1 : -1, edge = m.mouth_y + (jaw == 0 ? -0.02 : -0.06);
  for (int i = 0; i <= stations; ++i) {
    const double t = 2.0 * i / stations - 1, a = t * 1.35;
    const double wide = jaw == 0 ? 2.25 : 2.1, front = (jaw == 0 ? 1.42 : 1.26) + m.muzzle;
    // A dental arch: half an ellipse opening backward.
    const double x = wide * std::sin(a) / std::sin(1.35),
                 z = front - 3.4 * (1 - std::cos(a)) / (1 - std::cos(1.35)) * 0.95;
    const double nx = std::sin(a) * 0.9, nz = std::cos(a);
    const double rows[4][2] = {
        {1.15, -0.10}, {0.55, 0.06}, {0.0, -0.02}, {0.35, -0.45}};  // height above the edge, out
    for (int r = 0; r < 4; ++r) {
      teeth.positions.push_back(
          {x + nx * rows[r][1], edge + sign * rows[r][0], z + nz * rows[r][1]});
      teeth.chart.push_back(InChart(kTeethChart, static_cast<double>(i) / stations,
                                    (jaw == 0 ? 0.0 : 0.52) + 0.48 * r / 3));
    }
  }
  for (int i = 0; i <= stations; ++i) {
    for (int r = 0; r < 4; ++r)
      teeth.mirror.push_back(static_cast<uint32_t>((stations - i) * 4 + r));
  }
  // Exact symmetry whatever sin and cos rounded to.
  for (size_t v = 0; v < teeth.positions.size(); ++v) {
    const uint32_t other = teeth.mirror[v];
    if (other == v) teeth.positions[v].x = 0;
    if (other > v)
      teeth.positions[v] = {-teeth.positions[other].x, teeth.positions[other].y,
                            teeth.positions[other].z};
  }
  for (uint32_t i = 0; i < stations; ++i) {
    for (uint32_t r = 0; r < 3; ++r) {
      const uint32_t a = i * 4 + r, b = a + 1, c = a + 4, d = a + 5;
      // The upper row hangs: its band runs down, so its outside is the other way round. Diagonals
      // mirror.
      std::array<uint32_t, 4> face =
          jaw == 0 ? std::array<uint32_t, 4>{a, b, d, c} : std::array<uint32_t, 4>{a, c, d, b};
      if (i >= stations / 2) std::rotate(face.begin(), face.begin() + 1, face.end());
      teeth.faces.push_back(face);
    }
  }
  return teeth;
}

namespace {

// The hair's grid while it is laid out.
struct HairGrid {
  struct Place {
    double row, column;  // of the skin's grid, fractions inside the ear's patch
    double low;          // see HairShell
  };
  const SkinTemplate& skin;
  HairShell* hair;
  std::vector<Place> places;
  std::map<uint32_t, uint32_t> of;  // vertex of the skin → of the hair

  void Add(uint32_t vertex, const Place& place) {
    if (!of.emplace(vertex, static_cast<uint32_t>(places.size())).second) return;
    hair->scalp.push_back(vertex);
    places.push_back(place);
  }
  bool Has(uint32_t vertex) const { return of.count(vertex) != 0; }
};

void AddScalp(HairGrid* grid) {
  for (int row = 0; row <= T::kRows; ++row) {
    for (int column = 1 - T::kColumns; column <= T::kColumns; ++column) {
      const uint32_t v = row == T::kRows && column != 0 ? kNoVertex : grid->skin.Grid(row, column);
      if (v == kNoVertex || row < HairRow(column)) continue;
      const int c = std::abs(column);
      const bool above_ear = c > T::kEarColumn0 && c < T::kEarColumn1;
      // The rings below count as eight rows.
      const double depth = row - HairRow(column) + (above_ear ? 8 : 0);
      const double span = c >= T::kEarColumn1 ? 20.0 : 8.0;
      const double low =
          c < 20 ? 0 : SmoothStep(20, 27, c) * std::pow(Clamp01(1 - depth / span), 1.2);
      grid->Add(v, {static_cast<double>(row), static_cast<double>(column), low});
    }
  }
}

void AddBesideEar(int side, HairGrid* grid) {
  const RingPatch& ear = grid->skin.ear[side];
  const double sign = side == 0 ? -1 : 1;
  for (size_t i = 0; i < ear.around(); ++i) {
    if (!HairBesideEar(ear, i)) continue;
    const auto& [across, up] = ear.border[i];
    const double row = T::kEarRow0 + 0.5 * (up + 1) * (T::kEarRow1 - T::kEarRow0),
                 column = T::kEarColumn0 + 0.5 * (across + 1) * (T::kEarColumn1 - T::kEarColumn0);
    const double middle[2] = {0.5 * (T::kEarRow0 + T::kEarRow1),
                              0.5 * (T::kEarColumn0 + T::kEarColumn1)};
    const auto border = grid->of.find(ear.rings[0][i]);
    if (border == grid->of.end()) continue;
    const double low = grid->places[border->second].low, top = SmoothStep(0.0, 0.8, up);
    for (int ring = 1; ring <= kHairRings; ++ring) {
      const double t = kRingShare[ring];
      grid->Add(ear.rings[ring][i], {Mix(row, middle[0], t), sign * Mix(column, middle[1], t),
                                     std::max(low, top * ring / kHairRings)});
    }
  }
}

// Every face of the skin whose corners all carry hair, seam and crown included.
void AddHairFaces(HairGrid* grid) {
  for (const auto& face : grid->skin.faces) {
    std::array<uint32_t, 4> out;
    bool whole = true;
    for (size_t k = 0; k < 4; ++k) {
      out[k] = face[k] == kNoVertex ? kNoVertex : 0;
      if (face[k] == kNoVertex) continue;
      const auto at = grid->of.find(face[k]);
      whole = whole && at != grid->of.end();
      if (whole) out[k] = at->second;
    }
    if (whole) grid->hair->mesh.faces.push_back(out);
  }
}

// Vertices on edges that only one face has.
std::vector<bool> HairEdge(const PartMesh& mesh, size_t count) {
  std::map<std::pair<uint32_t, uint32_t>, int> sides;
  for (const auto& face : mesh.faces) {
    const size_t corners = face[3] == kNoVertex ? 3 : 4;
    for (size_t k = 0; k < corners; ++k) ++sides[std::minmax(face[k], face[(k + 1) % corners])];
  }
  std::vector<bool> edge(count, false);
  for (const auto& [ends, faces] : sides) {
    if (faces == 1) edge[ends.first] = edge[ends.second] = true;
  }
  return edge;
}

}  // namespace

HairShell MakeHair(const SkinTemplate& skin, const std::vector<Vec3>& positions,
                   const std::vector<Vec3>& normals) {
  HairShell hair;
  hair.mesh.name = "hair";
  HairGrid grid{skin, &hair, {}, {}};
  AddScalp(&grid);
  for (int side : {0, 1}) AddBesideEar(side, &grid);
  AddHairFaces(&grid);
  const size_t count = hair.scalp.size();
  for (uint32_t v = 0; v < count; ++v) {
    const auto& [row, column, low] = grid.places[v];
    hair.low.push_back(low);
    const double c = std::abs(column), depth = row - HairRow(static_cast<int>(std::lround(column)));
    hair.front.push_back(SmoothStep(30, 18, c) * Clamp01(1 - depth / 7));
    hair.mesh.positions.push_back(positions[hair.scalp[v]] + 0.02 * normals[hair.scalp[v]]);
    // Strands run down the chart: across by column, down by distance from the crown.
    hair.mesh.chart.push_back(
        InChart(kHairChart, 0.5 + 0.5 * column / T::kColumns, (1 - row / T::kRows) * kHairRows));
    hair.mesh.mirror.push_back(grid.of.at(skin.mirror[hair.scalp[v]]));
  }
  // Distance to the hairline along the scalp, near enough straight.
  const std::vector<bool> edge = HairEdge(hair.mesh, count);
  for (uint32_t v = 0; v < count; ++v) {
    double distance = 9;
    for (uint32_t e = 0; e < count; ++e) {
      if (edge[e])
        distance = std::min(distance, Length(hair.mesh.positions[v] - hair.mesh.positions[e]));
    }
    hair.inside.push_back(SmoothStep(0, 1.7, distance));
    const Vec3 p = hair.mesh.positions[v];
    hair.thick.push_back(SmoothStep(-0.3, 5.0, distance) *
                         (0.5 + 0.5 * SmoothStep(3.5, 8.5, p.y + 0.25 * (p.z + 7))));
  }
  return hair;
}

}  // namespace daf::head
