#include "native/nerf/lens.h"

#include <algorithm>
#include <cmath>

namespace daf::nerf {
namespace {

constexpr double kWidest = 16;  // tangent of 86.4°: beyond it a plane is no picture
constexpr double kPi = 3.14159265358979323846;
constexpr int kIterations = 32;
constexpr double kDone = 1e-9;  // focal lengths: far below a thousandth of a pixel

// The largest x in [0, end] up to which `grows` holds; it is tried at 2048 places and between them.
template <typename Predicate>
double GrowsUntil(double end, const Predicate& grows) {
  constexpr int kSteps = 2048;
  double good = 0, bad = end;
  for (int i = 1; i <= kSteps; ++i) {
    bad = end * i / kSteps;
    if (!grows(bad)) break;
    good = bad;
  }
  for (int i = 0; good < bad && i < 40; ++i) {
    const double middle = (good + bad) / 2;
    (grows(middle) ? good : bad) = middle;
  }
  return good;
}

}  // namespace

// A distorted point and the (symmetric) Jacobian there.
struct Lens::Bent {
  double u, v, du_dx, du_dy, dv_dy;
};

Status Lens::Make(LensModel model, const LensCoefficients& coefficients, Lens* out) {
  Lens lens;
  lens.model_ = model;
  std::copy(coefficients.k, coefficients.k + 6, lens.k_);
  std::copy(coefficients.p, coefficients.p + 2, lens.p_);
  const auto finite = [](double v) { return std::isfinite(v); };
  if (!std::all_of(lens.k_, lens.k_ + 6, finite) || !std::all_of(lens.p_, lens.p_ + 2, finite))
    return Status(Code::kBadArgument, "lens: a coefficient is not finite");
  if (model != LensModel::kPinhole) {
    lens.limit_ = GrowsUntil(model == LensModel::kFisheye ? kPi : kWidest, [&](double r) {
      double slope;
      const double scale = lens.Scale(r * r, &slope);
      return scale + 2 * r * r * slope > 0;
    });
    if (!(lens.limit_ > 1e-3))
      return Status(Code::kBadArgument, "lens: the distortion folds the picture at its centre");
  }
  *out = lens;
  return Status::Ok();
}

// The picture's radius over the scene's at s = r², and its derivative by s; both −1 past a pole.
double Lens::Scale(double s, double* slope) const {
  if (model_ == LensModel::kFisheye) {
    *slope = k_[0] + s * (2 * k_[1] + s * (3 * k_[2] + s * 4 * k_[3]));
    return 1 + s * (k_[0] + s * (k_[1] + s * (k_[2] + s * k_[3])));
  }
  const double below = 1 + s * (k_[3] + s * (k_[4] + s * k_[5]));
  if (!(below > 0)) return *slope = -1;
  const double scale = (1 + s * (k_[0] + s * (k_[1] + s * k_[2]))) / below;
  *slope = (k_[0] + s * (2 * k_[1] + s * 3 * k_[2]) -
            scale * (k_[3] + s * (2 * k_[4] + s * 3 * k_[5]))) /
           below;
  return scale;
}

Lens::Bent Lens::Bend(double x, double y) const {
  const double s = x * x + y * y, p1 = p_[0], p2 = p_[1];
  double slope;
  const double scale = Scale(s, &slope);
  return {x * scale + 2 * p1 * x * y + p2 * (s + 2 * x * x),
          y * scale + p1 * (s + 2 * y * y) + 2 * p2 * x * y,
          scale + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x,
          2 * x * y * slope + 2 * p1 * x + 2 * p2 * y,
          scale + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x};
}

bool Lens::Distort(const double direction[3], double* u, double* v) const {
  const double x = direction[0], y = direction[1], z = direction[2];
  if (model_ == LensModel::kFisheye) {
    const double across = std::sqrt(x * x + y * y), angle = std::atan2(across, z);
    if (!(angle <= limit_)) return false;
    double slope;
    const double scale = across > 0 ? angle * Scale(angle * angle, &slope) / across : 0;
    *u = x * scale;
    *v = y * scale;
    return true;
  }
  if (!(z > 0)) return false;
  *u = x / z;
  *v = y / z;
  if (model_ == LensModel::kPinhole) return true;
  if (!(*u * *u + *v * *v <= limit_ * limit_)) return false;
  const Bent bent = Bend(*u, *v);
  *u = bent.u;
  *v = bent.v;
  return true;
}

void Lens::Undistort(double u, double v, double direction[3]) const {
  direction[0] = u;
  direction[1] = v;
  direction[2] = 1;
  if (model_ == LensModel::kOpenCv) UndistortPlane(u, v, &direction[0], &direction[1]);
  if (model_ == LensModel::kFisheye) {
    const double radius = std::sqrt(u * u + v * v), angle = UndistortAngle(radius);
    const double scale = radius > 0 ? std::sin(angle) / radius : 0;
    direction[0] *= scale;
    direction[1] *= scale;
    direction[2] = std::cos(angle);
  }
}

// Newton within the disc that the lens sees; a step that comes no nearer is halved.
void Lens::UndistortPlane(double u, double v, double* x, double* y) const {
  const auto inside = [](double* a, double* b, double limit) {
    const double square = *a * *a + *b * *b;
    if (!(square > limit * limit)) return;
    const double scale = limit / std::sqrt(square);
    *a *= scale;
    *b *= scale;
  };
  const auto distance = [&](const Bent& b) {  // squared
    return (b.u - u) * (b.u - u) + (b.v - v) * (b.v - v);
  };
  *x = u;
  *y = v;
  inside(x, y, 0.9 * limit_);  // at the limit itself the Jacobian is singular
  Bent bent = Bend(*x, *y);
  double error = distance(bent);
  for (int i = 0; i < kIterations && error > kDone * kDone; ++i) {
    const double determinant = bent.du_dx * bent.dv_dy - bent.du_dy * bent.du_dy;
    if (!(std::fabs(determinant) > 1e-12)) return;
    const double du = u - bent.u, dv = v - bent.v;
    double dx = (bent.dv_dy * du - bent.du_dy * dv) / determinant,
           dy = (bent.du_dx * dv - bent.du_dy * du) / determinant;
    bool nearer = false;
    for (int halvings = 0; halvings < 12 && !nearer; ++halvings, dx /= 2, dy /= 2) {
      double tx = *x + dx, ty = *y + dy;
      inside(&tx, &ty, limit_);
      const Bent tried = Bend(tx, ty);
      const double left = distance(tried);
      if (!(left < error)) continue;
      nearer = true;
      *x = tx;
      *y = ty;
      bent = tried;
      error = left;
    }
    if (!nearer) return;
  }
}

// Newton, kept between brackets: the radius grows with the angle up to the limit.
double Lens::UndistortAngle(double radius) const {
  double low = 0, high = limit_, angle = std::min(radius, limit_);
  for (int i = 0; i < kIterations; ++i) {
    const double s = angle * angle;
    double slope;
    const double scale = Scale(s, &slope), error = angle * scale - radius;
    if (std::fabs(error) < kDone) break;
    (error < 0 ? low : high) = angle;
    const double next = angle - error / (scale + 2 * s * slope);
    angle = next > low && next < high ? next : (low + high) / 2;
  }
  return angle;
}

LensCoefficients Lens::coefficients() const {
  LensCoefficients out;
  for (int i = 0; i < 6; ++i) out.k[i] = static_cast<float>(k_[i]);
  for (int i = 0; i < 2; ++i) out.p[i] = static_cast<float>(p_[i]);
  return out;
}

}  // namespace daf::nerf
