// How a lens bends light: the distortion models of OpenCV. Coordinates are those of its papers, on
// the image plane at focal length 1: u right, v down; directions x right, y down, z into the scene.
#pragma once

#include <cstdint>

#include "native/base/status.h"

namespace daf::nerf {

enum class LensModel : uint8_t {
  kPinhole,
  kOpenCv,  // Brown–Conrady: u = x (1 + k1 r² + k2 r⁴ + k3 r⁶)/(1 + k4 r² + k5 r⁴ + k6 r⁶)
            //   + 2 p1 x y + p2 (r² + 2 x²), v alike with p1 and p2 swapped; r of (x/z, y/z)
  kFisheye,  // Kannala–Brandt: radius θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸), θ from the axis
};

// What a model does not use is 0.
struct LensCoefficients {
  float k[6] = {};  // k1 … k6
  float p[2] = {};  // p1, p2
};

// A pinhole unless made otherwise. Radii beyond `limit`, where a polynomial folds the picture back
// onto itself, belong to no picture.
class Lens {
 public:
  Lens() = default;
  // Errors: kBadArgument for a coefficient that is not finite, or a lens that folds at its centre.
  static Status Make(LensModel model, const LensCoefficients& coefficients, Lens* out);

  LensModel model() const { return model_; }
  bool pinhole() const { return model_ == LensModel::kPinhole; }
  // The largest tangent of the angle from the axis (fisheye: the angle, radians) that the lens
  // sees.
  double limit() const { return limit_; }
  LensCoefficients coefficients() const;

  // Where a direction (of any length) falls. False for what the lens cannot see.
  bool Distort(const double direction[3], double* u, double* v) const;
  // The direction that falls on (u, v), not normalised: Newton's method. For a place that no
  // direction falls on, the one that comes nearest.
  void Undistort(double u, double v, double direction[3]) const;

 private:
  struct Bent;
  double Scale(double s, double* slope) const;
  Bent Bend(double x, double y) const;
  void UndistortPlane(double u, double v, double* x, double* y) const;
  double UndistortAngle(double radius) const;

  LensModel model_ = LensModel::kPinhole;
  double k_[6] = {}, p_[2] = {};
  double limit_ = 0;
};

}  // namespace daf::nerf
