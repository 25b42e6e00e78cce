// A camera as the least-squares solvers move it: double precision, seven parameters, analytic
// derivatives.
#pragma once

#include "native/head/camera.h"

namespace daf::head {

// Rotation is moved from the left by a small rotation vector, depth and focal length by their
// logarithms, so that every step is meaningful at every distance. Parameters: 0–2 rotation vector
// (radians, camera axes), 3–4 the head origin's position divided by its depth, 5 log depth, 6 log
// focal.
constexpr int kViewParameters = 7;

struct View {
  double rotation[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  double x = 0, y = 0, log_depth = 4.1;  // translation = depth·(x, y, −1)
  double log_focal = 6.9;
  double center[2] = {0, 0};
  int width = 0, height = 0;

  static View From(const Camera& camera);
  Camera ToCamera() const;
  // Applies an increment of all seven parameters.
  void Move(const double step[kViewParameters]);
  // Pixel of a head-space point. When given: jacobian[2][7] by the parameters and by_point[2][3] by
  // the point. False when the point is not in front of the camera.
  bool Project(const double point[3], double pixel[2], double* jacobian, double* by_point) const;
};

// rotation := exp([w]) · rotation, re-orthonormalised.
void RotateLeft(const double w[3], double rotation[9]);

}  // namespace daf::head
