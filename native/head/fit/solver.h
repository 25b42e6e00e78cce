// Levenberg–Marquardt over one identity and, per photo, a camera and an expression. The photos meet
// only in the identity, so each is eliminated on its own (Schur complement) and the cost grows
// linearly with their number.
#pragma once

#include <array>
#include <vector>

#include "native/base/control.h"
#include "native/base/status.h"
#include "native/head/fit/points.h"
#include "native/head/fit/view.h"

namespace daf::head {

struct Observation {
  std::array<double, 2 * kLandmarks> pixel{};
  std::array<double, kLandmarks> weight{};
  double log_focal = 0, focal_spread = 0;  // prior; spread 0 keeps the focal length
  double eye_distance_cm = 0;
  // The state being solved for.
  View view;
  std::vector<double> expression;
  // How noisy this photo's landmarks turned out, relative to what was expected (≥ 1).
  double noise_factor = 1;
  double sigma = 1;  // pixels: that noise at this photo's scale, held between associations
  // Where each landmark stands: a point of LandmarkPoints and, for a contour, how its error is
  // weighed.
  std::array<int, kLandmarks> point{};
  std::array<std::array<double, 3>, kLandmarks> metric{};  // xx, xy, yy; identity when fixed

  double eye_pixels() const;
};

struct SolverOptions {
  double noise = 0.02;
  double expression_spread = 0.25;
  bool contour = false;
  int iterations = 40;
};

class Solver {
 public:
  Solver(const LandmarkPoints& points, const SolverOptions& options)
      : points_(points), options_(options) {}

  // Solves from the observations' cameras, identity and expression at what they hold.
  Status Run(const TaskControl& control, std::vector<Observation>* observations,
             std::vector<double>* identity);

  // Robust data and prior cost at the given state; gradient and normal equations are built around
  // the same terms.
  double Cost(const std::vector<Observation>& observations,
              const std::vector<double>& identity) const;

  // −½ dCost/d(parameters) for one photo: [identity M], then [7 + E]. For tests against finite
  // differences.
  void Gradient(const Observation& observation, const std::vector<double>& identity,
                double* by_identity, double* by_view) const;

  // Posterior variance of each identity coefficient.
  Status IdentityVariance(const std::vector<Observation>& observations,
                          const std::vector<double>& identity, std::vector<double>* variance) const;

  // Chooses contour points and metrics and each photo's noise factor for the present state.
  void Associate(const std::vector<double>& identity, bool adapt_noise,
                 std::vector<Observation>* observations) const;

  // Robust weight (0–1) of each landmark of a photo at the present state.
  void Weights(const Observation& observation, const std::vector<double>& identity,
               double weights[kLandmarks]) const;

 private:
  struct Block;  // one photo's share of the normal equations
  void Accumulate(const Observation& observation, const double* shape, double* identity_hessian,
                  double* identity_gradient, Block* block) const;
  // Products of the first `used` rows: those of the identity and of what the photo leaves free.
  void AddSquares(int used, double* identity_hessian, Block* block) const;
  double PhotoCost(const Observation& observation, const double* shape) const;
  double LossWeight(double u2) const;
  double LossValue(double u2) const;

  const LandmarkPoints& points_;
  const SolverOptions options_;
  bool tukey_ = false;
};

}  // namespace daf::head
