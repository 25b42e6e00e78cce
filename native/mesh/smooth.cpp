#include "native/mesh/smooth.h"

#include "native/mesh/vector.h"

namespace daf::mesh {
namespace {

constexpr float kSteps[2] = {0.5f, -0.53f};

// On a closed surface each neighbour of a vertex follows it in one triangle.
Status Step(float share, const TaskControl& control, std::vector<Point>* sums,
            std::vector<uint32_t>* counts, Mesh* mesh) {
  sums->assign(mesh->positions.size(), Point{0, 0, 0});
  counts->assign(mesh->positions.size(), 0);
  for (size_t i = 0; i < mesh->triangles.size(); ++i) {
    if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control.Check());
    const Triangle& t = mesh->triangles[i];
    for (size_t k = 0; k < 3; ++k) {
      (*sums)[t[k]] = Along((*sums)[t[k]], 1, mesh->positions[t[(k + 1) % 3]]);
      ++(*counts)[t[k]];
    }
  }
  for (size_t v = 0; v < sums->size(); ++v) {
    if (v % kPoll == 0) DAF_RETURN_IF_ERROR(control.Check());
    if ((*counts)[v] == 0) continue;
    const auto n = static_cast<float>((*counts)[v]);
    const Point mean = {(*sums)[v][0] / n, (*sums)[v][1] / n, (*sums)[v][2] / n};
    mesh->positions[v] = Along(mesh->positions[v], share, Minus(mean, mesh->positions[v]));
  }
  return Status::Ok();
}

}  // namespace

Status Smooth(int iterations, const TaskControl& control, Mesh* mesh) {
  std::vector<Point> sums;
  std::vector<uint32_t> counts;
  for (int i = 0; i < iterations; ++i) {
    for (const float share : kSteps) {
      DAF_RETURN_IF_ERROR(Step(share, control, &sums, &counts, mesh));
    }
    control.Progress(i + 1, iterations);
  }
  return Status::Ok();
}

}  // namespace daf::mesh
