#include "native/head/synth/dressed.h"

#include <string>

#include "native/head/synth/background.h"

namespace daf::head {
namespace {

Surface SurfaceOf(const std::string& name) {
  if (name == "mouth" || name == "socket" || name == "tongue") return Surface::kMouth;
  if (name.compare(0, 3, "eye") == 0) return Surface::kEye;
  if (name.compare(0, 5, "teeth") == 0) return Surface::kTooth;
  return name == "hair" ? Surface::kHair : Surface::kSkin;
}

}  // namespace

DressedMesh DressedMesh::Make(const HeadModel& model, std::vector<float>* positions) {
  DressedMesh d;
  d.source = model.source;
  d.triangles = model.triangles;
  d.uv = model.uv;
  d.first_hair = d.first_cloth = model.triangle_count();
  for (const Part& part : model.parts) {
    const Surface surface = SurfaceOf(part.name);
    if (surface == Surface::kHair) {
      d.first_hair = part.first_triangle;
      d.hair_count = part.triangle_count;
    }
    d.surface.insert(d.surface.end(), part.triangle_count, surface);
  }
  d.surface.resize(model.triangle_count(), Surface::kSkin);
  std::vector<uint32_t> cloth;
  AddGarment(positions, &cloth);
  for (uint32_t v = model.position_count; v < positions->size() / 3; ++v) {
    d.source.push_back(v);
    d.uv.insert(d.uv.end(), {0, 0});
  }
  const uint32_t shift = model.render_count() - model.position_count;
  for (uint32_t v : cloth) d.triangles.push_back(v + shift);
  d.surface.insert(d.surface.end(), cloth.size() / 3, Surface::kCloth);
  return d;
}

MeshView DressedMesh::View(const std::vector<float>& positions) const {
  MeshView mesh;
  mesh.positions = positions.data();
  mesh.position_count = positions.size() / 3;
  mesh.source = source.data();
  mesh.render_count = source.size();
  mesh.uv = uv.data();
  mesh.triangles = triangles.data();
  mesh.triangle_count = triangles.size() / 3;
  return mesh;
}

Status Layers::Allocate(Arena* arena, size_t samples) {
  DAF_RETURN_IF_ERROR(arena->Allocate(2 * samples, &solid_b));
  DAF_RETURN_IF_ERROR(arena->Allocate(samples, &solid_depth));
  DAF_RETURN_IF_ERROR(arena->Allocate(samples, &solid));
  DAF_RETURN_IF_ERROR(arena->Allocate(2 * samples, &hair_b));
  DAF_RETURN_IF_ERROR(arena->Allocate(samples, &hair_depth));
  return arena->Allocate(samples, &hair);
}

void Layers::DrawHead(const Camera& camera, const MeshView& mesh, const float* projected,
                      const DressedMesh& dressed, RasterOptions rows) const {
  rows.triangle_count = dressed.first_hair;
  Rasterise(camera, mesh, projected, rows, {solid, solid_b, solid_depth});
}

void Layers::DrawRest(const Camera& camera, const MeshView& mesh, const float* projected,
                      const DressedMesh& dressed, bool bald, RasterOptions rows) const {
  rows.clear = false;
  rows.first_triangle = dressed.first_cloth;
  rows.triangle_count = kNoTriangle;
  Rasterise(camera, mesh, projected, rows, {solid, solid_b, solid_depth});
  rows.clear = true;
  rows.first_triangle = dressed.first_hair;
  rows.triangle_count = bald ? 0 : dressed.hair_count;
  Rasterise(camera, mesh, projected, rows, {hair, hair_b, hair_depth});
}

}  // namespace daf::head
