#include "native/head/fit/fit.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "native/head/fit/displace.h"
#include "native/head/fit/points.h"
#include "native/head/fit/solver.h"

namespace daf::head {
namespace {

// Landmark noise that the displacement believes in, as a fraction of the outer-eye distance: small
// against what a reader of the picture would notice.
constexpr double kDisplacementNoise = 0.008;

// Outlines are found half as precisely as corners of eyes and mouth, by people and by landmarkers
// alike.
constexpr double kJawWeight = 0.4;

// Share of a landmark's error variance that all photos of a person have in common.
constexpr double kShared = 0.15;

Status OfPhoto(int index, const Status& status) {
  return Status(status.code(), "photo " + std::to_string(index) + ": " + status.message(),
                status.hint());
}

Observation Observe(const FitView& view, const PoseResult& pose, double eye_distance,
                    int expression_modes) {
  Observation o;
  for (int i = 0; i < kLandmarks; ++i) {
    o.weight[i] = (view.weights == nullptr ? 1.0 : view.weights[i]) * (i < 17 ? kJawWeight : 1.0);
    for (int k = 0; k < 2; ++k)
      o.pixel[2 * i + k] = o.weight[i] > 0 ? view.landmarks[2 * i + k] : 0.0f;
  }
  const double focal =
      view.pose.focal > 0 ? view.pose.focal : 1.5 * std::max(view.width, view.height);
  o.log_focal = std::log(focal);
  o.focal_spread = std::max(0.0f, view.pose.focal_spread);
  o.eye_distance_cm = eye_distance;
  o.view = View::From(pose.camera);
  o.expression.assign(expression_modes, 0);
  return o;
}

// Which reading of the jaw explains the photos better. A landmark on an outline may lie anywhere
// along it, so only its distance across counts, and the freedom that this reading takes is charged
// for.
constexpr double kOutlineFreedom = 0.5;

double JawError(const LandmarkPoints& points, const std::vector<Observation>& observations,
                const std::vector<double>& identity, bool outline) {
  std::vector<double> shape(points.mean.size());
  double sum = 0;
  for (const Observation& o : observations) {
    points.Shape(identity.data(), o.expression.data(), shape.data());
    const double scale = 1 / (o.sigma * o.sigma / (o.noise_factor * o.noise_factor));
    for (int i = 0; i < kLandmarks; ++i) {
      double pixel[2];
      if (o.weight[i] == 0 ||
          !o.view.Project(shape.data() + 3 * o.point[i], pixel, nullptr, nullptr))
        continue;
      const double ex = o.pixel[2 * i] - pixel[0], ey = o.pixel[2 * i + 1] - pixel[1];
      const double squared =
          o.metric[i][0] * ex * ex + 2 * o.metric[i][1] * ex * ey + o.metric[i][2] * ey * ey;
      sum += o.weight[i] *
             (std::min(25.0, squared * scale) + (outline && i < 17 ? kOutlineFreedom : 0));
    }
  }
  return sum;
}

// RMS landmark distance over eye distance with vertices at positions[V][3].
double Residual(const LandmarkPoints& points, const Observation& o, const double* weights,
                const float* positions) {
  double sum = 0, total = 0;
  for (int i = 0; i < kLandmarks; ++i) {
    double x[3], pixel[2];
    const double w = o.weight[i] * (weights == nullptr ? 1.0 : weights[i]);
    for (int k = 0; k < 3; ++k) x[k] = positions[3 * size_t{points.vertex[o.point[i]]} + k];
    if (w == 0 || !o.view.Project(x, pixel, nullptr, nullptr)) continue;
    const double ex = o.pixel[2 * i] - pixel[0], ey = o.pixel[2 * i + 1] - pixel[1];
    sum += w * (o.metric[i][0] * ex * ex + 2 * o.metric[i][1] * ex * ey + o.metric[i][2] * ey * ey);
    total += w;
  }
  return total > 0 ? std::sqrt(sum / total) / o.eye_pixels() : 0;
}

void AddPulls(const LandmarkPoints& points, const Observation& o, const double* weights,
              const double* shape, std::vector<Pull>* pulls) {
  const double sigma = kDisplacementNoise * o.noise_factor * o.eye_pixels();
  for (int i = 0; i < kLandmarks; ++i) {
    const double w = o.weight[i] * weights[i] / (sigma * sigma);
    Pull pull;
    double pixel[2];
    if (w == 0 || !o.view.Project(shape + 3 * o.point[i], pixel, nullptr, pull.by_point)) continue;
    pull.vertex = points.vertex[o.point[i]];
    for (int k = 0; k < 2; ++k) pull.error[k] = o.pixel[2 * i + k] - pixel[k];
    for (int k = 0; k < 3; ++k) pull.metric[k] = w * o.metric[i][k];
    pulls->push_back(pull);
  }
}

}  // namespace

float EyeDistance(const HeadModel& model) {
  const float* a = model.mean.data() + 3 * size_t{model.landmarks[36]};
  const float* b = model.mean.data() + 3 * size_t{model.landmarks[45]};
  return std::sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) +
                   (a[2] - b[2]) * (a[2] - b[2]));
}

Status EstimateHeadPose(const HeadModel& model, const float* landmarks, const float* weights,
                        int width, int height, const PoseOptions& options, PoseResult* out) {
  float points[3 * kLandmarks], used[kLandmarks];
  for (int i = 0; i < kLandmarks; ++i) {
    for (int k = 0; k < 3; ++k) points[3 * i + k] = model.mean[3 * size_t{model.landmarks[i]} + k];
    // The outline of the jaw has no fixed vertices but the chin, and mouths open: the rigid part of
    // the face decides.
    const float rigid = i < 6 || (i > 10 && i < 17) ? 0.0f
                        : i < 17                    ? 0.3f
                        : i < 27                    ? 0.5f
                        : i < 48                    ? 1.0f
                                                    : 0.4f;
    used[i] = rigid * (weights == nullptr ? 1.0f : weights[i]);
  }
  return EstimatePose(points, landmarks, used, kLandmarks, EyeDistance(model), width, height,
                      options, out);
}

Status FitHead(const HeadModel& model, const FitView* views, int view_count,
               const FitOptions& options, Arena& arena, const TaskControl& control, HeadFit* out) {
  if (view_count <= 0) return Status(Code::kBadArgument, "fit: there are no photos");
  LandmarkPoints points;
  DAF_RETURN_IF_ERROR(
      GatherPoints(model, options.identity_modes, options.expression_modes, &points));
  const double eye_distance = EyeDistance(model);
  std::vector<Observation> start;
  for (int v = 0; v < view_count; ++v) {
    PoseResult pose;
    const Status status = EstimateHeadPose(model, views[v].landmarks, views[v].weights,
                                           views[v].width, views[v].height, views[v].pose, &pose);
    if (!status.ok()) return OfPhoto(v, status);
    for (int i = 0; i < 17; ++i) {
      const float w = views[v].weights == nullptr ? 1.0f : views[v].weights[i];
      if (!(w >= 0) ||
          (w > 0 && !std::isfinite(views[v].landmarks[2 * i] + views[v].landmarks[2 * i + 1]))) {
        return OfPhoto(v, Status(Code::kBadArgument,
                                 "landmark " + std::to_string(i) + " is not a finite number"));
      }
    }
    start.push_back(Observe(views[v], pose, eye_distance, points.expression_modes));
  }

  // What the modes cannot say, and what a landmarker always does wrong, is the same error in every
  // photo: n photos know less than n independent ones.
  for (Observation& o : start) {
    for (double& w : o.weight) w /= 1 + kShared * (view_count - 1);
  }

  SolverOptions solver_options;
  solver_options.noise = options.noise > 0 ? options.noise : 0.02;
  solver_options.expression_spread =
      options.expression_spread > 0 ? options.expression_spread : 0.25;
  solver_options.iterations = options.iterations;
  std::vector<Observation> observations;
  std::vector<double> identity, variance;
  double weights[kLandmarks];
  std::vector<std::vector<double>> robust;
  double best = INFINITY;
  for (const Jaw jaw : {Jaw::kContour, Jaw::kFixed}) {
    if (options.jaw != Jaw::kAuto && options.jaw != jaw) continue;
    if (options.jaw == Jaw::kAuto && jaw == Jaw::kContour && !points.has_contour) continue;
    solver_options.contour = jaw == Jaw::kContour;
    Solver solver(points, solver_options);
    std::vector<Observation> trial = start;
    std::vector<double> coefficients(points.identity_modes, 0.0);
    DAF_RETURN_IF_ERROR(solver.Run(control, &trial, &coefficients));
    const double error = JawError(points, trial, coefficients, jaw == Jaw::kContour);
    if (error >= best) continue;
    best = error;
    DAF_RETURN_IF_ERROR(solver.IdentityVariance(trial, coefficients, &variance));
    observations = std::move(trial);
    identity = std::move(coefficients);
    out->jaw = jaw;
    robust.clear();
    for (const Observation& o : observations) {
      solver.Weights(o, identity, weights);
      robust.emplace_back(weights, weights + kLandmarks);
    }
  }
  if (observations.empty()) return Status(Code::kInternal, "fit: no solution has a finite error");

  const size_t floats = size_t{model.position_count} * 3;
  out->identity.assign(model.identity_names.size(), 0);
  out->identity_variance.assign(model.identity_names.size(), 1);
  for (int a = 0; a < points.identity_modes; ++a) {
    out->identity[a] = static_cast<float>(identity[a]);
    out->identity_variance[a] = static_cast<float>(variance[a]);
  }
  out->displacement.assign(floats, 0);
  float* shape = nullptr;
  DAF_RETURN_IF_ERROR(arena.Allocate(floats, &shape));
  if (options.displacement) {
    std::vector<Pull> pulls;
    std::vector<double> seen(points.mean.size());
    for (size_t v = 0; v < observations.size(); ++v) {
      points.Shape(identity.data(), observations[v].expression.data(), seen.data());
      AddPulls(points, observations[v], robust[v].data(), seen.data(), &pulls);
    }
    model.Shape(out->identity.data(), out->identity.size(), nullptr, 0, shape);
    DAF_RETURN_IF_ERROR(Displace(model, shape, pulls, arena, control, out->displacement.data()));
  }

  double quietest = INFINITY, squares = 0, moved = 0;
  for (const Observation& o : observations) quietest = std::min(quietest, o.noise_factor);
  out->views.assign(view_count, {});
  for (int v = 0; v < view_count; ++v) {
    DAF_RETURN_IF_ERROR(control.Check());
    const Observation& o = observations[v];
    FitViewResult& result = out->views[v];
    result.camera = o.view.ToCamera();
    AnglesFromRotation(result.camera.rotation, &result.yaw, &result.pitch, &result.roll);
    result.expression.assign(model.expression_names.size(), 0);
    for (int e = 0; e < points.expression_modes; ++e)
      result.expression[e] = static_cast<float>(o.expression[e]);
    result.eye_distance = static_cast<float>(o.eye_pixels());
    result.trust = static_cast<float>(quietest / o.noise_factor);
    model.Shape(out->identity.data(), out->identity.size(), result.expression.data(),
                result.expression.size(), shape);
    result.mode_residual = static_cast<float>(Residual(points, o, nullptr, shape));
    for (size_t i = 0; i < floats; ++i) shape[i] += out->displacement[i];
    result.residual = static_cast<float>(Residual(points, o, nullptr, shape));
    squares += double{result.residual} * result.residual;
  }
  out->residual = static_cast<float>(std::sqrt(squares / view_count));
  for (uint32_t vertex : model.landmarks) {
    for (int k = 0; k < 3; ++k) moved += std::pow(out->displacement[3 * size_t{vertex} + k], 2);
  }
  out->displacement_rms = static_cast<float>(std::sqrt(moved / kLandmarks));
  return Status::Ok();
}

}  // namespace daf::head
