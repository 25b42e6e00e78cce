#include "native/head/synth/faces/figure.h"

#include <algorithm>
#include <cmath>

#include "native/head/raster/rasteriser.h"
#include "native/head/synth/background.h"
#include "native/head/synth/light.h"

namespace daf::head {
namespace {

constexpr int kDirections = 40;

Surface SurfaceOf(const std::string& name) {
  if (name == "mouth" || name == "socket") return Surface::kMouth;
  if (name.compare(0, 3, "eye") == 0) return Surface::kEye;
  if (name.compare(0, 5, "teeth") == 0) return Surface::kTooth;
  return name == "hair" ? Surface::kHair : Surface::kSkin;
}

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
  f.source = model.source;
  f.triangles = model.triangles;
  f.uv = model.uv;
  f.first_hair = model.triangle_count();
  for (const Part& part : model.parts) {
    const Surface surface = SurfaceOf(part.name);
    if (surface == Surface::kHair) {
      f.first_hair = part.first_triangle;
      f.hair_count = part.triangle_count;
    }
    f.surface.insert(f.surface.end(), part.triangle_count, surface);
  }
  f.surface.resize(model.triangle_count(), Surface::kSkin);
  std::vector<float> all = model.mean;
  std::vector<uint32_t> cloth;
  AddGarment(&all, &cloth);
  f.garment.assign(all.begin() + static_cast<std::ptrdiff_t>(model.mean.size()), all.end());
  const uint32_t shift = model.render_count() - model.position_count;
  for (uint32_t v = model.position_count; v < all.size() / 3; ++v) {
    f.source.push_back(v);
    f.uv.insert(f.uv.end(), {0, 0});
  }
  for (uint32_t v : cloth) f.triangles.push_back(v + shift);
  f.surface.insert(f.surface.end(), cloth.size() / 3, Surface::kCloth);

  MeshView mesh;
  mesh.positions = all.data();
  mesh.position_count = all.size() / 3;
  mesh.source = f.source.data();
  mesh.render_count = f.source.size();
  mesh.triangles = f.triangles.data();
  mesh.triangle_count = f.triangles.size() / 3;
  f.normals.resize(all.size());
  VertexNormals(mesh, f.normals.data());
  f.openness.assign(mesh.position_count, 0);
  MeshView casters = mesh;
  casters.triangle_count = f.first_hair;
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
  if (marks == nullptr) f.scalp = Scalp(model);
  *out = std::move(f);
  return Status::Ok();
}

}  // namespace daf::head
