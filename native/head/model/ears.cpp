// An ear as rings from the head's side over its back and rim into the concha: one profile where the
// rim stands free, another at the tragus where the cheek runs in, blended by the angle round the
// canal.
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
  const double m1 = (p2.value - p0.value) / (p2.at - p0.at) * h,
               m2 = (p3.value - p1.value) / (p3.at - p1.at) * h;
  const double t2 = t * t, t3 = t2 * t;
  return (2 * t3 - 3 * t2 + 1) * p1.value + (t3 - 2 * t2 + t) * m1 + (-2 * t3 + 3 * t2) * p2.value +
         (t3 - t2) * m2;
}

// Angles: 0 up, 90 to the back, 180 down (the lobe), 270 to the face.
constexpr Knot kOutline[] = {{0, 3.0},    {32, 3.1},   {68, 2.62},  {105, 2.25}, {140, 2.25},
                             {170, 2.55}, {195, 2.30}, {222, 1.45}, {250, 0.98}, {275, 0.85},
                             {300, 1.2},  {325, 2.1},  {345, 2.75}};
// Where the flap leaves the head: share of the outline's radius; beyond 1 the rim lies on the cheek
// itself.
constexpr Knot kRoot[] = {{0, 0.62},   {40, 0.55},  {90, 0.50},  {140, 0.60}, {170, 0.74},
                          {195, 0.95}, {225, 1.06}, {300, 1.14}, {325, 1.10}, {345, 0.82}};
constexpr Knot kFree[] = {{0, 1},   {60, 1},  {120, 1}, {175, 0.95}, {205, 0.35},
                          {225, 0}, {260, 0}, {280, 0}, {300, 0.45}, {320, 0.95}};
constexpr Knot kLobe[] = {{0, 0},   {90, 0},    {135, 0.15}, {160, 0.9},
                          {185, 1}, {210, 0.8}, {240, 0},    {300, 0}};
constexpr Knot kTragus[] = {{0, 0},   {180, 0},    {225, 0.35}, {245, 0.5},
                            {268, 1}, {290, 0.45}, {310, 0.1},  {330, 0}};

struct Profile {
  double along, height;  // share of the outline's radius; cm off the flap
};
// Rings 3…12 where the rim is free: back of the flap, rim, roll, scapha, antihelix, concha. The
// first two `along` count from the root to the outline.
constexpr Profile kRim[10] = {{0.55, -0.38}, {0.93, -0.26}, {1.03, -0.02}, {0.985, 0.12},
                              {0.90, 0.08},  {0.83, -0.10}, {0.70, 0.05},  {0.57, 0.06},
                              {0.45, -0.32}, {0.26, -0.62}};
// The same rings at the tragus: cheek, the flap's edge, then down into the concha.
constexpr Profile kCheek[10] = {{1.05, 0.0},   {1.01, 0.01}, {0.97, 0.03}, {0.93, 0.07},
                                {0.88, 0.13},  {0.80, 0.20}, {0.69, 0.22}, {0.58, 0.10},
                                {0.50, -0.25}, {0.30, -0.60}};

// Where the side of the head is, straight in from the outside.
double TraceX(const Sdf& field, Vec3 p) {
  double x = 9;
  for (int i = 0; i < 14; ++i) {
    const double f = field({x, p.y, p.z});
    if (std::abs(f) < 2e-3) break;
    x -= 0.9 * f;
  }
  return x;
}

}  // namespace

void SkinWrap::BuildEars(const HeadMeasures& m, const Sdf& field, std::vector<Vec3>* p) const {
  const RingPatch& ear = skin_.ear[1];
  const size_t n = ear.around();
  // The canal sits behind the joint of the jaw; the ear's long axis leans back.
  Vec3 middle;
  for (uint32_t v : ear.rings[0]) middle = middle + (1.0 / static_cast<double>(n)) * (*p)[v];
  const Vec3 canal = {middle.x + 0.02, -1.25 + m.ear_y, -8.35};
  const double lean = 14 * kPi / 180;
  const Vec3 up = {-0.06, std::cos(lean), -std::sin(lean)},
             back = {0, -std::sin(lean), -std::cos(lean)};
  const double flare = std::tan((27 + 9 * m.ear_protrusion) * kPi / 180);
  for (size_t i = 0; i < n; ++i) {
    const double bx = ear.border[i][0] * 1.5, by = ear.border[i][1] * 3.1;
    double angle = std::atan2(bx, by) * 180 / kPi;
    if (angle < 0) angle += 360;
    const double lobe = Round(kLobe, angle);
    const double radius = m.ear_scale * Round(kOutline, angle);
    const double free = Clamp01(Round(kFree, angle)), tragus = Clamp01(Round(kTragus, angle));
    const double a = std::cos(angle * kPi / 180), b = std::sin(angle * kPi / 180);
    const Vec3 border = (*p)[ear.rings[0][i]];
    const double root = Mix(1.10, Round(kRoot, angle), free);
    // On the head: half way from the border, then the root.
    const Vec3 foot = field.Project(canal + (radius * root * a) * up + (radius * root * b) * back);
    (*p)[ear.rings[1][i]] = field.Project(Mix(border, foot, 0.55));
    (*p)[ear.rings[2][i]] = foot;
    // The leaf follows the side of the head, from the canal to the rim.
    const double at_rim = TraceX(field, canal + (radius * a) * up + (radius * b) * back);
    const double from_top = angle > 180 ? angle - 360 : angle;
    const double hinge = 0.10 + 0.20 * std::exp(-0.5 * std::pow((from_top + 15) / 35, 2));
    for (size_t k = 0; k < 10; ++k) {
      Profile rim = kRim[k];
      if (k < 2) rim.along = Mix(root, 1, rim.along);
      const Profile cheek = kCheek[k];
      // The lobe has no roll and no scapha: a soft, thick leaf.
      if (k >= 3 && k <= 7) {
        const double leaf[] = {0.02, 0.06, 0.07, 0.05, 0.0};
        rim.height = Mix(rim.height, leaf[k - 3], lobe);
      }
      // The antihelix stands highest half way up behind the concha, and sinks towards the top.
      if (k == 6 || k == 7)
        rim.height += 0.14 * std::exp(-0.5 * std::pow((angle - 95) / 45, 2)) * (1 - lobe);
      const double r = radius * Mix(cheek.along, rim.along, free);
      Vec3 flat = canal + (r * a) * up + (r * b) * back;
      flat.x = Mix(canal.x, at_rim, 0.9 * std::min(1.0, r / radius));
      // The free flap opens backward from the head; its hinge is at the front.
      const double lift = flare * std::max(0.0, r * b + 0.35);
      const double outward = Mix(cheek.height + 0.22 * tragus * (k >= 4 && k <= 7 ? 1 : 0),
                                 rim.height + lift + hinge, free);
      Vec3 q = flat + Vec3{outward, 0, 0};
      // Where the cheek runs in, the first rings lie on the head itself.
      const double onto = (1 - free) * std::max(0.0, 1 - (static_cast<double>(k) + 1) / 5);
      if (onto > 0) q = Mix(q, field.Project(flat), onto);
      (*p)[ear.rings[k + 3][i]] = q;
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
