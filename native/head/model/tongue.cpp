// The tongue: a flattened tube from the back of the mouth to behind the lower teeth.
#include <algorithm>
#include <cmath>

#include "native/head/model/parts.h"

namespace daf::head {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr uint32_t kRings = 14, kAround = 16;

// A cross-section: where its middle lies and how far it reaches, cm.
struct Section {
  double y, z, half_width, half_height;
};

// Of a list of sections at equal steps from root to tip.
template <size_t N>
Section Between(const Section (&list)[N], double along) {
  const double at = Clamp01(along) * static_cast<double>(N - 1);
  const size_t i = std::min(N - 2, static_cast<size_t>(at));
  const double t = SmoothStep(0, 1, at - static_cast<double>(i));
  const Section &a = list[i], &b = list[i + 1];
  return {Mix(a.y, b.y, t), Mix(a.z, b.z, at - static_cast<double>(i)),
          Mix(a.half_width, b.half_width, t), Mix(a.half_height, b.half_height, t)};
}

// y is below the lips' line, z before the muzzle's: the tongue lies on the floor of the mouth
// within the lower teeth …
constexpr Section kRest[] = {{-0.42, -3.3, 1.15, 0.42},
                             {-0.42, -2.1, 1.25, 0.46},
                             {-0.46, -1.0, 1.15, 0.44},
                             {-0.50, 0.0, 0.85, 0.36},
                             {-0.52, 0.55, 0.40, 0.20}};
// … or out over teeth and lip of a jaw that is a third open or more, its end hanging.
constexpr Section kOut[] = {{-0.42, -3.0, 1.15, 0.42},
                            {-0.20, -1.0, 1.25, 0.42},
                            {0.36, 1.0, 1.15, 0.30},
                            {0.30, 2.9, 1.05, 0.26},
                            {-0.55, 4.2, 0.62, 0.20}};

Vec3 OnSection(const HeadMeasures& m, const Section& s, double round) {
  const double c = std::cos(round), up = s.half_height * c;
  // A furrow along the middle of the back.
  const double furrow = c > 0 ? 0.18 * s.half_height * std::pow(c, 8) : 0;
  return {s.half_width * std::sin(round), m.mouth_y + s.y + up - furrow, s.z + m.muzzle};
}

}  // namespace

Tongue MakeTongue(const HeadMeasures& m) {
  Tongue tongue;
  PartMesh& mesh = tongue.mesh;
  mesh.name = "tongue";
  auto add = [&](double along, double round, double u) {
    mesh.positions.push_back(OnSection(m, Between(kRest, along), round));
    tongue.out.push_back(OnSection(m, Between(kOut, along), round) - mesh.positions.back());
    mesh.chart.push_back({kTongueChart[0] + kTongueChart[2] * u,
                          kTongueChart[1] + kTongueChart[3] * along * kRings / (kRings + 1.0)});
  };
  // Around from below (u = 0 and 1, where the chart is cut) over the right side to the top.
  for (uint32_t ring = 0; ring <= kRings; ++ring) {
    const double along = static_cast<double>(ring) / kRings;
    for (uint32_t k = 0; k < kAround; ++k) {
      const double u = 1 - static_cast<double>(k) / kAround;
      add(along, kPi + 2 * kPi * k / kAround, u);
    }
  }
  // The tip: half a section further on.
  for (const bool out : {false, true}) {
    const Section last = out ? Between(kOut, 1) : Between(kRest, 1);
    const Vec3 tip = {0, m.mouth_y + last.y - (out ? 0.25 : 0.0),
                      last.z + m.muzzle + (out ? 0.16 : 0.15)};
    if (out) {
      tongue.out.push_back(tip - mesh.positions.back());
    } else {
      mesh.positions.push_back(tip);
    }
  }
  mesh.chart.push_back(
      {kTongueChart[0] + kTongueChart[2] * 0.5, kTongueChart[1] + kTongueChart[3]});
  const auto at = [](uint32_t ring, uint32_t k) { return ring * kAround + k % kAround; };
  const uint32_t pole = at(kRings + 1, 0);
  for (uint32_t ring = 0; ring <= kRings; ++ring) {
    for (uint32_t k = 0; k < kAround; ++k) mesh.mirror.push_back(at(ring, kAround - k));
  }
  mesh.mirror.push_back(pole);
  // Exact symmetry whatever sin and cos rounded to.
  for (uint32_t v = 0; v < mesh.positions.size(); ++v) {
    const uint32_t twin = mesh.mirror[v];
    for (std::vector<Vec3>* list : {&mesh.positions, &tongue.out}) {
      if (twin == v) (*list)[v].x = 0;
      if (twin > v) (*list)[twin] = {-(*list)[v].x, (*list)[v].y, (*list)[v].z};
    }
  }
  // Open at the root, where only the throat could see it.
  for (uint32_t k = 0; k < kAround; ++k) {
    for (uint32_t ring = 0; ring < kRings; ++ring) {
      std::array<uint32_t, 4> face = {at(ring, k), at(ring + 1, k), at(ring + 1, k + 1),
                                      at(ring, k + 1)};
      // Diagonals mirror.
      if (k >= kAround / 2) std::rotate(face.begin(), face.begin() + 1, face.end());
      mesh.faces.push_back(face);
    }
    mesh.faces.push_back({at(kRings, k), pole, at(kRings, k + 1), kNoVertex});
  }
  return tongue;
}

}  // namespace daf::head
