#include "native/head/fit/view.h"

#include <cmath>

namespace daf::head {
namespace {

void Orthonormalise(double r[9]) {
  double n = 1 / std::sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]);
  for (int i = 0; i < 3; ++i) r[i] *= n;
  const double d = r[0] * r[3] + r[1] * r[4] + r[2] * r[5];
  for (int i = 0; i < 3; ++i) r[3 + i] -= d * r[i];
  n = 1 / std::sqrt(r[3] * r[3] + r[4] * r[4] + r[5] * r[5]);
  for (int i = 0; i < 3; ++i) r[3 + i] *= n;
  r[6] = r[1] * r[5] - r[2] * r[4];
  r[7] = r[2] * r[3] - r[0] * r[5];
  r[8] = r[0] * r[4] - r[1] * r[3];
}

}  // namespace

void RotateLeft(const double w[3], double rotation[9]) {
  const double angle = std::sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]);
  const double s = angle > 1e-9 ? std::sin(angle) / angle : 1.0;
  const double c = angle > 1e-9 ? (1 - std::cos(angle)) / (angle * angle) : 0.5;
  const double k[9] = {0, -w[2], w[1], w[2], 0, -w[0], -w[1], w[0], 0};
  double e[9];
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      double kk = 0;
      for (int m = 0; m < 3; ++m) kk += k[3 * i + m] * k[3 * m + j];
      e[3 * i + j] = (i == j) + s * k[3 * i + j] + c * kk;
    }
  }
  double out[9];
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      out[3 * i + j] =
          e[3 * i] * rotation[j] + e[3 * i + 1] * rotation[3 + j] + e[3 * i + 2] * rotation[6 + j];
    }
  }
  Orthonormalise(out);
  for (int i = 0; i < 9; ++i) rotation[i] = out[i];
}

View View::From(const Camera& camera) {
  View view;
  for (int i = 0; i < 9; ++i) view.rotation[i] = camera.rotation[i];
  const double depth = -static_cast<double>(camera.translation[2]);
  view.x = camera.translation[0] / depth;
  view.y = camera.translation[1] / depth;
  view.log_depth = std::log(depth);
  view.log_focal = std::log(static_cast<double>(camera.focal));
  view.center[0] = camera.center[0];
  view.center[1] = camera.center[1];
  view.width = camera.width;
  view.height = camera.height;
  return view;
}

Camera View::ToCamera() const {
  Camera camera;
  for (int i = 0; i < 9; ++i) camera.rotation[i] = static_cast<float>(rotation[i]);
  const double depth = std::exp(log_depth);
  camera.translation[0] = static_cast<float>(x * depth);
  camera.translation[1] = static_cast<float>(y * depth);
  camera.translation[2] = static_cast<float>(-depth);
  camera.focal = static_cast<float>(std::exp(log_focal));
  camera.center[0] = static_cast<float>(center[0]);
  camera.center[1] = static_cast<float>(center[1]);
  camera.width = width;
  camera.height = height;
  return camera;
}

void View::Move(const double step[kViewParameters]) {
  RotateLeft(step, rotation);
  x += step[3];
  y += step[4];
  log_depth += step[5];
  log_focal += step[6];
}

bool View::Project(const double point[3], double pixel[2], double* jacobian,
                   double* by_point) const {
  const double* r = rotation;
  const double depth = std::exp(log_depth), focal = std::exp(log_focal);
  const double q[3] = {r[0] * point[0] + r[1] * point[1] + r[2] * point[2],
                       r[3] * point[0] + r[4] * point[1] + r[5] * point[2],
                       r[6] * point[0] + r[7] * point[1] + r[8] * point[2]};
  const double cx = q[0] + depth * x, cy = q[1] + depth * y, d = depth - q[2];
  if (!(d > 1e-6)) return false;
  const double inverse = 1 / d, u = cx * inverse, v = cy * inverse;
  pixel[0] = center[0] + focal * u;
  pixel[1] = center[1] - focal * v;
  // Derivatives of (u, v) by the camera-space point (cx, cy, z) with d = −z: (1/d, 0, u/d), (0,
  // 1/d, v/d).
  const double fu[3] = {focal * inverse, 0, focal * u * inverse};
  const double fv[3] = {0, -focal * inverse, -focal * v * inverse};
  if (jacobian != nullptr) {
    for (int row = 0; row < 2; ++row) {
      const double* f = row == 0 ? fu : fv;
      double* j = jacobian + row * kViewParameters;
      // d(camera point)/dw = −[q]×: the columns are (0, −q2, q1), (q2, 0, −q0), (−q1, q0, 0).
      j[0] = -f[1] * q[2] + f[2] * q[1];
      j[1] = f[0] * q[2] - f[2] * q[0];
      j[2] = -f[0] * q[1] + f[1] * q[0];
      j[3] = f[0] * depth;
      j[4] = f[1] * depth;
      j[5] = depth * (f[0] * x + f[1] * y - f[2]);
      j[6] = row == 0 ? focal * u : -focal * v;
    }
  }
  if (by_point != nullptr) {
    for (int row = 0; row < 2; ++row) {
      const double* f = row == 0 ? fu : fv;
      for (int k = 0; k < 3; ++k)
        by_point[3 * row + k] = f[0] * r[k] + f[1] * r[3 + k] + f[2] * r[6 + k];
    }
  }
  return true;
}

}  // namespace daf::head
