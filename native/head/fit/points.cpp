#include "native/head/fit/points.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace daf::head {

void LandmarkPoints::Shape(const double* alpha, const double* beta, double* out) const {
  const size_t n = 3 * vertex.size();
  std::copy(mean.begin(), mean.end(), out);
  for (int m = 0; m < identity_modes; ++m) {
    const double* mode = identity.data() + m * n;
    for (size_t i = 0; i < n; ++i) out[i] += alpha[m] * mode[i];
  }
  for (int e = 0; e < expression_modes; ++e) {
    if (beta[e] == 0) continue;
    const double* mode = expression.data() + e * n;
    for (size_t i = 0; i < n; ++i) out[i] += beta[e] * mode[i];
  }
}

Status GatherPoints(const HeadModel& model, int identity_modes, int expression_modes,
                    LandmarkPoints* out) {
  const int all_identity = static_cast<int>(model.identity_names.size());
  const int all_expression = static_cast<int>(model.expression_names.size());
  out->identity_modes = identity_modes < 0 ? all_identity : std::min(identity_modes, all_identity);
  out->expression_modes =
      expression_modes < 0 ? all_expression : std::min(expression_modes, all_expression);
  const auto add = [&](uint32_t vertex) {
    const auto found = std::find(out->vertex.begin(), out->vertex.end(), vertex);
    if (found != out->vertex.end()) return static_cast<int>(found - out->vertex.begin());
    out->vertex.push_back(vertex);
    return static_cast<int>(out->vertex.size()) - 1;
  };
  for (int i = 0; i < kLandmarks; ++i) {
    if (model.landmarks[i] >= model.position_count) {
      return Status(Code::kBadArgument, "fit: landmark " + std::to_string(i) +
                                            " of the head model is not one of its positions");
    }
    out->fixed[i] = add(model.landmarks[i]);
  }
  if (out->count() < 60)
    return Status(Code::kBadArgument,
                  "fit: the head model's landmarks are not 68 distinct positions");
  for (int i = 0; i < 17; ++i) {
    const std::vector<uint32_t>& line = model.contour[i];
    // Behind the landmark the line runs over neck and ear, where no outline of the face is seen.
    auto end = std::find(line.begin(), line.end(), model.landmarks[i]);
    for (auto it = line.begin(); it != end; ++it) out->contour[i].push_back(add(*it));
    out->contour[i].push_back(out->fixed[i]);
    if (out->contour[i].size() > 1) out->has_contour = true;
  }
  const size_t n = out->vertex.size(), floats = size_t{model.position_count} * 3;
  const auto gather = [&](const float* from, double* to) {
    for (size_t p = 0; p < n; ++p) {
      for (int k = 0; k < 3; ++k) to[3 * p + k] = from[3 * size_t{out->vertex[p]} + k];
    }
  };
  out->mean.resize(3 * n);
  gather(model.mean.data(), out->mean.data());
  out->identity.resize(3 * n * out->identity_modes);
  for (int m = 0; m < out->identity_modes; ++m)
    gather(model.identity.data() + m * floats, out->identity.data() + 3 * n * m);
  out->expression.resize(3 * n * out->expression_modes);
  for (int e = 0; e < out->expression_modes; ++e) {
    gather(model.expression.data() + e * floats, out->expression.data() + 3 * n * e);
  }
  double middle[2] = {0, 0};
  for (int corner : {36, 45, 48, 54}) {
    for (int k = 0; k < 2; ++k) middle[k] += 0.25 * out->mean[3 * out->fixed[corner] + k];
  }
  for (int i = 0; i < 17; ++i) {
    const double* p = out->mean.data() + 3 * out->fixed[i];
    const double d[2] = {p[0] - middle[0], p[1] - middle[1]}, length = std::hypot(d[0], d[1]);
    for (int k = 0; k < 2; ++k) out->outward[i][k] = length > 0 ? d[k] / length : 0;
  }
  return Status::Ok();
}

void ChooseContour(const LandmarkPoints& points, const View& view, const double* shape,
                   std::array<int, 17>* out) {
  // The head's up axis as the picture shows it; a turned head keeps its sides left and right of
  // that axis.
  double up[2] = {view.rotation[1], view.rotation[4]};
  const double length = std::hypot(up[0], up[1]);
  if (length > 1e-6) {
    up[0] /= length;
    up[1] /= length;
  } else {
    up[0] = 0;
    up[1] = 1;
  }
  const double right[2] = {up[1], -up[0]};
  for (int i = 0; i < 17; ++i) {
    const double d[2] = {points.outward[i][0] * right[0] + points.outward[i][1] * up[0],
                         points.outward[i][0] * right[1] + points.outward[i][1] * up[1]};
    double farthest = -INFINITY;
    (*out)[i] = points.fixed[i];
    for (int candidate : points.contour[i]) {
      double pixel[2];
      if (!view.Project(shape + 3 * candidate, pixel, nullptr, nullptr)) continue;
      const double reach = d[0] * pixel[0] - d[1] * pixel[1];  // pixels run downwards
      if (reach > farthest) {
        farthest = reach;
        (*out)[i] = candidate;
      }
    }
  }
}

}  // namespace daf::head
