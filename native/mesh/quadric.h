// Quadric error (Garland and Heckbert 1997, "Surface simplification using quadric error metrics"):
// the sum of squared distances of a point to planes, each weighted.
#pragma once

#include "native/mesh/vector.h"

namespace daf::mesh {

class Quadric {
 public:
  // The plane through `point` with unit normal.
  void AddPlane(const Point& normal, const Point& point, double weight);
  // The squared distance to a point: keeps flat places from having no optimum.
  void AddPoint(const Point& point, double weight);
  void Add(const Quadric& other);
  double Error(const Point& at) const;
  // The point of least error; false where the planes do not determine one.
  bool Optimum(Point* out) const;

 private:
  double xx_ = 0, xy_ = 0, xz_ = 0, yy_ = 0, yz_ = 0, zz_ = 0;  // xᵀAx − 2bᵀx + c
  double b_[3] = {0, 0, 0}, c_ = 0;
};

}  // namespace daf::mesh
