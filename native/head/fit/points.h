// The few vertices that landmarks can stand on, with their modes gathered into one small dense
// table.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "native/head/fit/view.h"
#include "native/head/head_model.h"

namespace daf::head {

struct LandmarkPoints {
  std::vector<uint32_t> vertex;    // [P] positions of the head model
  std::vector<double> mean;        // [P][3]
  std::vector<double> identity;    // [M][P][3], the modes that are fitted
  std::vector<double> expression;  // [E][P][3]
  int identity_modes = 0, expression_modes = 0;
  std::array<int, kLandmarks> fixed{};  // landmark → point
  std::array<std::vector<int>, 17>
      contour;  // jaw landmark → points from the front up to the landmark itself
  std::array<std::array<double, 2>, 17>
      outward{};  // in the head's x-y plane, from the face's middle
  bool has_contour = false;

  int count() const { return static_cast<int>(vertex.size()); }
  // out[P][3]
  void Shape(const double* alpha, const double* beta, double* out) const;
};

Status GatherPoints(const HeadModel& model, int identity_modes, int expression_modes,
                    LandmarkPoints* out);

// Which point each jaw landmark stands on in this view: of the points from the front to the
// landmark, the one farthest out in the picture. On the side turned to the camera that is the
// landmark itself.
void ChooseContour(const LandmarkPoints& points, const View& view, const double* shape,
                   std::array<int, 17>* out);

}  // namespace daf::head
