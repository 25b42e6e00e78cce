#include "native/head/model/template.h"

#include <algorithm>
#include <set>

namespace daf::head {
namespace {

using T = SkinTemplate;

// Where rows and columns cross in a coarse head, cm: rows from the root of the shoulders (a cut
// that falls to the breastbone) to the crown, stations from the front midline over the wing of the
// nose, the pupil, the outer corner of the eye, the cheekbone, before and behind the ear to the
// back midline. Only a beginning: the field decides where the surface is.
constexpr int kStations = 9, kLevels = 17;
const Vec3 kNet[kLevels][kStations] = {{{0, -21.2, -3.9},
                                        {2.6, -21, -3.9},
                                        {5, -20.4, -4.6},
                                        {7.6, -19.6, -6.2},
                                        {9.6, -18.7, -8.2},
                                        {10.2, -18, -10.6},
                                        {9, -18.1, -13.4},
                                        {5.2, -18.3, -15.6},
                                        {0, -18.4, -16.2}},
                                       {{0, -16.2, -4.5},
                                        {1.9, -16.1, -4.5},
                                        {3.5, -15.8, -4.9},
                                        {4.8, -15.4, -6},
                                        {5.7, -14.9, -7.7},
                                        {6.1, -14.6, -9.6},
                                        {5.6, -14.4, -12},
                                        {3.6, -14.2, -14.1},
                                        {0, -14.2, -14.8}},
                                       {{0, -12.1, -3.6},
                                        {1.8, -12, -3.5},
                                        {3.4, -11.7, -4},
                                        {4.6, -11.2, -5.2},
                                        {5.4, -10.4, -7},
                                        {5.6, -9.6, -8.8},
                                        {5.5, -9.2, -11.2},
                                        {3.7, -9, -13.1},
                                        {0, -9, -13.7}},
                                       {{0, -11.7, -1.3},
                                        {1.7, -11.5, -1.4},
                                        {3.1, -11, -2.1},
                                        {4.3, -10.3, -3.6},
                                        {5.2, -9.2, -5.6},
                                        {5.7, -8, -8},
                                        {5.8, -7.2, -11.1},
                                        {4, -6.6, -13.6},
                                        {0, -6.6, -14.2}},
                                       {{0, -11.3, 1},
                                        {1.5, -11.1, .8},
                                        {2.9, -10.4, -.3},
                                        {4.1, -9.5, -2},
                                        {5.1, -8.2, -4.6},
                                        {5.9, -6.5, -7.2},
                                        {6.2, -5.2, -10.9},
                                        {4.4, -4.4, -14.3},
                                        {0, -4.3, -15.1}},
                                       {{0, -10.1, 2.2},
                                        {1.5, -10, 1.75},
                                        {2.9, -9.4, .5},
                                        {4.2, -8.5, -1.2},
                                        {5.4, -7.1, -4.1},
                                        {6.2, -5, -7.2},
                                        {6.5, -4.4, -10.9},
                                        {4.7, -3, -14.8},
                                        {0, -3, -15.8}},
                                       {{0, -8.7, 2},
                                        {1.6, -8.6, 1.75},
                                        {3, -8.2, .9},
                                        {4.4, -7.3, -.8},
                                        {5.6, -5.9, -3.7},
                                        {6.5, -4.1, -7.2},
                                        {6.7, -3.2, -10.9},
                                        {4.9, -1.7, -15.1},
                                        {0, -1.6, -16.2}},
                                       {{0, -6.9, 2.5},
                                        {1.5, -6.9, 2.1},
                                        {2.9, -6.8, 1.25},
                                        {4.5, -6.1, -.3},
                                        {5.9, -4.8, -3.4},
                                        {6.6, -3, -7.2},
                                        {6.9, -2, -10.9},
                                        {5.1, -.4, -15.3},
                                        {0, -.3, -16.4}},
                                       {{0, -4.75, 2.5},
                                        {1.6, -4.7, 1.9},
                                        {3, -4.9, 1.1},
                                        {4.7, -4.7, -.2},
                                        {6.1, -3.7, -3.2},
                                        {6.75, -2, -7.2},
                                        {7.1, -.9, -10.9},
                                        {5.3, .8, -15.4},
                                        {0, 1, -16.6}},
                                       {{0, -3.9, 4.2},
                                        {1.65, -4, 2.1},
                                        {3.1, -3.6, 1},
                                        {4.9, -3.4, .1},
                                        {6.3, -2.7, -2.9},
                                        {6.85, -1.1, -7.2},
                                        {7.25, .2, -10.9},
                                        {5.4, 2, -15.5},
                                        {0, 2.2, -16.6}},
                                       {{0, -2, 3.1},
                                        {1.5, -2.2, 1.4},
                                        {3.1, -2.1, 1.05},
                                        {5, -2, .1},
                                        {6.4, -1.6, -2.8},
                                        {6.95, -.2, -7.2},
                                        {7.35, 1.3, -10.9},
                                        {5.5, 3.3, -15.4},
                                        {0, 3.5, -16.5}},
                                       {{0, .3, 1.9},
                                        {1.5, -.05, .8},
                                        {3.1, 0, 1.35},
                                        {4.8, 0, 0},
                                        {6.1, 0, -2.8},
                                        {7, .8, -7.2},
                                        {7.45, 2.4, -10.9},
                                        {5.5, 4.6, -15},
                                        {0, 4.8, -16.2}},
                                       {{0, 2.1, 2.6},
                                        {1.6, 2, 2.4},
                                        {3.1, 2.2, 1.9},
                                        {4.8, 2.1, .6},
                                        {6, 1.9, -2.4},
                                        {7.1, 2.4, -7.1},
                                        {7.45, 4, -10.8},
                                        {5.4, 6, -14.4},
                                        {0, 6.3, -15.5}},
                                       {{0, 4.7, 2.4},
                                        {1.6, 4.7, 2.25},
                                        {3.1, 4.6, 1.5},
                                        {4.6, 4.4, .2},
                                        {5.9, 4.2, -2.5},
                                        {7.05, 4.6, -7},
                                        {7.2, 5.8, -10.6},
                                        {5.1, 7.5, -13.7},
                                        {0, 7.9, -14.5}},
                                       {{0, 7.1, 1.4},
                                        {1.5, 7.1, 1.2},
                                        {3, 7, .5},
                                        {4.4, 6.8, -.9},
                                        {5.6, 6.6, -3.2},
                                        {6.5, 6.9, -7},
                                        {6.5, 7.7, -10.1},
                                        {4.5, 8.9, -12.6},
                                        {0, 9.4, -13.2}},
                                       {{0, 9.9, -1.4},
                                        {1.2, 9.9, -1.5},
                                        {2.4, 9.8, -1.9},
                                        {3.5, 9.6, -2.9},
                                        {4.4, 9.5, -4.5},
                                        {4.8, 9.6, -7},
                                        {4.6, 9.9, -9.1},
                                        {2.9, 10.4, -10.7},
                                        {0, 10.7, -11.2}},
                                       {{0, 11.5, -6.5},
                                        {0, 11.5, -6.5},
                                        {0, 11.5, -6.5},
                                        {0, 11.5, -6.5},
                                        {0, 11.5, -6.5},
                                        {0, 11.5, -6.5},
                                        {0, 11.5, -6.5},
                                        {0, 11.5, -6.5},
                                        {0, 11.5, -6.5}}};

// Grid lines between two levels or stations, and the share of the chart they get.
constexpr int kRowSteps[kLevels - 1] = {4, 4, 3, 3, 4, 5, 6, 7, 6, 6, 7, 7, 6, 4, 4, 4};
constexpr int kColumnSteps[kStations - 1] = {8, 5, 6, 5, 5, 5, 3, 3};
constexpr double kRowShare[kLevels - 1] = {.05, .05,  .03,  .04,  .05, .07,  .085, .095,
                                           .08, .085, .095, .085, .07, .045, .035, .03};
constexpr double kColumnShare[kStations - 1] = {.20, .17, .17, .15, .11, .10, .05, .05};

struct Place {
  int cell;
  double within;
};

template <size_t N>
Place Find(const int (&steps)[N], int index) {
  int at = 0;
  for (size_t i = 0; i < N; ++i) {
    if (index < at + steps[i])
      return {static_cast<int>(i), static_cast<double>(index - at) / steps[i]};
    at += steps[i];
  }
  return {static_cast<int>(N) - 1, 1};
}

template <size_t N>
double Share(const int (&steps)[N], const double (&share)[N], int index) {
  const Place place = Find(steps, index);
  double sum = 0;
  for (int i = 0; i < place.cell; ++i) sum += share[i];
  return sum + place.within * share[place.cell];
}

Vec3 CatmullRom(Vec3 a, Vec3 b, Vec3 c, Vec3 d, double t) {
  const Vec3 m0 = 0.5 * (c - a), m1 = 0.5 * (d - b);
  const double t2 = t * t, t3 = t2 * t;
  return (2 * t3 - 3 * t2 + 1) * b + (t3 - 2 * t2 + t) * m0 + (-2 * t3 + 3 * t2) * c +
         (t3 - t2) * m1;
}

// A station beyond the midlines is the other side's.
Vec3 Net(int level, int station) {
  level = std::clamp(level, 0, kLevels - 1);
  const bool other = station < 0 || station >= kStations;
  const int inside = station < 0            ? -station
                     : station >= kStations ? 2 * (kStations - 1) - station
                                            : station;
  Vec3 p = kNet[level][inside];
  if (other) p.x = -p.x;
  return p;
}

Vec3 OnNet(int row, int column) {
  const Place r = Find(kRowSteps, row), c = Find(kColumnSteps, column);
  Vec3 line[4];
  for (int i = 0; i < 4; ++i) {
    const int level = r.cell - 1 + i;
    line[i] = CatmullRom(Net(level, c.cell - 1), Net(level, c.cell), Net(level, c.cell + 1),
                         Net(level, c.cell + 2), c.within);
  }
  return CatmullRom(line[0], line[1], line[2], line[3], r.within);
}

bool Within(int row, int column, int row0, int row1, int column0, int column1) {
  return row > row0 && row < row1 && column > column0 && column < column1;
}

bool InPatch(int row, int column) {
  const int side = std::abs(column);
  return Within(row, side, T::kEyeRow0, T::kEyeRow1, T::kEyeColumn0, T::kEyeColumn1) ||
         Within(row, side, T::kEarRow0, T::kEarRow1, T::kEarColumn0, T::kEarColumn1) ||
         Within(row, side, T::kMouthRow0, T::kMouthRow1, -1, T::kMouthColumn);
}

// A cell is the patch's when its whole square lies in it.
bool CellInPatch(int row, int column) {
  const int a = column, b = column + 1;
  auto covers = [&](int row0, int row1, int column0, int column1) {
    return row >= row0 && row < row1 && a >= column0 && b <= column1;
  };
  return covers(T::kMouthRow0, T::kMouthRow1, -T::kMouthColumn, T::kMouthColumn) ||
         covers(T::kEyeRow0, T::kEyeRow1, T::kEyeColumn0, T::kEyeColumn1) ||
         covers(T::kEyeRow0, T::kEyeRow1, -T::kEyeColumn1, -T::kEyeColumn0) ||
         covers(T::kEarRow0, T::kEarRow1, T::kEarColumn0, T::kEarColumn1) ||
         covers(T::kEarRow0, T::kEarRow1, -T::kEarColumn1, -T::kEarColumn0);
}

struct Builder {
  SkinTemplate t;

  uint32_t Add(Vec3 start, double u, double v) {
    t.start.push_back(start);
    t.chart.push_back({u, v});
    t.mirror.push_back(t.count);
    return t.count++;
  }

  void AddRings(RingPatch* patch, const std::vector<double>& inward) {
    const size_t n = patch->around();
    std::array<double, 2> middle = {0, 0};
    Vec3 center;
    for (uint32_t v : patch->rings[0]) {
      for (int k = 0; k < 2; ++k)
        middle[static_cast<size_t>(k)] +=
            t.chart[v][static_cast<size_t>(k)] / static_cast<double>(n);
      center = center + (1.0 / static_cast<double>(n)) * t.start[v];
    }
    for (double s : inward) {
      std::vector<uint32_t> ring(n);
      for (size_t i = 0; i < n; ++i) {
        const uint32_t v = patch->rings[0][i];
        ring[i] = Add(Mix(t.start[v], center, s), Mix(t.chart[v][0], middle[0], s),
                      Mix(t.chart[v][1], middle[1], s));
      }
      patch->rings.push_back(ring);
    }
    patch->pole = Add(center, middle[0], middle[1]);
  }

  void AddFace(uint32_t a, uint32_t b, uint32_t c, uint32_t d, bool flip) {
    if (flip) {
      t.faces.push_back(d == kNoVertex ? std::array<uint32_t, 4>{a, c, b, d}
                                       : std::array<uint32_t, 4>{a, d, c, b});
    } else {
      t.faces.push_back({a, b, c, d});
    }
  }

  // symmetric: the second half of the rings mirrors the first, diagonals included.
  void AddPatchFaces(const RingPatch& patch, bool flip, bool symmetric = false) {
    const size_t n = patch.around();
    for (size_t k = 0; k + 1 < patch.rings.size(); ++k) {
      for (size_t i = 0; i < n; ++i) {
        const size_t j = (i + 1) % n;
        const uint32_t q[4] = {patch.rings[k][i], patch.rings[k][j], patch.rings[k + 1][j],
                               patch.rings[k + 1][i]};
        const size_t first = symmetric && i >= n / 2 ? 1 : 0;
        AddFace(q[first], q[first + 1], q[(first + 2) % 4], q[(first + 3) % 4], flip);
      }
    }
    for (size_t i = 0; i < n; ++i)
      AddFace(patch.rings.back()[i], patch.rings.back()[(i + 1) % n], patch.pole, kNoVertex, flip);
  }

  void Pair(uint32_t a, uint32_t b) {
    t.mirror[a] = b;
    t.mirror[b] = a;
  }

  // Counter-clockwise from outside, from the lower inner corner; on the right side the same
  // vertices mirrored.
  RingPatch Border(int row0, int row1, int column0, int column1, int side) {
    RingPatch patch;
    patch.rings.resize(1);
    auto push = [&](int row, int column) {
      patch.rings[0].push_back(t.Grid(row, side * column));
      patch.border.push_back({2.0 * (column - column0) / (column1 - column0) - 1,
                              2.0 * (row - row0) / (row1 - row0) - 1});
    };
    for (int c = column0; c < column1; ++c) push(row0, c);
    for (int r = row0; r < row1; ++r) push(r, column1);
    for (int c = column1; c > column0; --c) push(row1, c);
    for (int r = row1; r > row0; --r) push(r, column0);
    return patch;
  }

  // Counter-clockwise from outside, from the top midline over the subject's right.
  RingPatch MouthBorder() {
    RingPatch patch;
    patch.rings.resize(1);
    const int m = T::kMouthColumn, row0 = T::kMouthRow0, row1 = T::kMouthRow1;
    auto push = [&](int row, int column) {
      patch.rings[0].push_back(t.Grid(row, column));
      patch.border.push_back(
          {static_cast<double>(column) / m, 2.0 * (row - row0) / (row1 - row0) - 1});
    };
    for (int c = 0; c > -m; --c) push(row1, c);
    for (int r = row1; r > row0; --r) push(r, -m);
    for (int c = -m; c < m; ++c) push(row0, c);
    for (int r = row0; r < row1; ++r) push(r, m);
    for (int c = m; c > 0; --c) push(row1, c);
    return patch;
  }
};

}  // namespace

uint32_t SkinTemplate::Grid(int row, int column) const {
  if (row == kRows) column = 0;
  if (column == -kColumns) column = kColumns;
  return grid_[static_cast<size_t>(row) * (2 * kColumns) +
               static_cast<size_t>(column + kColumns - 1)];
}

SkinTemplate MakeSkinTemplate() {
  Builder b;
  SkinTemplate& t = b.t;
  t.grid_.assign(static_cast<size_t>(T::kRows + 1) * (2 * T::kColumns), kNoVertex);
  for (int row = 0; row <= T::kRows; ++row) {
    const double v = 1 - Share(kRowSteps, kRowShare, row);
    for (int column = 1 - T::kColumns; column <= T::kColumns; ++column) {
      if (InPatch(row, column) || (row == T::kRows && column != 0)) continue;
      Vec3 p = OnNet(row, std::abs(column));
      if (column < 0) p.x = -p.x;
      if (column == 0 || column == T::kColumns || row == T::kRows) p.x = 0;
      const double half = 0.5 * Share(kColumnSteps, kColumnShare, std::abs(column));
      t.grid_[static_cast<size_t>(row) * (2 * T::kColumns) +
              static_cast<size_t>(column + T::kColumns - 1)] =
          b.Add(p, column < 0 ? 0.5 - half : 0.5 + half, v);
    }
  }
  for (int row = 0; row < T::kRows; ++row) {
    for (int column = 1; column < T::kColumns; ++column) {
      const uint32_t v = t.Grid(row, column);
      if (v != kNoVertex) b.Pair(v, t.Grid(row, -column));
    }
  }
  for (int side : {0, 1}) {
    const int sign = side == 0 ? -1 : 1;
    t.eye[side] = b.Border(T::kEyeRow0, T::kEyeRow1, T::kEyeColumn0, T::kEyeColumn1, sign);
    b.AddRings(&t.eye[side], {.20, .38, .54, .66, .75, .79, .86, .92, .97});
    t.ear[side] = b.Border(T::kEarRow0, T::kEarRow1, T::kEarColumn0, T::kEarColumn1, sign);
    b.AddRings(&t.ear[side], {.08, .16, .24, .32, .40, .48, .56, .64, .72, .80, .87, .94});
  }
  t.mouth = b.MouthBorder();
  b.AddRings(&t.mouth, {.18, .34, .48, .60, .70, .78, .83, .88, .92, .95, .98});

  auto pair_patches = [&](const RingPatch& right, const RingPatch& left) {
    for (size_t k = 1; k < left.rings.size(); ++k) {
      for (size_t i = 0; i < left.around(); ++i) b.Pair(right.rings[k][i], left.rings[k][i]);
    }
    b.Pair(right.pole, left.pole);
  };
  pair_patches(t.eye[0], t.eye[1]);
  pair_patches(t.ear[0], t.ear[1]);
  const size_t n = t.mouth.around();
  for (size_t k = 1; k < t.mouth.rings.size(); ++k) {
    for (size_t i = 0; i < n; ++i) b.Pair(t.mouth.rings[k][i], t.mouth.rings[k][(n - i) % n]);
  }

  for (int row = 0; row < T::kRows; ++row) {
    for (int column = -T::kColumns; column < T::kColumns; ++column) {
      if (CellInPatch(row, column)) continue;
      if (row + 1 == T::kRows) {
        b.AddFace(t.Grid(row, column), t.Grid(row, column + 1), t.Grid(T::kRows, 0), kNoVertex,
                  false);
      } else {
        // A quad is split from its first to its third corner: begin at the mirrored corner on the
        // right side.
        const uint32_t q[4] = {t.Grid(row, column), t.Grid(row, column + 1),
                               t.Grid(row + 1, column + 1), t.Grid(row + 1, column)};
        const size_t first = column < 0 ? 1 : 0;
        b.AddFace(q[first], q[first + 1], q[(first + 2) % 4], q[(first + 3) % 4], false);
      }
    }
  }
  for (int side : {0, 1}) {
    b.AddPatchFaces(t.eye[side], side == 0);
    b.AddPatchFaces(t.ear[side], side == 0);
  }
  b.AddPatchFaces(t.mouth, false, true);

  std::vector<std::set<uint32_t>> near(t.count);
  for (const auto& face : t.faces) {
    const size_t corners = face[3] == kNoVertex ? 3 : 4;
    for (size_t i = 0; i < corners; ++i) {
      const uint32_t p = face[i], q = face[(i + 1) % corners];
      near[p].insert(q);
      near[q].insert(p);
    }
  }
  for (const auto& set : near) t.neighbours.emplace_back(set.begin(), set.end());
  return t;
}

}  // namespace daf::head
