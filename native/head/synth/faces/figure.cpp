#include "native/head/synth/faces/figure.h"

#include <algorithm>
#include <cmath>

#include "native/head/raster/rasteriser.h"
#include "native/head/synth/light.h"

namespace daf::head {
namespace {

constexpr int kDirections = 40;

// Where hair grows on a head that knows only its landmarks: above a line from the forehead over the
// temples to behind the ears.
std::vector<float> Scalp(const HeadModel& model) {
  std::vector<float> scalp(model.position_count);
  const float* brow = &model.mean[3 * size_t{model.landmarks[19]}];
  const float* ear = &model.mean[3 * size_t{model.landmarks[0]}];
  const float hairline = brow[1] + 4.6f, ear_z = ear[2];
  for (size_t v = 0; v < scalp.size(); ++v) {
    const float* p = &model.mean[3 * v];
    // The line falls from the forehead (front) to the ear and on to the nape.
    const float back = std::clamp((brow[2] - 1.5f - p[2]) / (brow[2] - 1.5f - ear_z), 0.0f, 1.6f);
    const float line = hairline + back * (-1.2f - hairline) - (back > 1 ? 9 * (back - 1) : 0);
    scalp[v] = Ramp(-0.4f, 0.9f, p[1] - line) * Ramp(brow[2] + 3, brow[2] + 1, p[2]);
  }
  return scalp;
}

}  // namespace

Status Figure::Prepare(const HeadModel& model, const HeadMarks* marks, const TaskControl& control,
                       Figure* out) {
  Figure f;
  f.model = &model;
  f.marks = marks;
  std::vector<float> all = model.mean;
  f.mesh = DressedMesh::Make(model, &all);
  f.garment.assign(all.begin() + static_cast<std::ptrdiff_t>(model.mean.size()), all.end());
  const MeshView mesh = f.mesh.View(all);
  f.normals.resize(all.size());
  VertexNormals(mesh, f.normals.data());
  f.openness.assign(mesh.position_count, 0);
  MeshView casters = mesh;
  casters.triangle_count = f.mesh.first_hair;
  ShadowMap map;
  for (int k = 0; k < kDirections; ++k) {
    DAF_RETURN_IF_ERROR(control.Check());
    const float y = 1 - 2 * (static_cast<float>(k) + 0.5f) / kDirections, r = std::sqrt(1 - y * y),
                turn = 2.39996323f * static_cast<float>(k);
    const float d[3] = {r * std::cos(turn), y, r * std::sin(turn)};
    DAF_RETURN_IF_ERROR(map.Build(casters, d, 160, 0.35f));
    for (size_t v = 0; v < mesh.position_count; ++v) {
      const float* n = &f.normals[3 * v];
      const float facing = n[0] * d[0] + n[1] * d[1] + n[2] * d[2];
      if (facing <= 0) continue;
      float p[3];
      for (size_t i = 0; i < 3; ++i) p[i] = all[3 * v + i] + 0.15f * n[i];
      f.openness[v] += 4.0f / kDirections * facing * map.Lit(p, 0);
    }
  }
  // The mean head's mouth is shut: where it opens, its teeth and lining are lit after all.
  for (size_t t = 0; t < f.mesh.surface.size(); ++t) {
    const float least = f.mesh.surface[t] == Surface::kTooth   ? 0.5f
                        : f.mesh.surface[t] == Surface::kMouth ? 0.15f
                                                               : 0.0f;
    for (size_t k = 0; least > 0 && k < 3; ++k) {
      float& open = f.openness[f.mesh.source[f.mesh.triangles[3 * t + k]]];
      open = std::max(open, least);
    }
  }
  if (marks == nullptr) f.scalp = Scalp(model);
  *out = std::move(f);
  return Status::Ok();
}

}  // namespace daf::head
