// The rims of the lids and the pockets behind them.
#include <algorithm>
#include <cmath>

#include "native/head/model/skin.h"

namespace daf::head {
namespace {

using T = SkinTemplate;
constexpr double kPi = 3.14159265358979323846;

// Seen from the front, relative to the ball's centre: s = 0 at the inner corner, 1 at the outer.
Vec3 LidEdge(const HeadMeasures& m, double s, bool upper) {
  const double x = Mix(-m.eye_inner, m.eye_outer, s);
  const double line = Mix(-0.10 - 0.5 * m.eye_tilt, -0.02 + m.eye_tilt, s);
  const double skew = std::pow(s, upper ? 0.86 : 1.30);
  const double arch = std::pow(std::max(0.0, 4 * skew * (1 - skew)), upper ? 0.88 : 0.92);
  const double y = line + (upper ? m.eye_upper : -m.eye_lower) * arch;
  return {x, y, 0};
}

// On the ball, stretched sideways so that both corners find a place: the inner one lies well
// forward.
double LidDepth(double x, double y, double radius) {
  const double across = x < 0 ? 1.66 : 1.36;
  const double rest = 1 - x * x / (across * across) - y * y / (1.25 * 1.25);
  return radius * std::sqrt(std::max(0.02, rest));
}

}  // namespace

void SkinWrap::BuildLids(const HeadMeasures& m, const Sdf& field, bool first,
                         std::vector<Vec3>* p) const {
  const RingPatch& eye = skin_.eye[1];
  const size_t n = eye.around();
  const Vec3 center = EyeCenter(m);
  const int columns = T::kEyeColumn1 - T::kEyeColumn0, rows = T::kEyeRow1 - T::kEyeRow0;
  const int arc = columns + rows;  // steps from corner to corner, over or under
  for (size_t i = 0; i < n; ++i) {
    // Steps from the outer corner, counter-clockwise: over the upper lid first.
    const int outer = columns + rows / 2;
    const int step = (static_cast<int>(i) - outer + 2 * arc) % (2 * arc);
    const bool upper = step <= arc;
    const double even =
        upper ? 1 - static_cast<double>(step) / arc : static_cast<double>(step - arc) / arc;
    const double s = Mix(even, 0.5 - 0.5 * std::cos(kPi * even), 0.35);
    const Vec3 edge = LidEdge(m, s, upper);
    auto on_lid = [&](double radius, double open) {
      // `open` widens the slit a little: the margin has a thickness.
      const double y = edge.y + (upper ? open : -open) * std::min(1.0, 6 * s * (1 - s) + 0.15);
      return center + Vec3{edge.x, y, LidDepth(edge.x, y, radius)};
    };
    const Vec3 front = on_lid(kEyeRadius + 0.165, 0.045), back = on_lid(kEyeRadius + 0.045, 0);
    (*p)[eye.rings[5][i]] = front;
    (*p)[eye.rings[6][i]] = back;
    if (first) {
      const Vec3 border = (*p)[eye.rings[0][i]];
      const double along[] = {0.30, 0.55, 0.76, 0.91};
      for (size_t k = 0; k < 4; ++k)
        (*p)[eye.rings[k + 1][i]] = field.Project(Mix(border, front, along[k]));
    }
    // The pocket: round the ball to its back.
    const Vec3 d = Normalised(back - center);
    const double polar = std::acos(std::clamp(d.z, -1.0, 1.0)), azimuth = std::atan2(d.y, d.x);
    const double turn[] = {0.30, 0.60, 0.86};
    for (size_t k = 0; k < 3; ++k) {
      const double a = Mix(polar, kPi, turn[k]),
                   r = Mix(Length(back - center), kEyeRadius + 0.06, std::min(1.0, 2 * turn[k]));
      Vec3 at = center + r * Vec3{std::sin(a) * std::cos(azimuth), std::sin(a) * std::sin(azimuth),
                                  std::cos(a)};
      // At the inner corner the lining comes forward to the ball: the caruncle.
      if (k == 0)
        at = Mix(at, center + (kEyeRadius + 0.02) * Normalised({-0.93, 0.5 * edge.y, 0.80}),
                 0.92 * SmoothStep(0.20, 0.02, s));
      (*p)[eye.rings[k + 7][i]] = at;
    }
  }
  (*p)[eye.pole] = center - Vec3{0, 0, kEyeRadius + 0.06};
  for (size_t k = 1; k < eye.rings.size(); ++k) {
    for (size_t i = 0; i < n; ++i) {
      const Vec3 left = (*p)[eye.rings[k][i]];
      (*p)[skin_.eye[0].rings[k][i]] = {-left.x, left.y, left.z};
    }
  }
  const Vec3 pole = (*p)[eye.pole];
  (*p)[skin_.eye[0].pole] = {-pole.x, pole.y, pole.z};
}

}  // namespace daf::head
