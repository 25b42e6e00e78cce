#include "native/head/model/build.h"

#include <algorithm>

namespace daf::head {
namespace {

using T = SkinTemplate;

std::vector<Vec3> SkinNormals(const SkinTemplate& skin, const std::vector<Vec3>& p) {
  std::vector<Vec3> normals(skin.count);
  for (const auto& f : skin.faces) {
    const uint32_t last = f[3] == kNoVertex ? f[2] : f[3];
    const Vec3 n = Cross(p[f[2]] - p[f[0]], p[last] - p[f[1]]);
    const Vec3 triangle = Cross(p[f[1]] - p[f[0]], p[f[2]] - p[f[0]]);
    for (uint32_t v : f) {
      if (v != kNoVertex) normals[v] = normals[v] + (f[3] == kNoVertex ? triangle : n);
    }
  }
  for (uint32_t v = 0; v < skin.count; ++v) normals[v] = Normalised(normals[v]);
  return normals;
}

}  // namespace

HeadBuild::HeadBuild() : skin(MakeSkinTemplate()), wrap(skin, mean) {
  normals = SkinNormals(skin, wrap.mean());
  for (int side : {0, 1}) eyes[side] = MakeEye(mean, side);
  for (int jaw : {0, 1}) teeth[jaw] = MakeTeeth(mean, jaw);
  tongue = MakeTongue(mean);
  hair = MakeHair(skin, wrap.mean(), normals);

  positions = wrap.mean();
  mirror = skin.mirror;
  auto append = [&](const PartMesh& part, uint32_t* first) {
    *first = static_cast<uint32_t>(positions.size());
    positions.insert(positions.end(), part.positions.begin(), part.positions.end());
  };
  for (int side : {0, 1}) append(eyes[side], &first_eye[side]);
  for (int side : {0, 1}) {
    for (uint32_t v : eyes[side].mirror) mirror.push_back(first_eye[1 - side] + v);
  }
  for (int jaw : {0, 1}) {
    append(teeth[jaw], &first_teeth[jaw]);
    for (uint32_t v : teeth[jaw].mirror) mirror.push_back(first_teeth[jaw] + v);
  }
  append(tongue.mesh, &first_tongue);
  for (uint32_t v : tongue.mesh.mirror) mirror.push_back(first_tongue + v);
  append(hair.mesh, &first_hair);
  for (uint32_t v : hair.mesh.mirror) mirror.push_back(first_hair + v);
  for (size_t i = 0; i < hair.scalp.size(); ++i) {
    const uint32_t v = hair.scalp[i];
    positions[first_hair + i] = wrap.mean()[v] + HairHeight(i) * normals[v];
  }
  for (uint32_t v = 0; v < positions.size(); ++v) {
    if (mirror[v] == v) positions[v].x = 0;
    if (mirror[v] > v) positions[mirror[v]] = {-positions[v].x, positions[v].y, positions[v].z};
  }
  PlaceLandmarks();
}

void HeadBuild::MirrorMotion(std::vector<Vec3>* delta) const {
  for (uint32_t v = 0; v < positions.size(); ++v) {
    const uint32_t m = mirror[v];
    if (m == v) {
      (*delta)[v].x = 0;
    } else if (positions[v].x > 0) {
      const Vec3 d = (*delta)[v];
      (*delta)[m] = {-d.x, d.y, d.z};
    }
  }
}

void HeadBuild::PlaceLandmarks() {
  const std::vector<Vec3>& p = wrap.mean();
  auto nearest = [&](Vec3 q) {
    uint32_t best = 0;
    double distance = 1e9;
    for (int row = 0; row <= T::kRows; ++row) {
      for (int column = 0; column <= T::kColumns; ++column) {
        const uint32_t v = row == T::kRows ? kNoVertex : skin.Grid(row, column);
        if (v == kNoVertex) continue;
        const double d = Length(p[v] - q);
        if (d < distance) {
          distance = d;
          best = v;
        }
      }
    }
    return best;
  };
  auto on_midline = [&](double y, int row0, int row1) {
    uint32_t best = skin.Grid(row0, 0);
    for (int row = row0; row <= row1; ++row) {
      const uint32_t v = skin.Grid(row, 0);
      if (v != kNoVertex && std::abs(p[v].y - y) < std::abs(p[best].y - y)) best = v;
    }
    return best;
  };
  // Left first (the subject's), right by the mirror table.
  auto pair = [&](size_t right, size_t left, uint32_t v) {
    landmarks[left] = v;
    landmarks[right] = mirror[v];
  };
  // Jaw: lines from the cheek backward (rows), then over the edge of the jaw (columns).
  struct Line {
    bool row;
    int at, from, to, mean;
  };
  const Line lines[9] = {{false, 0, 19, 8, 14},    // 8 the chin
                         {false, 7, 19, 8, 14},    // 9
                         {false, 13, 19, 8, 14},   // 10
                         {false, 18, 20, 8, 14},   // 11
                         {false, 23, 22, 8, 14},   // 12
                         {true, 18, 16, 29, 26},   // 13
                         {true, 26, 16, 29, 27},   // 14
                         {true, 37, 18, 29, 27},   // 15
                         {true, 50, 20, 29, 26}};  // 16
  for (size_t k = 0; k < 9; ++k) {
    const Line& line = lines[k];
    const int step = line.from < line.to ? 1 : -1;
    for (int i = line.from; i != line.to + step; i += step) {
      const uint32_t v = line.row ? skin.Grid(line.at, i) : skin.Grid(i, line.at);
      if (v == kNoVertex) continue;
      contour[8 + k].push_back(v);
      if (k > 0) contour[8 - k].push_back(mirror[v]);
    }
    const uint32_t v = line.row ? skin.Grid(line.at, line.mean) : skin.Grid(line.mean, line.at);
    if (k == 0) {
      landmarks[8] = v;
    } else {
      pair(8 - k, 8 + k, v);
    }
  }
  const Vec3 brow[5] = {
      {0.95, 1.78, 2.3}, {1.9, 2.12, 2.2}, {2.85, 2.28, 1.9}, {3.8, 2.16, 1.4}, {4.62, 1.70, .6}};
  for (size_t k = 0; k < 5; ++k) pair(21 - k, 22 + k, nearest(brow[k]));
  // Nose
  uint32_t tip = skin.Grid(38, 0);
  for (int row = 36; row <= 50; ++row) {
    if (p[skin.Grid(row, 0)].z > p[tip].z) tip = skin.Grid(row, 0);
  }
  landmarks[30] = tip;
  const double root = 0.25, bottom = p[tip].y;
  for (size_t k = 0; k < 3; ++k)
    landmarks[27 + k] = on_midline(Mix(root, bottom, static_cast<double>(k) / 3), 40, 60);
  landmarks[33] = on_midline(-4.78, 34, 40);
  pair(32, 34, nearest({0.72, -4.72, 2.6}));
  pair(31, 35, nearest({1.42, -4.55, 2.1}));
  // Lids: the margin's front edge, at thirds between the corners.
  const RingPatch& eye = skin.eye[1];
  const size_t n = eye.around();
  const size_t columns = T::kEyeColumn1 - T::kEyeColumn0, rows = T::kEyeRow1 - T::kEyeRow0,
               arc = columns + rows;
  const size_t outer = columns + rows / 2;
  auto margin = [&](size_t step) { return eye.rings[5][(outer + step) % n]; };
  pair(36, 45, margin(0));
  pair(37, 44, margin((arc + 1) / 3));
  pair(38, 43, margin((2 * arc + 1) / 3));
  pair(39, 42, margin(arc));
  pair(40, 47, margin(arc + (arc + 1) / 3));
  pair(41, 46, margin(arc + (2 * arc + 1) / 3));
  // Lips: the vermilion's border outside, the line of contact inside.
  const RingPatch& mouth = skin.mouth;
  const size_t m = mouth.around(), half = m / 4;
  auto lip = [&](size_t ring, size_t from_top) {
    return mouth.rings[ring][(m - from_top) % m];
  };  // subject's left
  auto at = [&](double share) {
    return static_cast<size_t>(share * static_cast<double>(half) + 0.5);
  };
  landmarks[51] = mouth.rings[3][0];
  landmarks[57] = mouth.rings[3][2 * half];
  pair(50, 52, lip(3, at(0.14)));
  pair(49, 53, lip(3, at(0.52)));
  pair(48, 54, lip(6, half));
  pair(59, 55, lip(3, 2 * half - at(0.52)));
  pair(58, 56, lip(3, 2 * half - at(0.20)));
  landmarks[62] = mouth.rings[6][0];
  landmarks[66] = mouth.rings[6][2 * half];
  pair(61, 63, lip(6, at(0.36)));
  pair(60, 64, lip(6, at(0.84)));
  pair(67, 65, lip(6, 2 * half - at(0.36)));
}

}  // namespace daf::head
