#include "native/head/model/sdf.h"

#include <algorithm>

namespace daf::head {
namespace {

constexpr double kDegree = 0.017453292519943295;

std::array<double, 9> Turn(double rx, double ry, double rz) {
  const double cx = std::cos(rx * kDegree), sx = std::sin(rx * kDegree);
  const double cy = std::cos(ry * kDegree), sy = std::sin(ry * kDegree);
  const double cz = std::cos(rz * kDegree), sz = std::sin(rz * kDegree);
  // Transpose of Rz·Ry·Rx: takes world offsets into the shape's own axes.
  return {cz * cy,
          sz * cy,
          -sy,
          cz * sy * sx - sz * cx,
          sz * sy * sx + cz * cx,
          cy * sx,
          cz * sy * cx + sz * sx,
          sz * sy * cx - cz * sx,
          cy * cx};
}

Vec3 Apply(const std::array<double, 9>& m, Vec3 v) {
  return {m[0] * v.x + m[1] * v.y + m[2] * v.z, m[3] * v.x + m[4] * v.y + m[5] * v.z,
          m[6] * v.x + m[7] * v.y + m[8] * v.z};
}

// Polynomial smooth minimum: equals the smaller one as soon as they differ by `k`.
double SmoothMin(double a, double b, double k) {
  const double h = std::max(k - std::abs(a - b), 0.0);
  return std::min(a, b) - h * h / (4 * k);
}

double EllipsoidDistance(Vec3 q, Vec3 r) {
  const Vec3 s = {q.x / r.x, q.y / r.y, q.z / r.z};
  const double k0 = Length(s);
  if (k0 < 1e-9) return -std::min({r.x, r.y, r.z});
  const double k1 = Length({s.x / r.x, s.y / r.y, s.z / r.z});
  return k0 * (k0 - 1) / k1;
}

// Sphere swept from a to b with linearly changing radius: exact enough where the radii change
// slowly.
double ConeDistance(Vec3 p, Vec3 a, Vec3 b, double ra, double rb) {
  const Vec3 ab = b - a;
  const double t = Clamp01(Dot(p - a, ab) / Dot(ab, ab));
  return Length(p - a - t * ab) - Mix(ra, rb, t);
}

}  // namespace

void Sdf::Add(Op op) {
  ops_.push_back(op);
  const bool segment = op.kind == Kind::kCone || op.kind == Kind::kRidge;
  if (op.a.x == 0 && (!segment || op.b.x == 0)) return;
  op.a.x = -op.a.x;
  if (segment) op.b.x = -op.b.x;
  op.middle.x = -op.middle.x;
  for (int i : {1, 2, 3, 6}) op.turn[static_cast<size_t>(i)] = -op.turn[static_cast<size_t>(i)];
  ops_.push_back(op);
}

void Sdf::Ellipsoid(Vec3 center, Vec3 radii, double blend, double rx, double ry, double rz) {
  Op op;
  op.kind = Kind::kEllipsoid;
  op.a = op.middle = center;
  op.b = radii;
  op.blend = blend;
  op.turn = Turn(rx, ry, rz);
  op.turned = rx != 0 || ry != 0 || rz != 0;
  op.reach = std::max({radii.x, radii.y, radii.z});
  Add(op);
}

void Sdf::CarveEllipsoid(Vec3 center, Vec3 radii, double blend, double rx, double ry, double rz) {
  const size_t first = ops_.size();
  Ellipsoid(center, radii, blend, rx, ry, rz);
  for (size_t i = first; i < ops_.size(); ++i) ops_[i].kind = Kind::kCarve;
}

void Sdf::RoundCone(Vec3 a, Vec3 b, double ra, double rb, double blend) {
  Op op;
  op.kind = Kind::kCone;
  op.a = a;
  op.b = b;
  op.ra = ra;
  op.rb = rb;
  op.blend = blend;
  op.middle = Mix(a, b, 0.5);
  op.reach = 0.5 * Length(b - a) + std::max(ra, rb);
  Add(op);
}

void Sdf::Bump(Vec3 center, Vec3 widths, double height) {
  Op op;
  op.kind = Kind::kBump;
  op.a = op.middle = center;
  op.b = widths;
  op.ra = height;
  op.reach = 3.5 * std::max({widths.x, widths.y, widths.z});
  Add(op);
}

void Sdf::Ridge(Vec3 a, Vec3 b, double width, double height) {
  Op op;
  op.kind = Kind::kRidge;
  op.a = a;
  op.b = b;
  op.ra = width;
  op.rb = height;
  op.middle = Mix(a, b, 0.5);
  op.reach = 0.5 * Length(b - a) + 3.5 * width;
  Add(op);
}

void Sdf::RidgeAlong(const std::vector<Vec3>& points, double width, double height) {
  for (size_t i = 0; i + 1 < points.size(); ++i) Ridge(points[i], points[i + 1], width, height);
}

double Sdf::operator()(Vec3 p) const {
  double f = 1e3;
  for (const Op& op : ops_) {
    const double away = Length(p - op.middle) - op.reach;
    switch (op.kind) {
      case Kind::kEllipsoid:
      case Kind::kCone: {
        if (away > f + op.blend) break;
        double d;
        if (op.kind == Kind::kCone) {
          d = ConeDistance(p, op.a, op.b, op.ra, op.rb);
        } else {
          d = EllipsoidDistance(op.turned ? Apply(op.turn, p - op.a) : p - op.a, op.b);
        }
        f = f > 500 ? d : SmoothMin(f, d, op.blend);
        break;
      }
      case Kind::kCarve: {
        if (away > op.blend - f) break;
        f = -SmoothMin(-f, EllipsoidDistance(op.turned ? Apply(op.turn, p - op.a) : p - op.a, op.b),
                       op.blend);
        break;
      }
      case Kind::kBump: {
        if (away > 0) break;
        const Vec3 d = p - op.a;
        const double e = d.x * d.x / (op.b.x * op.b.x) + d.y * d.y / (op.b.y * op.b.y) +
                         d.z * d.z / (op.b.z * op.b.z);
        f -= op.ra * std::exp(-0.5 * e);
        break;
      }
      case Kind::kRidge: {
        if (away > 0) break;
        const double d = ConeDistance(p, op.a, op.b, 0, 0);
        f -= op.rb * std::exp(-0.5 * d * d / (op.ra * op.ra));
        break;
      }
    }
  }
  return f;
}

Vec3 Sdf::Gradient(Vec3 p) const {
  constexpr double h = 0.01;
  const Sdf& f = *this;
  return {(f({p.x + h, p.y, p.z}) - f({p.x - h, p.y, p.z})) / (2 * h),
          (f({p.x, p.y + h, p.z}) - f({p.x, p.y - h, p.z})) / (2 * h),
          (f({p.x, p.y, p.z + h}) - f({p.x, p.y, p.z - h})) / (2 * h)};
}

Vec3 Sdf::Project(Vec3 p, int steps) const {
  for (int i = 0; i < steps; ++i) {
    const double f = (*this)(p);
    if (std::abs(f) < 2e-4) break;
    const Vec3 g = Gradient(p);
    const double g2 = std::max(0.09, Dot(g, g));
    const double step = std::clamp(f / g2, -0.6, 0.6);
    p = p - step * g;
  }
  return p;
}

}  // namespace daf::head
