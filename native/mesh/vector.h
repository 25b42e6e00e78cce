// Three-component arithmetic for the files of this folder.
#pragma once

#include <cmath>

#include "native/mesh/mesh.h"

namespace daf::mesh {

inline Point Minus(const Point& a, const Point& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
// a + s·b
inline Point Along(const Point& a, float s, const Point& b) {
  return {a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]};
}
inline float Dot(const Point& a, const Point& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
inline Point Cross(const Point& a, const Point& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
inline float Length(const Point& a) { return std::sqrt(Dot(a, a)); }
// Unit length; `otherwise` where a is too short to have a direction.
inline Point Unit(const Point& a, const Point& otherwise) {
  const float length = Length(a);
  if (!(length > 1e-20f)) return otherwise;
  return {a[0] / length, a[1] / length, a[2] / length};
}
// Normal of a triangle, twice as long as its area is large.
inline Point AreaNormal(const Point& a, const Point& b, const Point& c) {
  return Cross(Minus(b, a), Minus(c, a));
}

}  // namespace daf::mesh
