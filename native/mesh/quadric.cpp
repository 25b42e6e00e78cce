#include "native/mesh/quadric.h"

namespace daf::mesh {

void Quadric::AddPlane(const Point& n, const Point& point, double weight) {
  const double x = n[0], y = n[1], z = n[2];
  const double d = x * point[0] + y * point[1] + z * point[2];
  xx_ += weight * x * x;
  xy_ += weight * x * y;
  xz_ += weight * x * z;
  yy_ += weight * y * y;
  yz_ += weight * y * z;
  zz_ += weight * z * z;
  b_[0] += weight * x * d;
  b_[1] += weight * y * d;
  b_[2] += weight * z * d;
  c_ += weight * d * d;
}

void Quadric::AddPoint(const Point& point, double weight) {
  xx_ += weight;
  yy_ += weight;
  zz_ += weight;
  for (int a = 0; a < 3; ++a) {
    b_[a] += weight * point[a];
    c_ += weight * point[a] * point[a];
  }
}

void Quadric::Add(const Quadric& other) {
  xx_ += other.xx_;
  xy_ += other.xy_;
  xz_ += other.xz_;
  yy_ += other.yy_;
  yz_ += other.yz_;
  zz_ += other.zz_;
  for (int a = 0; a < 3; ++a) b_[a] += other.b_[a];
  c_ += other.c_;
}

double Quadric::Error(const Point& at) const {
  const double x = at[0], y = at[1], z = at[2];
  return x * (xx_ * x + 2 * (xy_ * y + xz_ * z - b_[0])) + y * (yy_ * y + 2 * (yz_ * z - b_[1])) +
         z * (zz_ * z - 2 * b_[2]) + c_;
}

bool Quadric::Optimum(Point* out) const {
  // Cramer's rule; the matrix is symmetric.
  const double m00 = yy_ * zz_ - yz_ * yz_, m01 = xz_ * yz_ - xy_ * zz_,
               m02 = xy_ * yz_ - xz_ * yy_;
  const double det = xx_ * m00 + xy_ * m01 + xz_ * m02;
  const double trace = xx_ + yy_ + zz_;
  if (!(det > 1e-9 * trace * trace * trace)) return false;
  const double m11 = xx_ * zz_ - xz_ * xz_, m12 = xy_ * xz_ - xx_ * yz_,
               m22 = xx_ * yy_ - xy_ * xy_;
  *out = {static_cast<float>((m00 * b_[0] + m01 * b_[1] + m02 * b_[2]) / det),
          static_cast<float>((m01 * b_[0] + m11 * b_[1] + m12 * b_[2]) / det),
          static_cast<float>((m02 * b_[0] + m12 * b_[1] + m22 * b_[2]) / det)};
  return true;
}

}  // namespace daf::mesh
