// Test only: distance between two shapes once size, place and direction are taken out.
#pragma once

#include <cmath>
#include <cstddef>

namespace daf::head {

// Mean distance of from[count][3] to to[count][3] after the least-squares similarity (Horn 1987):
// the rotation is the quaternion that belongs to the largest eigenvalue of a symmetric 4×4 matrix,
// found by shifted power iteration.
inline double MeanDistanceAfterSimilarity(const float* from, const float* to, size_t count) {
  double a[3] = {0, 0, 0}, b[3] = {0, 0, 0};
  for (size_t i = 0; i < 3 * count; ++i) {
    a[i % 3] += from[i] / static_cast<double>(count);
    b[i % 3] += to[i] / static_cast<double>(count);
  }
  double s[3][3] = {}, norm = 0;
  for (size_t i = 0; i < count; ++i) {
    for (int r = 0; r < 3; ++r) {
      const double x = from[3 * i + r] - a[r];
      norm += x * x;
      for (int c = 0; c < 3; ++c) s[r][c] += x * (to[3 * i + c] - b[c]);
    }
  }
  const double n[4][4] = {
      {s[0][0] + s[1][1] + s[2][2], s[1][2] - s[2][1], s[2][0] - s[0][2], s[0][1] - s[1][0]},
      {s[1][2] - s[2][1], s[0][0] - s[1][1] - s[2][2], s[0][1] + s[1][0], s[2][0] + s[0][2]},
      {s[2][0] - s[0][2], s[0][1] + s[1][0], -s[0][0] + s[1][1] - s[2][2], s[1][2] + s[2][1]},
      {s[0][1] - s[1][0], s[2][0] + s[0][2], s[1][2] + s[2][1], -s[0][0] - s[1][1] + s[2][2]}};
  double q[4] = {1, 0.1, 0.1, 0.1}, shift = 0;
  for (const auto& row : n) {
    double sum = 0;
    for (double x : row) sum += std::abs(x);
    shift = std::fmax(shift, sum);
  }
  for (int iteration = 0; iteration < 2000; ++iteration) {
    double p[4], length = 0;
    for (int r = 0; r < 4; ++r) {
      p[r] = shift * q[r];
      for (int c = 0; c < 4; ++c) p[r] += n[r][c] * q[c];
      length += p[r] * p[r];
    }
    for (int r = 0; r < 4; ++r) q[r] = p[r] / std::sqrt(length);
  }
  const double w = q[0], x = q[1], y = q[2], z = q[3];
  const double rotation[3][3] = {
      {1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
      {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
      {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}};
  double trace = 0;
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 3; ++c) trace += rotation[r][c] * s[c][r];
  const double scale = trace / norm;
  double sum = 0;
  for (size_t i = 0; i < count; ++i) {
    double d2 = 0;
    for (int r = 0; r < 3; ++r) {
      double v = b[r];
      for (int c = 0; c < 3; ++c) v += scale * rotation[r][c] * (from[3 * i + c] - a[c]);
      d2 += (v - to[3 * i + r]) * (v - to[3 * i + r]);
    }
    sum += std::sqrt(d2);
  }
  return sum / static_cast<double>(count);
}

}  // namespace daf::head
