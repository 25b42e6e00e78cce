// From the border of the vermilion over the lips into the mouth.
#include <algorithm>
#include <cmath>

#include "native/head/model/skin.h"

namespace daf::head {
namespace {

using T = SkinTemplate;
constexpr double kPi = 3.14159265358979323846;

// t: 0 on the midline, 1 at the corner.
double ContactY(const HeadMeasures& m, double t) {
  return m.mouth_y + 0.035 * std::cos(kPi * std::min(1.0, 2.2 * t)) - 0.03 + m.mouth_corner * t * t;
}

double UpperBorderY(const HeadMeasures& m, double t) {
  const double corner = ContactY(m, 1), peak = m.mouth_y + m.lip_upper + 0.02;
  if (t < 0.17) return peak - m.cupid_bow * (0.5 + 0.5 * std::cos(kPi * t / 0.17));
  const double s = (t - 0.17) / 0.83;
  return Mix(peak, corner, std::pow(s, 1.25));
}

double LowerBorderY(const HeadMeasures& m, double t) {
  const double corner = ContactY(m, 1), low = m.mouth_y - m.lip_lower;
  return Mix(corner, low, std::pow(std::max(0.0, 1 - std::pow(t, 2.1)), 0.85));
}

double TraceZ(const Sdf& field, double x, double y) {
  double z = 4.5;
  for (int i = 0; i < 60; ++i) {
    const double f = field({x, y, z});
    if (std::abs(f) < 3e-4) break;
    z -= 0.8 * f;
  }
  return z;
}

}  // namespace

void SkinWrap::BuildLips(const HeadMeasures& m, const Sdf& field, std::vector<Vec3>* p) const {
  const RingPatch& mouth = skin_.mouth;
  const size_t n = mouth.around();
  const int half = static_cast<int>(n) / 4;  // steps from the midline to a corner
  for (size_t i = 0; i < n; ++i) {
    if (mouth.border[i][0] < 0) continue;  // the subject's right is copied
    // Position along the upper or lower half, 0 midline … 1 corner.
    const int from_top = std::min(static_cast<int>(i), static_cast<int>(n) - static_cast<int>(i));
    const bool upper = from_top <= half;
    const double even = upper ? static_cast<double>(from_top) / half
                              : static_cast<double>(2 * half - from_top) / half;
    const double t = Mix(even, std::sin(0.5 * kPi * even), 0.55);
    const double x = m.mouth_half_width * t;
    const double contact = ContactY(m, t), border = upper ? UpperBorderY(m, t) : LowerBorderY(m, t);
    const double fade = std::sqrt(std::max(0.0, 1 - t * t));
    const double full = (0.22 + m.lip_fullness) * fade;
    // At the corner the rings lie side by side, the border outermost.
    const double corner = t * t * t * t;
    auto lip = [&](double s, double swell, double out) {
      const double y = Mix(border, contact, s), wide = x + out * corner;
      return Vec3{wide, y, TraceZ(field, wide, y) + swell};
    };
    (*p)[mouth.rings[3][i]] = lip(0, 0.02 * fade, 0.15);
    (*p)[mouth.rings[4][i]] = lip(0.44, (upper ? 0.85 : 1.0) * full, 0.09);
    (*p)[mouth.rings[5][i]] = lip(0.86, (upper ? 0.45 : 0.60) * full - 0.05 * fade, 0.04);
    const double gap = 0.012 * (upper ? 1 : -1) * fade;
    const double z = TraceZ(field, x, contact) - 0.06 - 0.10 * fade;
    (*p)[mouth.rings[6][i]] = {x, contact + gap, z};
    // Inside: the lips lie on the teeth, then the cavity opens.
    const double up = upper ? 1 : -1;
    (*p)[mouth.rings[7][i]] = {0.97 * x, contact + gap + up * (0.10 * fade + 0.03 * (1 - t)),
                               z - 0.28};
    (*p)[mouth.rings[8][i]] = {0.95 * x, contact + up * (0.42 * fade + 0.06 * (1 - t)), z - 0.46};
    const double angle = upper ? 0.5 * kPi * (1 - t) : -0.5 * kPi * (1 - t);
    const double depth[] = {0.15, -1.6, -3.6}, wide[] = {2.35, 2.3, 1.6}, high[] = {1.05, 1.2, 0.9};
    for (size_t k = 0; k < 3; ++k) {
      (*p)[mouth.rings[9 + k][i]] = {wide[k] * std::cos(angle),
                                     m.mouth_y + 0.05 + high[k] * std::sin(angle),
                                     depth[k] + m.muzzle - (k == 0 ? 0.9 * t * t : 0.5 * t * t)};
    }
  }
  (*p)[mouth.pole] = {0, m.mouth_y + 0.05, -4.4 + m.muzzle};
  for (size_t k = 3; k < mouth.rings.size(); ++k) {
    for (size_t i = 0; i < n; ++i) {
      if (mouth.border[i][0] < 0) {
        const Vec3 left = (*p)[mouth.rings[k][(n - i) % n]];
        (*p)[mouth.rings[k][i]] = {-left.x, left.y, left.z};
      } else if (mouth.border[i][0] == 0) {
        (*p)[mouth.rings[k][i]].x = 0;
      }
    }
  }
}

}  // namespace daf::head
