#include "native/head/texture/sampling.h"

#include <algorithm>
#include <cmath>

#include "native/head/fit/fit.h"
#include "native/head/matte/distance.h"
#include "native/head/texture/colour.h"

namespace daf::head {
namespace {

// Cosine of the angle between surface and viewing direction: below the first a photo says nothing,
// above the second it counts in full. Beyond 70° a texel covers so few pixels that the cheek would
// smear.
constexpr float kGrazing = 0.34f, kFacing = 0.85f;
// A depth step of this many cm between neighbouring pixels is an outline: colours mix there.
constexpr float kStep = 0.6f;
// Outlines are kept away from by this share of the outer-eye distance.
constexpr float kAway = 0.05f;
constexpr float kDepthBias = 0.12f;  // cm, facing the camera; grows with the slope

bool StartsWith(const std::string& text, const char* start) { return text.rfind(start, 0) == 0; }

// What a view's depth buffer tells of one kind of surface.
struct Visibility {
  float* depth = nullptr;  // [height][width] cm, infinite beside the head
  float* away = nullptr;   // [height][width] pixels to the nearest outline
};

std::vector<uint8_t> HairTriangles(const HeadModel& model) {
  std::vector<uint8_t> out(model.triangle_count(), 0);
  for (const Part& part : model.parts) {
    if (StartsWith(part.name, "hair"))
      std::fill_n(out.begin() + part.first_triangle, part.triangle_count, uint8_t{1});
  }
  return out;
}

// Adds the triangles that are hair, or those that are not, to `depth`; `options.clear` makes it
// infinite first.
void RasteriseDepth(const TextureView& view, const MeshView& mesh, const float* projected,
                    const std::vector<uint8_t>& hair, uint8_t wanted, RasterOptions options,
                    float* depth) {
  for (uint32_t first = 0; first < mesh.triangle_count;) {
    uint32_t end = first;
    while (end < mesh.triangle_count && hair[end] == hair[first]) ++end;
    if (hair[first] == wanted) {
      options.first_triangle = first;
      options.triangle_count = end - first;
      Rasterise(view.camera, mesh, projected, options, {nullptr, nullptr, depth});
      options.clear = false;
    }
    first = end;
  }
  if (options.clear)
    std::fill(depth, depth + static_cast<size_t>(view.camera.width) * view.camera.height, INFINITY);
}

void FindOutlines(const TextureView& view, const Visibility& out) {
  const int width = view.camera.width, height = view.camera.height;
  const float* depth = out.depth;
  const auto is_outline = [&](int x, int y) {
    const size_t i = static_cast<size_t>(y) * width + x;
    if (view.matte[i] < 128 || !std::isfinite(depth[i])) return true;
    const bool step = (x > 0 && std::abs(depth[i - 1] - depth[i]) > kStep) ||
                      (x + 1 < width && std::abs(depth[i + 1] - depth[i]) > kStep) ||
                      (y > 0 && std::abs(depth[i - width] - depth[i]) > kStep) ||
                      (y + 1 < height && std::abs(depth[i + width] - depth[i]) > kStep);
    return step;
  };
  DistanceTo(is_outline, width, height, out.away);
}

// Of skin, which no hair hides: the modelled shell may not be where the photo's hair is. And of
// hair, which stands beyond the scalp's outline.
Status FindVisible(const HeadModel& model, const TextureView& view,
                   const std::vector<uint8_t>& hair, Arena& arena, const TaskControl& control,
                   Visibility* of_skin, Visibility* of_hair) {
  const MeshView mesh{view.positions,        model.position_count, model.source.data(),
                      model.render_count(),  model.uv.data(),      model.triangles.data(),
                      model.triangle_count()};
  DAF_RETURN_IF_ERROR(mesh.Validate());
  const size_t pixels = static_cast<size_t>(view.camera.width) * view.camera.height;
  float* projected = nullptr;
  DAF_RETURN_IF_ERROR(arena.Allocate(size_t{model.position_count} * 3, &projected));
  ProjectPositions(view.camera, mesh, projected);
  for (float** buffer : {&of_skin->depth, &of_skin->away})
    DAF_RETURN_IF_ERROR(arena.Allocate(pixels, buffer));
  RasterOptions options;
  RasteriseDepth(view, mesh, projected, hair, 0, options, of_skin->depth);
  FindOutlines(view, *of_skin);
  DAF_RETURN_IF_ERROR(control.Check());
  *of_hair = *of_skin;
  if (std::find(hair.begin(), hair.end(), 1) == hair.end()) return Status::Ok();
  for (float** buffer : {&of_hair->depth, &of_hair->away})
    DAF_RETURN_IF_ERROR(arena.Allocate(pixels, buffer));
  std::copy_n(of_skin->depth, pixels, of_hair->depth);
  options.clear = false;
  RasteriseDepth(view, mesh, projected, hair, 1, options, of_hair->depth);
  FindOutlines(view, *of_hair);
  return control.Check();
}

void Bilinear(const PhotoPixels& photo, float x, float y, float out[3], float* brightest) {
  const auto& linear = LinearTable();
  const float fx = std::clamp(x - 0.5f, 0.0f, static_cast<float>(photo.width - 1));
  const float fy = std::clamp(y - 0.5f, 0.0f, static_cast<float>(photo.height - 1));
  const int x0 = static_cast<int>(fx), y0 = static_cast<int>(fy);
  const int x1 = std::min(x0 + 1, photo.width - 1), y1 = std::min(y0 + 1, photo.height - 1);
  const float u = fx - static_cast<float>(x0), v = fy - static_cast<float>(y0);
  const uint8_t *a = photo.at(x0, y0), *b = photo.at(x1, y0), *c = photo.at(x0, y1),
                *d = photo.at(x1, y1);
  uint8_t most = 0;
  for (int k = 0; k < 3; ++k) {
    out[k] = (1 - v) * ((1 - u) * linear[a[k]] + u * linear[b[k]]) +
             v * ((1 - u) * linear[c[k]] + u * linear[d[k]]);
    most = std::max({most, a[k], b[k], c[k], d[k]});
  }
  *brightest = most;
}

}  // namespace

std::vector<uint8_t> PhotographedTriangles(const HeadModel& model) {
  std::vector<uint8_t> out(model.triangle_count(), 1);
  const std::vector<uint16_t> parts = PartOfTriangle(model);
  for (uint32_t t = 0; t < model.triangle_count(); ++t) {
    if (parts[t] >= model.parts.size()) continue;
    const std::string& name = model.parts[parts[t]].name;
    if (StartsWith(name, "eye") || StartsWith(name, "teeth") || StartsWith(name, "mouth") ||
        StartsWith(name, "tongue"))
      out[t] = 0;
  }
  return out;
}

Status SampleView(const HeadModel& model, const Atlas& atlas,
                  const std::vector<uint8_t>& photographed, const TextureView& view, Arena& arena,
                  const TaskControl& control, const SampledView& out) {
  const int width = view.camera.width, height = view.camera.height;
  const std::vector<uint8_t> hair = HairTriangles(model);
  Visibility of_skin, of_hair;
  DAF_RETURN_IF_ERROR(FindVisible(model, view, hair, arena, control, &of_skin, &of_hair));
  MeshView mesh{view.positions, model.position_count,   model.source.data(),   model.render_count(),
                nullptr,        model.triangles.data(), model.triangle_count()};
  VertexNormals(mesh, out.normals);

  const Camera& camera = view.camera;
  const float* r = camera.rotation;
  // The camera's place in head space: −Rᵀ t.
  float eye[3];
  for (int k = 0; k < 3; ++k) {
    eye[k] = -(r[k] * camera.translation[0] + r[3 + k] * camera.translation[1] +
               r[6 + k] * camera.translation[2]);
  }
  const float eyes = camera.focal / std::max(1e-3f, -camera.translation[2]) * EyeDistance(model);
  const float margin = std::max(1.5f, kAway * eyes);
  for (size_t i = 0; i < atlas.texels(); ++i) {
    if (i % 4096 == 0) DAF_RETURN_IF_ERROR(control.Check());
    out.weight[i] = 0;
    for (int k = 0; k < 3; ++k) out.colour[3 * i + k] = 0;
    const uint32_t t = atlas.triangle[i];
    if (t == kNoTriangle || photographed[t] == 0) continue;
    float w[3], point[3] = {0, 0, 0}, normal[3] = {0, 0, 0};
    atlas.Weights(i, w);
    for (int c = 0; c < 3; ++c) {
      const size_t p = 3 * size_t{model.source[model.triangles[3 * size_t{t} + c]]};
      for (int k = 0; k < 3; ++k) {
        point[k] += w[c] * view.positions[p + k];
        normal[k] += w[c] * out.normals[p + k];
      }
    }
    float towards[3], length = 0, normal_length = 0, cosine = 0;
    for (int k = 0; k < 3; ++k) {
      towards[k] = eye[k] - point[k];
      length += towards[k] * towards[k];
      normal_length += normal[k] * normal[k];
      cosine += towards[k] * normal[k];
    }
    cosine /= std::sqrt(std::max(1e-12f, length * normal_length));
    if (!(cosine > kGrazing)) continue;
    float pixel[2], z;
    if (!camera.Project(point, pixel, &z)) continue;
    const int x = static_cast<int>(std::floor(pixel[0])),
              y = static_cast<int>(std::floor(pixel[1]));
    if (x < 0 || y < 0 || x >= width || y >= height) continue;
    const size_t at = static_cast<size_t>(y) * width + x;
    const float bias =
        kDepthBias + 1.5f * z / camera.focal * std::sqrt(1 - cosine * cosine) / cosine;
    const Visibility& visible = hair[t] ? of_hair : of_skin;
    if (view.matte[at] < 128 || z > visible.depth[at] + bias) continue;
    const float edge = SmoothStep(1.0f, 1.0f + margin, visible.away[at]);
    if (edge <= 0) continue;
    float brightest;
    Bilinear(view.photo, pixel[0], pixel[1], out.colour + 3 * i, &brightest);
    const float burnt = 1 - 0.5f * SmoothStep(246, 255, brightest);  // a highlight holds no albedo
    const float facing = SmoothStep(kGrazing, kFacing, cosine);
    out.weight[i] = facing * edge * burnt * static_cast<float>(view.matte[at]) / 255;
  }
  return Status::Ok();
}

}  // namespace daf::head
