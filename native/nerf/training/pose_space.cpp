#include "native/nerf/training/pose_space.h"

#include <cmath>

namespace daf::nerf {
namespace {

constexpr int kPixels = 8, kDepths = 3;  // along each side of a picture, and along their rays
constexpr double kDamping = 0.1;         // of what hardly shows, as a share of what does
constexpr double kFarAway = 4;           // box edges, of what lies around an unbounded box

// a × b
void Cross(const double a[3], const double b[3], double out[3]) {
  out[0] = a[1] * b[2] - a[2] * b[1];
  out[1] = a[2] * b[0] - a[0] * b[2];
  out[2] = a[0] * b[1] - a[1] * b[0];
}

// In place: the lower triangle of a positive definite matrix → its Cholesky factor.
template <int n>
void Factor(double a[n][n]) {
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (int k = 0; k < j; ++k) sum -= a[i][k] * a[j][k];
      a[i][j] = i == j ? std::sqrt(sum) : sum / a[j][j];
    }
  }
}
template <int n>
void SolveLower(const double l[n][n], double x[n]) {
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < i; ++k) x[i] -= l[i][k] * x[k];
    x[i] /= l[i][i];
  }
}
template <int n>
void SolveUpper(const double l[n][n], double x[n]) {  // of the transpose
  for (int i = n; i-- > 0;) {
    for (int k = i + 1; k < n; ++k) x[i] -= l[k][i] * x[k];
    x[i] /= l[i][i];
  }
}

// exp([ω]×) and the mean of exp(s [ω]×) over s in 0…1, which is the left Jacobian (Rodrigues;
// Barfoot 2017, "State Estimation for Robotics", §7.1).
void Turn(const double w[3], double rotation[3][3], double jacobian[3][3]) {
  const double angle2 = w[0] * w[0] + w[1] * w[1] + w[2] * w[2], angle = std::sqrt(angle2);
  const bool small = angle < 1e-4;
  const double sine = small ? 1 - angle2 / 6 : std::sin(angle) / angle,
               versine = small ? 0.5 - angle2 / 24 : (1 - std::cos(angle)) / angle2,
               rest = small ? 1.0 / 6 - angle2 / 120 : (1 - sine) / angle2;
  const double hat[3][3] = {{0, -w[2], w[1]}, {w[2], 0, -w[0]}, {-w[1], w[0], 0}};
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      const double unit = a == b ? 1 : 0, square = w[a] * w[b] - unit * angle2;
      rotation[a][b] = unit + sine * hat[a][b] + versine * square;
      jacobian[a][b] = unit + versine * hat[a][b] + rest * square;
    }
  }
}

// Adds what a point at v from the camera's centre does to the mean square motion: seen along v, it
// moves by v × ω − τ across v, divided by its distance.
void AddPoint(const double v[3], double weight, double normal[6][6]) {
  const double length = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  double moved[6][3];
  for (int k = 0; k < 6; ++k) {
    double axis[3] = {0, 0, 0};
    axis[k % 3] = k < 3 ? -1 : 1;
    if (k >= 3) {
      double turned[3];
      Cross(v, axis, turned);
      for (int a = 0; a < 3; ++a) axis[a] = turned[a];
    }
    double along = 0;
    for (int a = 0; a < 3; ++a) along += axis[a] * v[a] / length;
    for (int a = 0; a < 3; ++a) moved[k][a] = (axis[a] - along * v[a] / length) / length;
  }
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j <= i; ++j) {
      for (int a = 0; a < 3; ++a) normal[i][j] += weight * moved[i][a] * moved[j][a];
    }
  }
}

}  // namespace

Status PoseSpace::Reserve(size_t pictures, Arena* arena) {
  count_ = pictures;
  return arena->Allocate(pictures, &pictures_);
}

void PoseSpace::Set(size_t i, const Camera& camera, const Box& box) {
  Picture& picture = pictures_[i];
  double normal[6][6] = {};
  // Lengths are shares of the picture's width.
  const double focal = double{camera.focal[0]} / camera.width, weight = focal * focal;
  Box inner = box;
  inner.unbounded = false;
  const auto pixel = [](int k, uint32_t side) {
    return (static_cast<float>(k) + 0.5f) * static_cast<float>(side) / kPixels;
  };
  double origin[3] = {};
  for (int k = 0; k < kPixels * kPixels; ++k) {
    const Ray ray =
        PixelRay(camera, pixel(k % kPixels, camera.width), pixel(k / kPixels, camera.height));
    const auto at = [&](double t) {
      const double v[3] = {t * ray.direction[0], t * ray.direction[1], t * ray.direction[2]};
      AddPoint(v, weight, normal);
    };
    for (int a = 0; a < 3; ++a) origin[a] = double{ray.origin[a]};
    float near, far;
    if (Clip(inner, ray, &near, &far)) {
      near = std::max(near, 0.03f * box.edge());
      for (int d = 0; d < kDepths; ++d) at(near + (d + 0.5) / kDepths * (far - near));
    }
    if (box.unbounded) at(kFarAway * box.edge());
  }
  // A camera that sees none of the box has nothing to say, but must have a scale.
  double trace = 0;
  for (int k = 0; k < 6; ++k) trace += normal[k][k];
  if (!(trace > 0)) {
    for (int k = 0; k < 3; ++k) {
      normal[k][k] = weight / (double{box.edge()} * box.edge());
      normal[3 + k][3 + k] = weight;
    }
  } else {
    const double samples = kPixels * kPixels * kDepths;
    for (auto& row : normal) {
      for (double& value : row) value /= samples;
    }
  }
  double largest[2] = {0, 0};
  for (int k = 0; k < 6; ++k) largest[k / 3] = std::max(largest[k / 3], normal[k][k]);
  for (int k = 0; k < 6; ++k) normal[k][k] += kDamping * largest[k / 3];
  Factor<6>(normal);
  for (int a = 0; a < 6; ++a) {
    for (int b = 0; b < 6; ++b) picture.lower[a][b] = b <= a ? normal[a][b] : 0.0;
  }
  // Turns about the box's middle, shifts, growth.
  double from[3];
  for (int a = 0; a < 3; ++a) from[a] = origin[a] - 0.5 * (double{box.min[a]} + box.max[a]);
  for (int c = 0; c < kCommon; ++c) {
    double motion[6] = {}, axis[3] = {};
    if (c < 6) axis[c % 3] = 1;
    if (c < 3) {
      Cross(axis, from, motion);
      for (int a = 0; a < 3; ++a) motion[3 + a] = axis[a];
    } else {
      for (int a = 0; a < 3; ++a) motion[a] = c < 6 ? axis[a] : from[a];
    }
    for (int b = 0; b < 6; ++b) {
      picture.common[b][c] = 0;
      for (int a = b; a < 6; ++a) picture.common[b][c] += picture.lower[a][b] * motion[a];
    }
  }
}

void PoseSpace::Close() {
  double normal[kCommon][kCommon] = {};
  for (size_t i = 0; i < count_; ++i) {
    const auto& common = pictures_[i].common;
    for (int a = 0; a < kCommon; ++a) {
      for (int b = 0; b < kCommon; ++b) {
        for (const auto& row : common) normal[a][b] += row[a] * row[b];
      }
    }
  }
  // One or two pictures do not tell all seven apart.
  for (int a = 0; a < kCommon; ++a) normal[a][a] = normal[a][a] * (1 + 1e-9) + 1e-30;
  Factor<kCommon>(normal);
  for (int a = 0; a < kCommon; ++a) {
    for (int b = 0; b < kCommon; ++b) normal_[a][b] = b <= a ? normal[a][b] : 0.0;
  }
}

void PoseSpace::Correction(size_t i, const float z[6], PoseVector out) const {
  for (int k = 0; k < 6; ++k) out[k] = double{z[k]};
  SolveUpper<6>(pictures_[i].lower, out);
}

void PoseSpace::Derivative(size_t i, const PoseVector correction, const PoseVector by_motion,
                           PoseVector by_z) const {
  double rotation[3][3], jacobian[3][3];
  Turn(correction + 3, rotation, jacobian);
  for (int a = 0; a < 3; ++a) {
    by_z[a] = by_motion[a];
    by_z[3 + a] = 0;
    for (int b = 0; b < 3; ++b) by_z[3 + a] += jacobian[b][a] * by_motion[3 + b];
  }
  SolveLower<6>(pictures_[i].lower, by_z);
}

void PoseSpace::Settle(float* z) const {
  double common[kCommon] = {};
  for (size_t i = 0; i < count_; ++i) {
    for (int b = 0; b < 6; ++b) {
      for (int c = 0; c < kCommon; ++c) common[c] += pictures_[i].common[b][c] * z[i * 6 + b];
    }
  }
  SolveLower<kCommon>(normal_, common);
  SolveUpper<kCommon>(normal_, common);
  for (size_t i = 0; i < count_; ++i) {
    for (int b = 0; b < 6; ++b) {
      double part = 0;
      for (int c = 0; c < kCommon; ++c) part += pictures_[i].common[b][c] * common[c];
      z[i * 6 + b] -= static_cast<float>(part);
    }
  }
}

Camera Corrected(const Camera& camera, const PoseVector correction) {
  double rotation[3][3], jacobian[3][3], center[3];
  Turn(correction + 3, rotation, jacobian);
  Camera out = camera;
  for (int a = 0; a < 3; ++a) {
    center[a] = correction[a];
    for (int b = 0; b < 3; ++b)
      center[a] -= double{camera.rotation[b * 3 + a]} * camera.translation[b];
  }
  for (int a = 0; a < 3; ++a) {
    double along = 0;
    for (int b = 0; b < 3; ++b) {
      double entry = 0;  // of R exp(−ω)
      for (int k = 0; k < 3; ++k) entry += double{camera.rotation[a * 3 + k]} * rotation[b][k];
      out.rotation[a * 3 + b] = static_cast<float>(entry);
      along += entry * center[b];
    }
    out.translation[a] = static_cast<float>(-along);
  }
  return out;
}

}  // namespace daf::nerf
