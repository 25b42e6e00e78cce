// An ear as rings from the head's side over its back and rim into the concha: one profile where the rim stands free,
// another at the tragus where the cheek runs in, blended by the angle round the canal.
#include <algorithm>
#include <cmath>

#include "native/head/model/skin.h"

namespace daf::head {
namespace {

constexpr double kPi = 3.14159265358979323846;

struct Knot {
  double at, value;
};

// Periodic smooth curve through knots given in degrees, ascending.
template <size_t N>
double Round(const Knot (&knots)[N], double degrees) {
  size_t i = 0;
  while (i < N && knots[i].at <= degrees) ++i;
  auto knot = [&](int k) {
    const int n = static_cast<int>(N);
    const int wrapped = ((k % n) + n) % n;
    const int turns = (k - wrapped) / n;
    return Knot{knots[wrapped].at + 360.0 * turns, knots[wrapped].value};
  };
  const int b = static_cast<int>(i);
  const Knot p0 = knot(b - 2), p1 = knot(b - 1), p2 = knot(b), p3 = knot(b + 1);
  const double h = p2.at - p1.at, t = (degrees - p1.at) / h;
  const double m1 = (p2.value - p0.value) / (p2.at - p0.at) * h, m2 = (p3.value - p1.value) / (p3.at - p1.at) * h;
  const double t2 = t * t, t3 = t2 * t;
  return (2 * t3 - 3 * t2 + 1) * p1.value + (t3 - 2 * t2 + t) * m1 + (-2 * t3 + 3 * t2) * p2.value + (t3 - t2) * m2;
}

// Angles: 0 up, 90 to the back, 180 down (the lobe), 270 to the face.
constexpr Knot kOutline[] = {{0, 3.05}, {35, 3.15}, {70, 2.60}, {105, 2.25}, {140, 2.30}, {170, 2.60}, {195, 2.35}, {222, 1.45}, {250, 0.98}, {275, 0.85}, {300, 1.05}, {330, 1.95}};
constexpr Knot kFree[] = {{0, 1}, {60, 1}, {120, 1}, {175, 0.95}, {205, 0.45}, {230, 0.05}, {260, 0}, {290, 0}, {315, 0.25}, {338, 0.85}};
constexpr Knot kLobe[] = {{0, 0}, {90, 0}, {135, 0.15}, {160, 0.9}, {185, 1}, {210, 0.8}, {240, 0}, {300, 0}};
constexpr Knot kTragus[] = {{0, 0}, {180, 0}, {225, 0.35}, {245, 0.5}, {268, 1}, {290, 0.45}, {315, 0.1}, {340, 0}};

struct Profile {
  double along, height;  // share of the outline's radius; cm off the flap
};
// Rings 1…12 where the rim is free: sulcus, back of the flap, rim, roll, scapha, antihelix, concha.
constexpr Profile kRim[12] = {{0.56, 0.02}, {0.70, -0.42}, {0.90, -0.36}, {1.00, -0.20}, {1.03, -0.02}, {0.985, 0.12}, {0.90, 0.08}, {0.83, -0.10}, {0.70, 0.05}, {0.57, 0.06}, {0.45, -0.32}, {0.26, -0.62}};
// The same rings at the tragus: cheek, the flap's edge, then down into the concha.
constexpr Profile kCheek[12] = {{1.75, 0}, {1.55, 0}, {1.40, 0.01}, {1.26, 0.02}, {1.14, 0.04}, {1.02, 0.08}, {0.90, 0.14}, {0.78, 0.20}, {0.66, 0.22}, {0.58, 0.10}, {0.50, -0.25}, {0.30, -0.60}};

}  // namespace

void SkinWrap::BuildEars(const HeadMeasures& m, std::vector<Vec3>* p) const {
  const RingPatch& ear = skin_.ear[1];
  const size_t n = ear.around();
  // The canal sits behind the joint of the jaw; the ear's long axis leans back.
  Vec3 middle;
  for (uint32_t v : ear.rings[0]) middle = middle + (1.0 / static_cast<double>(n)) * (*p)[v];
  const Vec3 canal = {middle.x + 0.02, -1.25 + m.ear_y, -8.15};
  const double lean = 14 * kPi / 180;
  const Vec3 up = {-0.06, std::cos(lean), -std::sin(lean)}, back = {0, -std::sin(lean), -std::cos(lean)};
  const double flare = std::tan((27 + 9 * m.ear_protrusion) * kPi / 180);
  for (size_t i = 0; i < n; ++i) {
    const double bx = ear.border[i][0] * 1.5, by = ear.border[i][1] * 2.7;
    double angle = std::atan2(bx, by) * 180 / kPi;
    if (angle < 0) angle += 360;
    const double lobe = Round(kLobe, angle);
    const double radius = m.ear_scale * Round(kOutline, angle) * (1 + 0.10 * m.ear_lobe * lobe);
    const double free = Clamp01(Round(kFree, angle)), tragus = Clamp01(Round(kTragus, angle));
    const double a = std::cos(angle * kPi / 180), b = std::sin(angle * kPi / 180) * (1 + m.ear_width);
    const Vec3 border = (*p)[ear.rings[0][i]];
    for (size_t k = 0; k < 12; ++k) {
      Profile rim = kRim[k];
      const Profile cheek = kCheek[k];
      // The lobe has no roll and no scapha: a soft, thick leaf.
      if (k >= 5 && k <= 9) {
        const double leaf[] = {0.02, 0.06, 0.07, 0.05, 0.0};
        rim.height = Mix(rim.height, leaf[k - 5], lobe);
      }
      // The antihelix stands highest half way up behind the concha, and splits towards the top.
      if (k == 8 || k == 9) rim.height += 0.14 * std::exp(-0.5 * std::pow((angle - 95) / 45, 2)) * (1 - lobe);
      const double along = Mix(cheek.along, rim.along, free);
      const double r = radius * along;
      const Vec3 flat = canal + (r * a) * up + (r * b) * back;
      // The free flap opens backward from the head; its hinge is at the front.
      const double lift = flare * std::max(0.0, r * b + 0.35) * (k == 0 ? 0.05 : 1);
      const double outward = Mix(cheek.height + 0.22 * tragus * (k >= 6 && k <= 9 ? 1 : 0), rim.height + lift + 0.10, free);
      Vec3 q = flat + Vec3{outward, 0, 0};
      // Where the cheek runs in, the first rings lie between the border and the tragus on the head itself.
      const double onto = (1 - free) * (k < 6 ? 1 - (static_cast<double>(k) + 1) / 7 : 0);
      q = Mix(q, Mix(border, flat, (static_cast<double>(k) + 1) / 8), onto);
      if (k == 0) q = Mix(border, q, Mix(0.5, 0.85, free));
      (*p)[ear.rings[k + 1][i]] = q;
    }
  }
  (*p)[ear.pole] = canal + Vec3{-0.75, 0.0, 0.1};
  for (size_t k = 1; k < ear.rings.size(); ++k) {
    for (size_t i = 0; i < n; ++i) {
      const Vec3 left = (*p)[ear.rings[k][i]];
      (*p)[skin_.ear[0].rings[k][i]] = {-left.x, left.y, left.z};
    }
  }
  const Vec3 pole = (*p)[ear.pole];
  (*p)[skin_.ear[0].pole] = {-pole.x, pole.y, pole.z};
}

}  // namespace daf::head
