#include "native/mesh/level_fit.h"

#include <algorithm>

#include "native/mesh/level_line.h"
#include "native/mesh/normals.h"
#include "native/mesh/unfold.h"
#include "native/mesh/vector.h"

namespace daf::mesh {
namespace {

constexpr size_t kBatch = 8192;
constexpr float kLeastAgreement = 0.5f;  // cosine between gradient and triangles

// A cosine: how far a triangle may turn when its corners move onto the level, each on its own.
constexpr float kLeastTurn = 0.7f;
constexpr uint8_t kSteps = 4;

// Moves the vertices of triangles that turned too far, or lean more than they did, half of the way
// back, until none has; those that would need many steps all of it.
Status Restore(const std::vector<Point>& before, const std::vector<Point>& surroundings,
               const TaskControl& control, Mesh* mesh) {
  std::vector<uint8_t> steps(before.size(), 0);
  const auto back = [&](uint32_t v) {
    Point& now = mesh->positions[v];
    if (now == before[v]) return false;
    now = ++steps[v] > kSteps ? before[v] : Along(before[v], 0.5f, Minus(now, before[v]));
    return true;
  };
  for (bool again = true; again;) {
    again = false;
    for (size_t i = 0; i < mesh->triangles.size(); ++i) {
      if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control.Check());
      const Triangle& t = mesh->triangles[i];
      const auto& p = mesh->positions;
      const Point was = AreaNormal(before[t[0]], before[t[1]], before[t[2]]),
                  is = AreaNormal(p[t[0]], p[t[1]], p[t[2]]);
      const Point& upright = surroundings[i];
      const bool leans = Dot(is, upright) <= kLeastUpright * Length(is) &&
                         Dot(is, upright) * Length(was) < Dot(was, upright) * Length(is);
      if (!leans && Dot(was, is) > kLeastTurn * Length(was) * Length(is)) continue;
      for (const uint32_t v : t) again = back(v) || again;
    }
  }
  return Status::Ok();
}

}  // namespace

Status FitToLevel(const Sampler& sampler, float iso, float reach, const TaskControl& control,
                  Mesh* mesh) {
  DAF_RETURN_IF_ERROR(Unfold(sampler, reach, control, mesh));
  const std::vector<Point> before = mesh->positions, normals = VertexNormals(*mesh);
  std::vector<Point> surroundings;
  DAF_RETURN_IF_ERROR(Surroundings(*mesh, control, &surroundings));
  std::vector<float> offsets;
  for (size_t first = 0; first < before.size(); first += kBatch) {
    DAF_RETURN_IF_ERROR(control.Check());
    const auto last = static_cast<ptrdiff_t>(std::min(first + kBatch, before.size()));
    const auto begin = static_cast<ptrdiff_t>(first);
    const std::vector<Point> points(before.begin() + begin, before.begin() + last),
        directions(normals.begin() + begin, normals.begin() + last);
    DAF_RETURN_IF_ERROR(FindLevel(sampler, iso, reach, 2, points, directions, &offsets));
    for (size_t i = 0; i < points.size(); ++i)
      mesh->positions[first + i] = Along(points[i], offsets[i], directions[i]);
    control.Progress(static_cast<int32_t>(last), static_cast<int32_t>(before.size()));
  }
  return Restore(before, surroundings, control, mesh);
}

Status GradientNormals(const Sampler& sampler, float step, const TaskControl& control,
                       const Mesh& mesh, std::vector<Point>* normals) {
  *normals = VertexNormals(mesh);
  std::vector<Point> around;
  std::vector<float> values;
  for (size_t first = 0; first < normals->size(); first += kBatch) {
    DAF_RETURN_IF_ERROR(control.Check());
    const size_t count = std::min(kBatch, normals->size() - first);
    around.clear();
    for (size_t i = 0; i < count; ++i) {
      for (size_t side = 0; side < 6; ++side) {
        Point p = mesh.positions[first + i];
        p[side / 2] += side % 2 == 0 ? step : -step;
        around.push_back(p);
      }
    }
    values.resize(around.size());
    DAF_RETURN_IF_ERROR(sampler(around[0].data(), around.size(), values.data()));
    DAF_RETURN_IF_ERROR(CheckFinite(values.data(), values.size()));
    for (size_t i = 0; i < count; ++i) {
      const float* v = &values[6 * i];
      Point& normal = (*normals)[first + i];
      const Point outward = Unit({v[1] - v[0], v[3] - v[2], v[5] - v[4]}, {0, 0, 0});
      if (Dot(outward, normal) > kLeastAgreement) normal = outward;
    }
    control.Progress(static_cast<int32_t>(first + count), static_cast<int32_t>(normals->size()));
  }
  return Status::Ok();
}

}  // namespace daf::mesh
