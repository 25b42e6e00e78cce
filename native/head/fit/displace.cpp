#include "native/head/fit/displace.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/head/fit/dense.h"

namespace daf::head {
namespace {

// Standard deviation and reach of the two kernels, cm. The broad one is the size of what a few
// dozen modes leave over; the narrow one lets lips and lids meet their landmarks. Both are far
// wider than a triangle.
struct Kernel {
  double spread, reach;
};
constexpr Kernel kKernels[2] = {{0.22, 3.0}, {0.14, 1.3}};
// Share of the field that is the same on both sides.
constexpr double kSymmetric = 0.9;
constexpr double kLongest = 1.2;  // cm; a landmark farther off is an error of the landmark

double Covariance(const double a[3], const double b[3]) {
  const double d2 =
      (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]);
  double k = 0;
  for (const Kernel& kernel : kKernels)
    k += kernel.spread * kernel.spread * std::exp(-d2 / (2 * kernel.reach * kernel.reach));
  return k;
}

// Covariance of the displacement at a with that at b, per axis: mirrored displacements agree up to
// the sign of x.
void SymmetricCovariance(const double a[3], const double b[3], const double b_mirrored[3],
                         double out[3]) {
  const double same = Covariance(a, b), other = kSymmetric * Covariance(a, b_mirrored);
  out[0] = same - other;
  out[1] = same + other;
  out[2] = same + other;
}

struct Anchor {
  uint32_t vertex;
  double x[3], mirrored[3];
};

// Distances are taken on the mean head, where reflection is exact: only then is the covariance one
// of a random field.
void Fill(const HeadModel& model, Anchor* anchor) {
  for (int k = 0; k < 3; ++k) {
    anchor->x[k] = model.mean[3 * size_t{anchor->vertex} + k];
    anchor->mirrored[k] = k == 0 ? -anchor->x[k] : anchor->x[k];
  }
}

// Four at a time: a head has a million pairs of position and anchor.
typedef float Four __attribute__((vector_size(16)));
typedef int32_t FourWhole __attribute__((vector_size(16)));

// exp(x) for x ≤ 0, to 2e-7 of the value, and to 1e-37 where that is less.
Four Exp(Four x) {
  const Four most = Four{} - 87;
  x = x > most ? x : most;
  // x = n ln 2 + r with |r| ≤ ln 2 / 2, rounded downwards as x is negative.
  const FourWhole n = __builtin_convertvector(x * 1.44269504f - 0.5f, FourWhole);
  const Four whole = __builtin_convertvector(n, Four);
  const Four r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  Four p = Four{} + 1.9875691500e-4f;
  for (const float c :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
    p = p * r + c;
  p = p * r * r + r + 1;
  const FourWhole power = (n + 127) << 23;
  Four scale;
  std::memcpy(&scale, &power, sizeof scale);
  return p * scale;
}

// The displacement that the anchors' coefficients make at any place of the mean head.
class AnchorField {
 public:
  // coefficients[anchors][3]
  AnchorField(const std::vector<Anchor>& anchors, const std::vector<double>& coefficients)
      : groups_((anchors.size() + 3) / 4) {
    for (size_t i = 0; i < 4 * groups_.size(); ++i) {
      Group& group = groups_[i / 4];
      for (int k = 0; k < 3; ++k) {
        // What fills the last group pulls nowhere.
        group.x[k][i % 4] = i < anchors.size() ? static_cast<float>(anchors[i].x[k]) : 0;
        group.pull[k][i % 4] = i < anchors.size() ? static_cast<float>(coefficients[3 * i + k]) : 0;
      }
    }
  }

  void At(const float place[3], double out[3]) const {
    Four sums[3] = {};
    for (const Group& group : groups_) {
      const Four dx = group.x[0] - place[0], mirrored = group.x[0] + place[0],
                 dy = group.x[1] - place[1], dz = group.x[2] - place[2];
      const Four across = dy * dy + dz * dz;
      const Four same = Covariances(dx * dx + across),
                 other = static_cast<float>(kSymmetric) * Covariances(mirrored * mirrored + across);
      sums[0] += (same - other) * group.pull[0];
      sums[1] += (same + other) * group.pull[1];
      sums[2] += (same + other) * group.pull[2];
    }
    for (int axis = 0; axis < 3; ++axis) {
      const Four s = sums[axis];
      out[axis] = double{s[0]} + s[1] + s[2] + s[3];
    }
  }

 private:
  struct Group {
    Four x[3], pull[3];
  };

  static Four Covariances(Four squares) {
    Four k = {};
    for (const Kernel& kernel : kKernels) {
      const float variance = static_cast<float>(kernel.spread * kernel.spread),
                  fall = static_cast<float>(-1 / (2 * kernel.reach * kernel.reach));
      k += variance * Exp(fall * squares);
    }
    return k;
  }

  std::vector<Group> groups_;
};

// Unnormalised normal of a triangle of positions.
void Normal(const float* p, const uint32_t corner[3], double n[3]) {
  double u[3], v[3];
  for (int k = 0; k < 3; ++k) {
    u[k] = double{p[3 * size_t{corner[1]} + k]} - p[3 * size_t{corner[0]} + k];
    v[k] = double{p[3 * size_t{corner[2]} + k]} - p[3 * size_t{corner[0]} + k];
  }
  n[0] = u[1] * v[2] - u[2] * v[1];
  n[1] = u[2] * v[0] - u[0] * v[2];
  n[2] = u[0] * v[1] - u[1] * v[0];
}

bool Flips(const HeadModel& model, const float* before, const float* after) {
  for (size_t t = 0; t < model.triangles.size(); t += 3) {
    const uint32_t corner[3] = {model.source[model.triangles[t]],
                                model.source[model.triangles[t + 1]],
                                model.source[model.triangles[t + 2]]};
    double a[3], b[3];
    Normal(before, corner, a);
    Normal(after, corner, b);
    const double dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    // A sliver of no area has no side to turn over to.
    if (dot < 0 && a[0] * a[0] + a[1] * a[1] + a[2] * a[2] > 1e-10) return true;
  }
  return false;
}

bool MovesAsOne(const Part& part) {
  return part.name.compare(0, 3, "eye") == 0 || part.name.compare(0, 5, "teeth") == 0 ||
         part.name == "tongue";
}

void MoveRigidParts(const HeadModel& model, float* displacement) {
  for (const Part& part : model.parts) {
    if (!MovesAsOne(part) || part.vertex_count == 0) continue;
    double mean[3] = {0, 0, 0};
    for (uint32_t r = part.first_vertex; r < part.first_vertex + part.vertex_count; ++r) {
      for (int k = 0; k < 3; ++k) mean[k] += displacement[3 * size_t{model.source[r]} + k];
    }
    for (uint32_t r = part.first_vertex; r < part.first_vertex + part.vertex_count; ++r) {
      for (int k = 0; k < 3; ++k) {
        displacement[3 * size_t{model.source[r]} + k] =
            static_cast<float>(mean[k] / part.vertex_count);
      }
    }
  }
}

}  // namespace

Status Displace(const HeadModel& model, const float* shape, const std::vector<Pull>& pulls,
                Arena& arena, const TaskControl& control, float* displacement) {
  const size_t floats = size_t{model.position_count} * 3;
  std::fill(displacement, displacement + floats, 0.0f);
  std::vector<Anchor> anchors;
  std::vector<int> anchor_of(pulls.size());
  for (size_t i = 0; i < pulls.size(); ++i) {
    const auto found = std::find_if(anchors.begin(), anchors.end(),
                                    [&](const Anchor& a) { return a.vertex == pulls[i].vertex; });
    anchor_of[i] = static_cast<int>(found - anchors.begin());
    if (found == anchors.end()) {
      Anchor anchor;
      anchor.vertex = pulls[i].vertex;
      Fill(model, &anchor);
      anchors.push_back(anchor);
    }
  }
  if (anchors.empty()) return Status::Ok();

  // With f the displacement at the anchors, K its covariance and f = K c, the minimum of the data
  // term plus cᵀ K c solves (I + A K) c = g, where A and g gather the pulls. Symmetrised by f: (K⁻¹
  // + A) f = g.
  const size_t n = 3 * anchors.size();
  double *covariance = nullptr, *system = nullptr;
  DAF_RETURN_IF_ERROR(arena.Allocate(n * n, &covariance));
  DAF_RETURN_IF_ERROR(arena.Allocate(n * n, &system));
  std::fill(covariance, covariance + n * n, 0.0);
  for (size_t a = 0; a < anchors.size(); ++a) {
    for (size_t b = 0; b < anchors.size(); ++b) {
      double k[3];
      SymmetricCovariance(anchors[a].x, anchors[b].x, anchors[b].mirrored, k);
      for (int axis = 0; axis < 3; ++axis) covariance[(3 * a + axis) * n + 3 * b + axis] = k[axis];
    }
  }
  // (K + K A K) c = K g has a symmetric positive definite left side.
  std::vector<double> data(n * n, 0.0), g(n, 0.0);
  for (size_t i = 0; i < pulls.size(); ++i) {
    const Pull& p = pulls[i];
    const size_t at = 3 * static_cast<size_t>(anchor_of[i]);
    for (int r = 0; r < 3; ++r) {
      const double wx = p.metric[0] * p.by_point[r] + p.metric[1] * p.by_point[3 + r];
      const double wy = p.metric[1] * p.by_point[r] + p.metric[2] * p.by_point[3 + r];
      g[at + r] += wx * p.error[0] + wy * p.error[1];
      for (int c = 0; c < 3; ++c)
        data[(at + r) * n + at + c] += wx * p.by_point[c] + wy * p.by_point[3 + c];
    }
  }
  std::vector<double> half(n * n, 0.0), rhs(n, 0.0);  // half = A K, block-diagonal times dense
  for (size_t r = 0; r < n; ++r) {
    const size_t block = r / 3 * 3;
    for (size_t k = block; k < block + 3; ++k) {
      const double w = data[r * n + k];
      for (size_t c = 0; c < n; ++c) half[r * n + c] += w * covariance[k * n + c];
    }
  }
  for (size_t r = 0; r < n; ++r) {
    DAF_RETURN_IF_ERROR(control.Check());
    for (size_t c = 0; c < n; ++c) system[r * n + c] = covariance[r * n + c];
    for (size_t k = 0; k < n; ++k) {
      const double w = covariance[r * n + k];
      rhs[r] += w * g[k];
      if (w == 0) continue;
      for (size_t c = 0; c < n; ++c) system[r * n + c] += w * half[k * n + c];
    }
  }
  // Near-coincident anchors (closed lips) make K nearly singular; a fraction of its diagonal is
  // noise enough.
  for (size_t r = 0; r < n; ++r) system[r * n + r] += 1e-6 * system[r * n + r] + 1e-9;
  if (!Cholesky(system, n))
    return Status(Code::kInternal, "fit: the displacement's equations are singular");
  SolveCholesky(system, n, rhs.data());

  const AnchorField field(anchors, rhs);
  for (size_t v = 0; v < model.position_count; ++v) {
    if (v % 64 == 0) DAF_RETURN_IF_ERROR(control.Check());
    double d[3];
    field.At(model.mean.data() + 3 * v, d);
    const double length = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    // Bends towards kLongest smoothly, so that a cap leaves no crease.
    const double cap = length > 1e-9 ? kLongest * std::tanh(length / kLongest) / length : 1.0;
    for (int axis = 0; axis < 3; ++axis)
      displacement[3 * v + axis] = static_cast<float>(cap * d[axis]);
  }
  MoveRigidParts(model, displacement);

  float* moved = nullptr;
  DAF_RETURN_IF_ERROR(arena.Allocate(floats, &moved));
  for (int attempt = 0; attempt < 12; ++attempt) {
    DAF_RETURN_IF_ERROR(control.Check());
    for (size_t i = 0; i < floats; ++i) moved[i] = shape[i] + displacement[i];
    if (!Flips(model, shape, moved)) return Status::Ok();
    for (size_t i = 0; i < floats; ++i) displacement[i] *= 0.75f;
  }
  std::fill(displacement, displacement + floats, 0.0f);
  return Status::Ok();
}

}  // namespace daf::head
