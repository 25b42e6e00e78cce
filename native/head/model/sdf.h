// A signed distance field as an ordered list of smooth unions, carvings and displacements. Negative
// inside, cm. Each shape knows a ball that holds it, so that far shapes cost one distance.
#pragma once

#include <array>
#include <cmath>
#include <vector>

namespace daf::head {

struct Vec3 {
  double x = 0, y = 0, z = 0;
};
inline Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator*(double s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }
inline double Dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 Cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double Length(Vec3 a) { return std::sqrt(Dot(a, a)); }
inline Vec3 Normalised(Vec3 a) {
  const double length = Length(a);
  return length > 1e-12 ? (1 / length) * a : Vec3{0, 0, 1};
}
inline Vec3 Mix(Vec3 a, Vec3 b, double t) { return a + t * (b - a); }
inline double Mix(double a, double b, double t) { return a + t * (b - a); }
inline double Clamp01(double t) { return t < 0 ? 0 : t > 1 ? 1 : t; }
inline double SmoothStep(double low, double high, double v) {
  const double t = Clamp01((v - low) / (high - low));
  return t * t * (3 - 2 * t);
}

class Sdf {
 public:
  // rx, ry, rz: degrees, turned about x, then y, then z. A shape with center.x ≠ 0 is added on both
  // sides.
  void Ellipsoid(Vec3 center, Vec3 radii, double blend, double rx = 0, double ry = 0,
                 double rz = 0);
  void RoundCone(Vec3 a, Vec3 b, double ra, double rb, double blend);
  void CarveEllipsoid(Vec3 center, Vec3 radii, double blend, double rx = 0, double ry = 0,
                      double rz = 0);
  // Moves the surface outward by `height` (negative: inward) at the centre, fading as a Gaussian of
  // these widths.
  void Bump(Vec3 center, Vec3 widths, double height);
  // The same along a segment, fading over `width` across and towards both ends.
  void Ridge(Vec3 a, Vec3 b, double width, double height);
  // The same along an arc given by its points.
  void RidgeAlong(const std::vector<Vec3>& points, double width, double height);

  double operator()(Vec3 p) const;
  Vec3 Gradient(Vec3 p) const;
  // Nearest surface by damped Newton steps along the gradient.
  Vec3 Project(Vec3 p, int steps = 12) const;

 private:
  enum class Kind { kEllipsoid, kCone, kCarve, kBump, kRidge };
  struct Op {
    Kind kind;
    Vec3 a, b;              // centre and radii, or the two ends
    double ra = 0, rb = 0;  // radii of a cone; width and height of a ridge; height of a bump in ra
    double blend = 0;
    std::array<double, 9> turn{};  // world → shape
    bool turned = false;
    Vec3 middle;
    double reach = 0;  // everything lies within this of `middle`
  };
  void Add(Op op);
  std::vector<Op> ops_;
};

}  // namespace daf::head
