#include "native/head/fit/pose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "native/head/fit/dense.h"
#include "native/head/fit/view.h"

namespace daf::head {
namespace {

struct Point {
  double x[3];
  double pixel[2];
  double weight;
};

struct Problem {
  std::vector<Point> points;
  double log_focal = 0;     // prior mean
  double focal_spread = 0;  // 0: fixed
  double noise_pixels = 1;  // one standard deviation of a landmark's distance, per axis
};

// Larger over smaller eigenvalue question: the spread along the second axis relative to the first.
double SecondSpread2(double a, double b, double c) {
  const double mean = 0.5 * (a + c), difference = std::sqrt(0.25 * (a - c) * (a - c) + b * b);
  return mean + difference > 0 ? std::max(0.0, mean - difference) / (mean + difference) : 0;
}

Status Gather(const float* points, const float* pixels, const float* weights, int count,
              Problem* out) {
  for (int i = 0; i < count; ++i) {
    const double weight = weights == nullptr ? 1.0 : weights[i];
    if (!std::isfinite(weight) || weight < 0) {
      return Status(Code::kBadArgument,
                    "pose: the weight of landmark " + std::to_string(i) + " is not a number ≥ 0");
    }
    if (weight == 0) continue;
    Point p;
    for (int k = 0; k < 3; ++k) p.x[k] = points[3 * i + k];
    for (int k = 0; k < 2; ++k) p.pixel[k] = pixels[2 * i + k];
    p.weight = weight;
    if (!std::isfinite(p.x[0] + p.x[1] + p.x[2]) || !std::isfinite(p.pixel[0] + p.pixel[1])) {
      return Status(Code::kBadArgument,
                    "pose: landmark " + std::to_string(i) + " is not a finite number",
                    "give it weight 0 if it was not found");
    }
    out->points.push_back(p);
  }
  if (out->points.size() < 6) {
    return Status(Code::kBadArgument, "pose: needs at least 6 landmarks with a weight, got " +
                                          std::to_string(out->points.size()));
  }
  return Status::Ok();
}

struct Moments {
  double point[3] = {0, 0, 0},
         pixel[2] = {0, 0};    // weighted means; pixel relative to the principal point, y up
  double covariance[9] = {0};  // of the points
  double cross[6] = {0};       // pixel × point
  double pixels[3] = {0};      // xx, xy, yy
};

Moments Measure(const Problem& problem, const View& view) {
  Moments m;
  double total = 0;
  for (const Point& p : problem.points) total += p.weight;
  for (const Point& p : problem.points) {
    const double w = p.weight / total;
    for (int k = 0; k < 3; ++k) m.point[k] += w * p.x[k];
    m.pixel[0] += w * (p.pixel[0] - view.center[0]);
    m.pixel[1] += w * (view.center[1] - p.pixel[1]);
  }
  for (const Point& p : problem.points) {
    const double w = p.weight / total;
    const double d[3] = {p.x[0] - m.point[0], p.x[1] - m.point[1], p.x[2] - m.point[2]};
    const double e[2] = {p.pixel[0] - view.center[0] - m.pixel[0],
                         view.center[1] - p.pixel[1] - m.pixel[1]};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) m.covariance[3 * i + j] += w * d[i] * d[j];
      m.cross[i] += w * e[0] * d[i];
      m.cross[3 + i] += w * e[1] * d[i];
    }
    m.pixels[0] += w * e[0] * e[0];
    m.pixels[1] += w * e[0] * e[1];
    m.pixels[2] += w * e[1] * e[1];
  }
  return m;
}

// The 3D points must not lie on one line: the two smaller eigenvalues of their covariance may not
// both vanish.
bool OnALine(const double c[9]) {
  const double trace = c[0] + c[4] + c[8];
  const double minors =
      c[0] * c[4] - c[1] * c[3] + c[0] * c[8] - c[2] * c[6] + c[4] * c[8] - c[5] * c[7];
  return !(trace > 0) || minors < 1e-4 * trace * trace;
}

// Linear least squares for a scaled orthographic camera, then the perspective camera at the depth
// that has its scale.
Status WeakPerspective(const Moments& m, double focal, View* view) {
  double a[9];
  const double ridge = 1e-3 * (m.covariance[0] + m.covariance[4] + m.covariance[8]);
  for (int i = 0; i < 9; ++i) a[i] = m.covariance[i] + (i % 4 == 0 ? ridge : 0);
  if (!Cholesky(a, 3)) return Status(Code::kBadArgument, "pose: the head's points coincide");
  double rows[6];
  for (int i = 0; i < 6; ++i) rows[i] = m.cross[i];
  SolveCholesky(a, 3, rows);
  SolveCholesky(a, 3, rows + 3);
  // (A Aᵀ)^½ of the 2×2 Gram matrix in closed form; its inverse times A is the nearest pair of
  // orthonormal rows.
  const double p = rows[0] * rows[0] + rows[1] * rows[1] + rows[2] * rows[2];
  const double q = rows[0] * rows[3] + rows[1] * rows[4] + rows[2] * rows[5];
  const double r = rows[3] * rows[3] + rows[4] * rows[4] + rows[5] * rows[5];
  const double root = std::sqrt(std::max(0.0, p * r - q * q)), t = std::sqrt(p + r + 2 * root);
  if (!(root > 1e-12 * (p + r)) || !(t > 0)) {
    return Status(Code::kBadArgument, "pose: the landmarks do not determine a pose");
  }
  const double g[3] = {(p + root) / t, q / t, (r + root) / t};  // square root of the Gram matrix
  const double determinant = g[0] * g[2] - g[1] * g[1], scale = 0.5 * (g[0] + g[2]);
  for (int k = 0; k < 3; ++k) {
    view->rotation[k] = (g[2] * rows[k] - g[1] * rows[3 + k]) / determinant;
    view->rotation[3 + k] = (-g[1] * rows[k] + g[0] * rows[3 + k]) / determinant;
  }
  const double none[3] = {0, 0, 0};
  RotateLeft(none, view->rotation);  // fills the third row
  double c[3];
  for (int i = 0; i < 3; ++i) {
    c[i] = view->rotation[3 * i] * m.point[0] + view->rotation[3 * i + 1] * m.point[1] +
           view->rotation[3 * i + 2] * m.point[2];
  }
  const double depth = focal / scale + c[2];
  if (!(depth > 1e-3))
    return Status(Code::kBadArgument, "pose: the landmarks do not determine a pose");
  view->x = (m.pixel[0] / scale - c[0]) / depth;
  view->y = (m.pixel[1] / scale - c[1]) / depth;
  view->log_depth = std::log(depth);
  view->log_focal = std::log(focal);
  return Status::Ok();
}

// The same picture to first order with the depth reversed: yaw and pitch change sign. Near-planar
// heads need the try.
View Reversed(const View& view) {
  View other = view;
  // Reflecting the head's z axis and the camera's keeps the rows' first two columns and their
  // perspective order.
  const double flip[9] = {1, 1, -1, 1, 1, -1, -1, -1, 1};
  for (int i = 0; i < 9; ++i) other.rotation[i] = view.rotation[i] * flip[i];
  const double none[3] = {0, 0, 0};
  RotateLeft(none, other.rotation);
  return other;
}

enum class Loss { kHuber, kTukey };

double LossWeight(Loss loss, double r2, double scale) {
  const double u2 = r2 / (scale * scale);
  if (loss == Loss::kHuber) return u2 <= 1.5 * 1.5 ? 1.0 : 1.5 / std::sqrt(u2);
  const double t = 1 - u2 / (4.7 * 4.7);
  return t > 0 ? t * t : 0.0;
}

double LossValue(Loss loss, double r2, double scale) {
  const double u2 = r2 / (scale * scale);
  if (loss == Loss::kHuber) {
    return u2 <= 1.5 * 1.5 ? u2 : 2 * 1.5 * std::sqrt(u2) - 1.5 * 1.5;
  }
  const double c2 = 4.7 * 4.7, t = std::max(0.0, 1 - u2 / c2);
  return c2 / 3 * (1 - t * t * t);
}

double Cost(const Problem& problem, const View& view, Loss loss, double scale) {
  double cost = 0;
  for (const Point& p : problem.points) {
    double pixel[2];
    if (!view.Project(p.x, pixel, nullptr, nullptr)) return INFINITY;
    const double dx = p.pixel[0] - pixel[0], dy = p.pixel[1] - pixel[1];
    cost += p.weight * LossValue(loss, dx * dx + dy * dy, scale);
  }
  if (problem.focal_spread > 0) {
    const double d = (view.log_focal - problem.log_focal) / problem.focal_spread;
    cost += d * d;
  }
  return cost;
}

// Levenberg–Marquardt on the robust cost, by iteratively reweighted least squares.
double Refine(const Problem& problem, Loss loss, double scale, int iterations, View* view) {
  constexpr int n = kViewParameters;
  double cost = Cost(problem, *view, loss, scale), damping = 1e-3;
  for (int iteration = 0; iteration < iterations; ++iteration) {
    double h[n * n] = {0}, g[n] = {0};
    for (const Point& p : problem.points) {
      double pixel[2], j[2 * n];
      if (!view->Project(p.x, pixel, j, nullptr)) continue;
      const double e[2] = {p.pixel[0] - pixel[0], p.pixel[1] - pixel[1]};
      const double w =
          p.weight * LossWeight(loss, e[0] * e[0] + e[1] * e[1], scale) / (scale * scale);
      for (int row = 0; row < 2; ++row) {
        for (int a = 0; a < n; ++a) {
          g[a] += w * j[row * n + a] * e[row];
          for (int b = 0; b <= a; ++b) h[a * n + b] += w * j[row * n + a] * j[row * n + b];
        }
      }
    }
    if (problem.focal_spread > 0) {
      const double w = 1 / (problem.focal_spread * problem.focal_spread);
      h[6 * n + 6] += w;
      g[6] += w * (problem.log_focal - view->log_focal);
    } else {
      for (int a = 0; a < n; ++a) h[6 * n + a] = 0;
      h[6 * n + 6] = 1;
      g[6] = 0;
    }
    bool moved = false;
    for (int attempt = 0; attempt < 6 && !moved; ++attempt) {
      double a[n * n], step[n];
      for (int i = 0; i < n * n; ++i) a[i] = h[i];
      for (int i = 0; i < n; ++i) {
        a[i * n + i] += damping * h[i * n + i] + 1e-12;
        step[i] = g[i];
      }
      if (Cholesky(a, n)) {
        SolveCholesky(a, n, step);
        View next = *view;
        next.Move(step);
        const double next_cost = Cost(problem, next, loss, scale);
        if (next_cost < cost) {
          moved = true;
          const double gain = cost - next_cost;
          *view = next;
          cost = next_cost;
          damping = std::max(1e-9, damping * 0.2);
          if (gain < 1e-10 * cost) return cost;
          break;
        }
      }
      damping *= 6;
    }
    if (!moved) break;
  }
  return cost;
}

// Weighted median of the landmark distances.
double MedianDistance(const Problem& problem, const View& view) {
  std::vector<double> distances;
  for (const Point& p : problem.points) {
    double pixel[2];
    if (view.Project(p.x, pixel, nullptr, nullptr)) {
      distances.push_back(std::hypot(p.pixel[0] - pixel[0], p.pixel[1] - pixel[1]));
    }
  }
  if (distances.empty()) return INFINITY;
  std::nth_element(distances.begin(), distances.begin() + distances.size() / 2, distances.end());
  return distances[distances.size() / 2];
}

}  // namespace

Status EstimatePose(const float* points, const float* pixels, const float* weights, int count,
                    float eye_distance_cm, int width, int height, const PoseOptions& options,
                    PoseResult* out) {
  if (width <= 0 || height <= 0) return Status(Code::kBadArgument, "pose: the image has no pixels");
  if (!(eye_distance_cm > 0))
    return Status(Code::kBadArgument, "pose: the head's eye distance must be positive");
  Problem problem;
  DAF_RETURN_IF_ERROR(Gather(points, pixels, weights, count, &problem));
  const double focal = options.focal > 0 ? options.focal : 1.5 * std::max(width, height);
  if (!std::isfinite(focal))
    return Status(Code::kBadArgument, "pose: the focal length is not a finite number");
  problem.log_focal = std::log(focal);
  problem.focal_spread = std::max(0.0f, options.focal_spread);

  View start;
  start.width = width;
  start.height = height;
  start.center[0] = std::isfinite(options.center[0]) ? options.center[0] : 0.5 * width;
  start.center[1] = std::isfinite(options.center[1]) ? options.center[1] : 0.5 * height;
  const Moments moments = Measure(problem, start);
  if (OnALine(moments.covariance))
    return Status(Code::kBadArgument, "pose: the head's points lie on a line or coincide");
  if (SecondSpread2(moments.pixels[0], moments.pixels[1], moments.pixels[2]) < 1e-4) {
    return Status(Code::kBadArgument, "pose: the landmarks lie on a line or coincide");
  }
  DAF_RETURN_IF_ERROR(WeakPerspective(moments, focal, &start));

  const auto eye_pixels = [&](const View& view) {
    return std::exp(view.log_focal - view.log_depth) * eye_distance_cm;
  };
  View best = start;
  double best_cost = INFINITY;
  for (const View& candidate : {start, Reversed(start)}) {
    View view = candidate;
    const double scale = std::max(1e-6, options.noise * eye_pixels(view) * 1.5);
    const double cost = Refine(problem, Loss::kHuber, scale, 40, &view);
    if (cost < best_cost) {
      best_cost = cost;
      best = view;
    }
  }
  if (!std::isfinite(best_cost))
    return Status(Code::kBadArgument, "pose: no camera sees these landmarks");
  // The robust scale follows the data down to the expected noise, so that one wild landmark costs
  // nothing.
  const double scale =
      std::max({1e-6, options.noise * eye_pixels(best), 1.2 * MedianDistance(problem, best)});
  Refine(problem, Loss::kTukey, scale, 40, &best);

  PoseResult result;
  result.camera = best.ToCamera();
  AnglesFromRotation(result.camera.rotation, &result.yaw, &result.pitch, &result.roll);
  const double eyes = eye_pixels(best);
  double squares = 0, total = 0, kept = 0;
  for (const Point& p : problem.points) {
    double pixel[2];
    if (!best.Project(p.x, pixel, nullptr, nullptr)) continue;
    const double dx = p.pixel[0] - pixel[0], dy = p.pixel[1] - pixel[1], r2 = dx * dx + dy * dy;
    squares += p.weight * r2;
    kept += p.weight * LossWeight(Loss::kTukey, r2, scale);
    total += p.weight;
  }
  result.residual = static_cast<float>(std::sqrt(squares / total) / eyes);
  result.eye_distance = static_cast<float>(eyes);
  result.inliers = static_cast<float>(kept / total);
  *out = result;
  return Status::Ok();
}

}  // namespace daf::head
