#include "native/head/fit/solver.h"

#include <algorithm>
#include <cmath>

#include "native/head/fit/dense.h"

namespace daf::head {
namespace {

constexpr double kHuber = 2.0, kTukeyCut = 5.0;  // in standard deviations
// Annotators agree on where the outline is, not on how far along it the fifth point lies.
constexpr double kAlongContour = 0.25;

}  // namespace

struct Solver::Block {
  // The photo's parameters that may move; an expression weight is held at 0 or 1 while it pulls
  // outwards. Most are, and equations of what stands still are not worth their sums.
  std::vector<int> free;
  std::vector<double> own, shared, gradient;  // [f][f], [f][M], [f]
  // [landmarks][2][M + n]: derivatives of the pixels, and the same times what the errors weigh.
  std::vector<double> rows, weighted;
  std::vector<double> row, product;  // [2][M + f], of one landmark
};

double Observation::eye_pixels() const {
  return std::exp(view.log_focal - view.log_depth) * eye_distance_cm;
}

double Solver::LossWeight(double u2) const {
  if (!tukey_) return u2 <= kHuber * kHuber ? 1.0 : kHuber / std::sqrt(u2);
  const double t = 1 - u2 / (kTukeyCut * kTukeyCut);
  return t > 0 ? t * t : 0.0;
}

double Solver::LossValue(double u2) const {
  if (!tukey_) return u2 <= kHuber * kHuber ? u2 : 2 * kHuber * std::sqrt(u2) - kHuber * kHuber;
  const double c2 = kTukeyCut * kTukeyCut, t = std::max(0.0, 1 - u2 / c2);
  return c2 / 3 * (1 - t * t * t);
}

double Solver::PhotoCost(const Observation& o, const double* shape) const {
  const double sigma = o.sigma;
  double cost = 0;
  for (int i = 0; i < kLandmarks; ++i) {
    if (o.weight[i] == 0) continue;
    double pixel[2];
    if (!o.view.Project(shape + 3 * o.point[i], pixel, nullptr, nullptr)) return INFINITY;
    const double ex = o.pixel[2 * i] - pixel[0], ey = o.pixel[2 * i + 1] - pixel[1];
    const double u2 =
        (o.metric[i][0] * ex * ex + 2 * o.metric[i][1] * ex * ey + o.metric[i][2] * ey * ey) /
        (sigma * sigma);
    cost += o.weight[i] * LossValue(u2);
  }
  if (o.focal_spread > 0) {
    const double d = (o.view.log_focal - o.log_focal) / o.focal_spread;
    cost += d * d;
  }
  for (double beta : o.expression)
    cost += beta * beta / (options_.expression_spread * options_.expression_spread);
  return cost;
}

double Solver::Cost(const std::vector<Observation>& observations,
                    const std::vector<double>& identity) const {
  std::vector<double> shape(points_.mean.size());
  double cost = 0;
  for (double alpha : identity) cost += alpha * alpha;
  for (const Observation& o : observations) {
    points_.Shape(identity.data(), o.expression.data(), shape.data());
    cost += PhotoCost(o, shape.data());
  }
  return cost;
}

void Solver::Accumulate(const Observation& o, const double* shape, double* identity_hessian,
                        double* identity_gradient, Block* block) const {
  const int m = points_.identity_modes, e = points_.expression_modes, n = kViewParameters + e;
  const size_t stride = points_.mean.size(), width = static_cast<size_t>(m) + n;
  const double sigma = o.sigma;
  std::vector<double> gradient(n, 0);
  block->rows.resize(2 * kLandmarks * width);
  block->weighted.resize(2 * kLandmarks * width);
  int used = 0;
  for (int i = 0; i < kLandmarks; ++i) {
    if (o.weight[i] == 0) continue;
    double pixel[2], by_view[2 * kViewParameters], by_point[6];
    const int p = o.point[i];
    if (!o.view.Project(shape + 3 * p, pixel, by_view, by_point)) continue;
    const double error[2] = {o.pixel[2 * i] - pixel[0], o.pixel[2 * i + 1] - pixel[1]};
    const double* w = o.metric[i].data();
    const double u2 =
        (w[0] * error[0] * error[0] + 2 * w[1] * error[0] * error[1] + w[2] * error[1] * error[1]) /
        (sigma * sigma);
    const double scale = o.weight[i] * LossWeight(u2) / (sigma * sigma);
    if (scale == 0) continue;
    double* const row = block->rows.data() + 2 * used * width;
    double* const product = block->weighted.data() + 2 * used * width;
    double* const r[2] = {row, row + width};
    double* const q[2] = {product, product + width};
    ++used;
    for (int k = 0; k < 2; ++k) {
      for (int a = 0; a < m; ++a) {
        const double* d = points_.identity.data() + a * stride + 3 * p;
        r[k][a] = by_point[3 * k] * d[0] + by_point[3 * k + 1] * d[1] + by_point[3 * k + 2] * d[2];
      }
      for (int a = 0; a < kViewParameters; ++a) r[k][m + a] = by_view[k * kViewParameters + a];
      for (int a = 0; a < e; ++a) {
        const double* d = points_.expression.data() + a * stride + 3 * p;
        r[k][m + kViewParameters + a] =
            by_point[3 * k] * d[0] + by_point[3 * k + 1] * d[1] + by_point[3 * k + 2] * d[2];
      }
    }
    for (size_t a = 0; a < width; ++a) {
      q[0][a] = scale * (w[0] * r[0][a] + w[1] * r[1][a]);
      q[1][a] = scale * (w[1] * r[0][a] + w[2] * r[1][a]);
    }
    for (int k = 0; k < 2; ++k) {
      for (int a = 0; a < m; ++a) identity_gradient[a] += q[k][a] * error[k];
      for (int a = 0; a < n; ++a) gradient[a] += q[k][m + a] * error[k];
    }
  }
  const double focal = o.focal_spread > 0 ? 1 / (o.focal_spread * o.focal_spread) : 0;
  if (focal > 0) gradient[6] += focal * (o.log_focal - o.view.log_focal);
  const double stiffness = 1 / (options_.expression_spread * options_.expression_spread);
  block->free.clear();
  for (int k = 0; k < n; ++k) {
    if (k < kViewParameters) {
      if (k != 6 || focal > 0) block->free.push_back(k);
      continue;
    }
    const double weight = o.expression[k - kViewParameters];
    gradient[k] -= stiffness * weight;
    if (!((weight <= 0 && gradient[k] <= 0) || (weight >= 1 && gradient[k] >= 0)))
      block->free.push_back(k);
  }
  AddSquares(used, identity_hessian, block);
  const size_t f = block->free.size();
  block->gradient.resize(f);
  for (size_t a = 0; a < f; ++a) {
    const int k = block->free[a];
    block->gradient[a] = gradient[k];
    if (k >= kViewParameters) block->own[a * f + a] += stiffness;
    if (k == 6) block->own[a * f + a] += focal;
  }
}

void Solver::AddSquares(int used, double* identity_hessian, Block* block) const {
  const size_t m = points_.identity_modes, n = kViewParameters + points_.expression_modes,
               f = block->free.size();
  block->own.assign(f * f, 0);
  block->shared.assign(f * m, 0);
  block->row.resize(2 * (m + f));
  block->product.resize(2 * (m + f));
  double *const r0 = block->row.data(), *const r1 = r0 + m + f;
  double *const q0 = block->product.data(), *const q1 = q0 + m + f;
  for (int i = 0; i < used; ++i) {
    const auto take = [&](const std::vector<double>& from, double* to) {
      for (size_t k = 0; k < 2; ++k, to += m + f) {
        const double* line = from.data() + (2 * static_cast<size_t>(i) + k) * (m + n);
        std::copy_n(line, m, to);
        for (size_t a = 0; a < f; ++a) to[m + a] = line[m + block->free[a]];
      }
    };
    take(block->rows, r0);
    take(block->weighted, q0);
    const auto add = [&](double x0, double x1, size_t begin, size_t count, double* to) {
      for (size_t b = 0; b < count; ++b) to[b] = to[b] + x0 * r0[begin + b] + x1 * r1[begin + b];
    };
    for (size_t a = 0; a < m; ++a) add(q0[a], q1[a], 0, a + 1, identity_hessian + a * m);
    for (size_t a = 0; a < f; ++a) {
      add(q0[m + a], q1[m + a], m, a + 1, block->own.data() + a * f);
      add(q0[m + a], q1[m + a], 0, m, block->shared.data() + a * m);
    }
  }
}

void Solver::Gradient(const Observation& observation, const std::vector<double>& identity,
                      double* by_identity, double* by_view) const {
  const int m = points_.identity_modes, n = kViewParameters + points_.expression_modes;
  std::vector<double> shape(points_.mean.size()), hessian(static_cast<size_t>(m) * m);
  points_.Shape(identity.data(), observation.expression.data(), shape.data());
  Block block;
  for (int a = 0; a < m; ++a) by_identity[a] = -identity[a];
  Accumulate(observation, shape.data(), hessian.data(), by_identity, &block);
  for (int a = 0; a < n; ++a) by_view[a] = 0;
  for (size_t a = 0; a < block.free.size(); ++a) by_view[block.free[a]] = block.gradient[a];
}

namespace {

// S −= Eᵀ C⁻¹ E and g −= Eᵀ C⁻¹ c, where `solved` comes back as C⁻¹ [E | c].
bool Eliminate(std::vector<double>* own, const std::vector<double>& shared,
               const std::vector<double>& gradient, int m, double* hessian, double* rhs,
               std::vector<double>* solved) {
  const int n = static_cast<int>(gradient.size());
  if (!Cholesky(own->data(), n)) return false;
  solved->assign(static_cast<size_t>(m + 1) * n, 0);
  for (int a = 0; a < m; ++a) {
    double* column = solved->data() + static_cast<size_t>(a) * n;
    for (int k = 0; k < n; ++k) column[k] = shared[static_cast<size_t>(k) * m + a];
    SolveCholesky(own->data(), n, column);
  }
  double* last = solved->data() + static_cast<size_t>(m) * n;
  for (int k = 0; k < n; ++k) last[k] = gradient[k];
  SolveCholesky(own->data(), n, last);
  for (int a = 0; a < m; ++a) {
    for (int k = 0; k < n; ++k) rhs[a] -= shared[static_cast<size_t>(k) * m + a] * last[k];
    for (int b = 0; b <= a; ++b) {
      const double* column = solved->data() + static_cast<size_t>(b) * n;
      double s = 0;
      for (int k = 0; k < n; ++k) s += shared[static_cast<size_t>(k) * m + a] * column[k];
      hessian[static_cast<size_t>(a) * m + b] -= s;
    }
  }
  return true;
}

}  // namespace

void Solver::Weights(const Observation& o, const std::vector<double>& identity,
                     double weights[kLandmarks]) const {
  std::vector<double> shape(points_.mean.size());
  points_.Shape(identity.data(), o.expression.data(), shape.data());
  const double sigma = o.sigma;
  for (int i = 0; i < kLandmarks; ++i) {
    double pixel[2];
    weights[i] = 0;
    if (o.weight[i] == 0 || !o.view.Project(shape.data() + 3 * o.point[i], pixel, nullptr, nullptr))
      continue;
    const double ex = o.pixel[2 * i] - pixel[0], ey = o.pixel[2 * i + 1] - pixel[1];
    weights[i] = LossWeight(
        (o.metric[i][0] * ex * ex + 2 * o.metric[i][1] * ex * ey + o.metric[i][2] * ey * ey) /
        (sigma * sigma));
  }
}

void Solver::Associate(const std::vector<double>& identity, bool adapt_noise,
                       std::vector<Observation>* observations) const {
  std::vector<double> shape(points_.mean.size()), distances;
  for (Observation& o : *observations) {
    points_.Shape(identity.data(), o.expression.data(), shape.data());
    for (int i = 0; i < kLandmarks; ++i) {
      o.point[i] = points_.fixed[i];
      o.metric[i] = {1, 0, 1};
    }
    if (options_.contour) {
      std::array<int, 17> chosen;
      ChooseContour(points_, o.view, shape.data(), &chosen);
      double pixels[17][2];
      for (int i = 0; i < 17; ++i) {
        o.point[i] = chosen[i];
        (void)o.view.Project(shape.data() + 3 * chosen[i], pixels[i], nullptr, nullptr);
      }
      for (int i = 0; i < 17; ++i) {
        const double *a = pixels[std::max(0, i - 1)], *b = pixels[std::min(16, i + 1)];
        double t[2] = {b[0] - a[0], b[1] - a[1]};
        const double length = std::hypot(t[0], t[1]);
        if (!(length > 1e-9)) continue;
        for (double& v : t) v /= length;
        const double k = 1 - kAlongContour * kAlongContour;
        o.metric[i] = {1 - k * t[0] * t[0], -k * t[0] * t[1], 1 - k * t[1] * t[1]};
      }
    }
    o.sigma = options_.noise * o.noise_factor * o.eye_pixels();
    if (!adapt_noise) continue;
    distances.clear();
    for (int i = 0; i < kLandmarks; ++i) {
      double pixel[2];
      if (o.weight[i] == 0 ||
          !o.view.Project(shape.data() + 3 * o.point[i], pixel, nullptr, nullptr))
        continue;
      const double ex = o.pixel[2 * i] - pixel[0], ey = o.pixel[2 * i + 1] - pixel[1];
      distances.push_back(o.metric[i][0] * ex * ex + 2 * o.metric[i][1] * ex * ey +
                          o.metric[i][2] * ey * ey);
    }
    if (distances.empty()) continue;
    std::nth_element(distances.begin(), distances.begin() + distances.size() / 2, distances.end());
    // The median distance of a two-dimensional normal error is 1.18 standard deviations per axis.
    const double sigma = std::sqrt(distances[distances.size() / 2]) / 1.18;
    o.noise_factor = std::clamp(sigma / (options_.noise * o.eye_pixels()), 1.0, 10.0);
    o.sigma = options_.noise * o.noise_factor * o.eye_pixels();
  }
}

Status Solver::Run(const TaskControl& control, std::vector<Observation>* observations,
                   std::vector<double>* identity) {
  const int m = points_.identity_modes, e = points_.expression_modes;
  const size_t views = observations->size();
  std::vector<Block> blocks(views);
  std::vector<std::vector<double>> solved(views);
  std::vector<double> shape(points_.mean.size()), hessian, gradient, step(m), own, move;
  constexpr int kRounds = 5;
  for (int round = 0; round < kRounds; ++round) {
    tukey_ = round >= 2;
    Associate(*identity, round > 0, observations);
    double cost = Cost(*observations, *identity), damping = 1e-3;
    for (int iteration = 0; iteration < std::max(1, options_.iterations / kRounds); ++iteration) {
      hessian.assign(static_cast<size_t>(m) * m, 0);
      gradient.assign(m, 0);
      for (int a = 0; a < m; ++a) {
        hessian[static_cast<size_t>(a) * m + a] = 1;
        gradient[a] = -(*identity)[a];
      }
      for (size_t v = 0; v < views; ++v) {
        DAF_RETURN_IF_ERROR(control.Check());
        const Observation& o = (*observations)[v];
        points_.Shape(identity->data(), o.expression.data(), shape.data());
        Accumulate(o, shape.data(), hessian.data(), gradient.data(), &blocks[v]);
      }
      double gain = 0;
      for (int attempt = 0; attempt < 6 && gain <= 0; ++attempt, damping *= 8) {
        std::vector<double> reduced = hessian;
        for (int a = 0; a < m; ++a) reduced[static_cast<size_t>(a) * m + a] *= 1 + damping;
        step = gradient;
        bool positive = true;
        for (size_t v = 0; v < views && positive; ++v) {
          own = blocks[v].own;
          const size_t f = blocks[v].free.size();
          for (size_t k = 0; k < f; ++k) own[k * f + k] = own[k * f + k] * (1 + damping) + 1e-12;
          positive = Eliminate(&own, blocks[v].shared, blocks[v].gradient, m, reduced.data(),
                               step.data(), &solved[v]);
        }
        if (!positive || (m > 0 && !Cholesky(reduced.data(), m))) continue;
        SolveCholesky(reduced.data(), m, step.data());
        std::vector<double> next_identity = *identity;
        std::vector<Observation> next = *observations;
        for (int a = 0; a < m; ++a) next_identity[a] += step[a];
        for (size_t v = 0; v < views; ++v) {
          const size_t f = blocks[v].free.size();
          double* const last = solved[v].data() + static_cast<size_t>(m) * f;
          for (int a = 0; a < m; ++a) {
            const double* column = solved[v].data() + static_cast<size_t>(a) * f;
            for (size_t k = 0; k < f; ++k) last[k] -= step[a] * column[k];
          }
          move.assign(kViewParameters + e, 0);
          for (size_t k = 0; k < f; ++k) move[blocks[v].free[k]] = last[k];
          next[v].view.Move(move.data());
          for (int k = 0; k < e; ++k) {
            next[v].expression[k] =
                std::clamp(next[v].expression[k] + move[kViewParameters + k], 0.0, 1.0);
          }
        }
        const double next_cost = Cost(next, next_identity);
        if (next_cost < cost) {
          gain = cost - next_cost;
          cost = next_cost;
          *identity = std::move(next_identity);
          *observations = std::move(next);
          damping = std::max(1e-9, damping / 40);
        }
      }
      if (gain < 1e-6 * cost) break;
    }
    control.Progress(round + 1, kRounds);
  }
  return Status::Ok();
}

Status Solver::IdentityVariance(const std::vector<Observation>& observations,
                                const std::vector<double>& identity,
                                std::vector<double>* variance) const {
  const int m = points_.identity_modes;
  std::vector<double> hessian(static_cast<size_t>(m) * m, 0), gradient(m, 0),
      shape(points_.mean.size()), solved;
  for (int a = 0; a < m; ++a) hessian[static_cast<size_t>(a) * m + a] = 1;
  for (const Observation& o : observations) {
    points_.Shape(identity.data(), o.expression.data(), shape.data());
    Block block;
    Accumulate(o, shape.data(), hessian.data(), gradient.data(), &block);
    const size_t f = block.free.size();
    for (size_t k = 0; k < f; ++k) block.own[k * f + k] += 1e-9;
    if (!Eliminate(&block.own, block.shared, block.gradient, m, hessian.data(), gradient.data(),
                   &solved)) {
      return Status(Code::kInternal, "fit: a photo's normal equations are singular");
    }
  }
  variance->assign(m, 1);
  if (m == 0) return Status::Ok();
  if (!Cholesky(hessian.data(), m))
    return Status(Code::kInternal, "fit: the identity's normal equations are singular");
  InverseDiagonal(hessian.data(), m, variance->data());
  return Status::Ok();
}

}  // namespace daf::head
