#include "native/head/synth/faces/draw.h"

#include <algorithm>
#include <cmath>

#include "native/base/arena.h"
#include "native/head/raster/shade.h"
#include "native/head/synth/landmarks.h"
#include "native/head/synth/noise.h"

namespace daf::head {
namespace {

struct Lit {
  Colour diffuse, shine;
};

// Of 0…255, the sRGB curve undone.
const std::array<float, 256>& Linear() {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> t;
    for (int i = 0; i < 256; ++i)
      t[static_cast<size_t>(i)] = SrgbToLinear(static_cast<float>(i) / 255);
    return t;
  }();
  return table;
}

// Sky by openness and one shadowed key light, at every position.
Status LightPositions(const Sitter& s, const MeshView& mesh, const LightRig& rig,
                      std::vector<Lit>* out) {
  const Figure& f = *s.figure;
  std::vector<float> normals(s.positions.size());
  VertexNormals(mesh, normals.data());
  const float* r = s.camera.rotation;
  float key[3], eye[3];
  for (int i = 0; i < 3; ++i) {
    key[i] = r[i] * rig.key[0] + r[3 + i] * rig.key[1] + r[6 + i] * rig.key[2];
    eye[i] = -(r[i] * s.camera.translation[0] + r[3 + i] * s.camera.translation[1] +
               r[6 + i] * s.camera.translation[2]);
  }
  ShadowMap shadow;
  MeshView casters = mesh;
  casters.triangle_count =
      s.skin->looks.style == HairStyle::kBald ? f.mesh.first_hair : f.mesh.first_cloth;
  DAF_RETURN_IF_ERROR(shadow.Build(casters, key, 200, 0.3f));
  const float spread = rig.softness * shadow.TexelsPerCm();
  out->resize(mesh.position_count);
  for (size_t v = 0; v < mesh.position_count; ++v) {
    const float *n = &normals[3 * v], *p = &mesh.positions[3 * v];
    float facing[3];
    for (int i = 0; i < 3; ++i)
      facing[i] = r[3 * i] * n[0] + r[3 * i + 1] * n[1] + r[3 * i + 2] * n[2];
    const Colour sky = Scale(rig.Sky(facing), f.openness[v]);
    const float nl = n[0] * key[0] + n[1] * key[1] + n[2] * key[2];
    float lit = 0;
    if (nl > -0.3f) {
      const float at[3] = {p[0] + 0.2f * n[0], p[1] + 0.2f * n[1], p[2] + 0.2f * n[2]};
      lit = shadow.Lit(at, spread);
    }
    const float warm = lit * std::max(0.0f, (nl + 0.25f) / 1.25f),
                cool = lit * std::max(0.0f, (nl + 0.1f) / 1.1f);
    Lit& l = (*out)[v];
    l.diffuse = {sky.r + rig.key_colour.r * warm, sky.g + rig.key_colour.g * cool,
                 sky.b + rig.key_colour.b * cool};
    float view[3], length = 0;
    for (int i = 0; i < 3; ++i) {
      view[i] = eye[i] - p[i];
      length += view[i] * view[i];
    }
    length = std::sqrt(std::max(1e-6f, length));
    float half[3], half_length = 0, nv = 0;
    for (int i = 0; i < 3; ++i) {
      view[i] /= length;
      half[i] = view[i] + key[i];
      half_length += half[i] * half[i];
      nv += n[i] * view[i];
    }
    half_length = std::sqrt(std::max(1e-6f, half_length));
    float nh = 0;
    for (int i = 0; i < 3; ++i) nh += n[i] * half[i] / half_length;
    const float n2 = nh > 0 ? nh * nh : 0, n4 = n2 * n2, n16 = n4 * n4 * n4 * n4;
    const float edge = std::pow(1 - std::clamp(nv, 0.0f, 1.0f), 4.0f);
    const float spec = s.gloss * (0.05f * n16 + 0.10f * n16 * n16 * n4) * lit * (nl > 0 ? 1 : 0),
                rim = 0.10f * s.gloss * edge;
    l.shine = {spec * rig.key_colour.r + rim * sky.r, spec * rig.key_colour.g + rim * sky.g,
               spec * rig.key_colour.b + rim * sky.b};
  }
  return Status::Ok();
}

class Shader {
 public:
  Shader(const Sitter& sitter, const std::vector<Lit>& lit, float texels)
      : s(sitter), f(*sitter.figure), lit_(lit), texels_(texels) {}

  Colour At(uint32_t triangle, const float* b, float* alpha) const {
    const float w[3] = {1 - b[0] - b[1], b[0], b[1]};
    const Surface surface = f.mesh.surface[triangle];
    Colour diffuse, shine, albedo;
    float u = 0, v = 0, y = 0, x = 0;
    for (size_t k = 0; k < 3; ++k) {
      const uint32_t r = f.mesh.triangles[3 * size_t{triangle} + k], i = f.mesh.source[r];
      const Lit& l = lit_[i];
      Add(w[k], l.diffuse, &diffuse);
      Add(w[k], l.shine, &shine);
      u += w[k] * f.mesh.uv[2 * size_t{r}];
      v += w[k] * f.mesh.uv[2 * size_t{r} + 1];
      x += w[k] * s.positions[3 * size_t{i}];
      y += w[k] * s.positions[3 * size_t{i} + 1];
      if (!s.skin->vertices.empty()) Add(w[k], s.skin->vertices[r], &albedo);
    }
    *alpha = 1;
    if (surface == Surface::kCloth) {
      const float weave = (s.grain & 3) == 0 ? 0.8f + 0.4f * std::sin(2.2f * y) * std::sin(1.7f * x)
                          : (s.grain & 3) == 1 ? (std::sin(1.4f * y) > 0.2f ? 1.3f : 0.7f)
                                               : 1.0f;
      const Colour c = Scale(s.cloth, weave);
      return {c.r * diffuse.r, c.g * diffuse.g, c.b * diffuse.b};
    }
    if (s.skin->vertices.empty()) {
      float texel[4];
      s.skin->albedo.Sample(u, v, texels_, texel);
      const auto& linear = Linear();
      albedo = {linear[static_cast<size_t>(texel[0])], linear[static_cast<size_t>(texel[1])],
                linear[static_cast<size_t>(texel[2])]};
      if (surface == Surface::kHair) *alpha = texel[3] / 255;
    }
    float wet = 1;
    if (surface == Surface::kHair) {
      albedo = Times(albedo, s.hair_tint);
      wet = 0.4f;
    } else if (surface == Surface::kSkin) {
      albedo = Times(albedo, s.skin_tint);
    } else if (surface == Surface::kEye) {
      wet = 2.5f;
    } else {
      diffuse = Scale(diffuse, 0.7f);
    }
    return {albedo.r * diffuse.r + wet * shine.r, albedo.g * diffuse.g + wet * shine.g,
            albedo.b * diffuse.b + wet * shine.b};
  }

 private:
  static void Add(float w, Colour c, Colour* sum) {
    sum->r += w * c.r;
    sum->g += w * c.g;
    sum->b += w * c.b;
  }
  static Colour Times(Colour a, Colour b) { return {a.r * b.r, a.g * b.g, a.b * b.b}; }

  const Sitter& s;
  const Figure& f;
  const std::vector<Lit>& lit_;
  float texels_;
};

// The part of the canvas in which the person shows: left, top, right, bottom (exclusive).
std::array<int, 4> Extent(const std::vector<float>& projected, const Canvas& canvas) {
  float low[2] = {1e9f, 1e9f}, high[2] = {-1e9f, -1e9f};
  for (size_t i = 0; i < projected.size(); i += 3) {
    if (projected[i + 2] <= 0) continue;
    for (size_t k = 0; k < 2; ++k) {
      low[k] = std::min(low[k], projected[i + k]);
      high[k] = std::max(high[k], projected[i + k]);
    }
  }
  auto clip = [](float value, int limit) {
    return static_cast<int>(std::clamp(value, 0.0f, static_cast<float>(limit)));
  };
  return {clip(low[0] - 1, canvas.width), clip(low[1] - 1, canvas.height),
          clip(high[0] + 2, canvas.width), clip(high[1] + 2, canvas.height)};
}

}  // namespace

Status DrawSitter(const Sitter& s, const LightRig& rig, const TaskControl& control, Canvas* canvas,
                  std::array<float, 2 * kLandmarks>* landmarks, std::array<bool, kLandmarks>* seen,
                  std::array<float, 2 * kJawPoints>* jaw) {
  DAF_RETURN_IF_ERROR(control.Check());
  const Figure& f = *s.figure;
  const MeshView mesh = f.mesh.View(s.positions);
  std::vector<float> projected(s.positions.size());
  ProjectPositions(s.camera, mesh, projected.data());
  const auto [left, top, right, bottom] = Extent(projected, *canvas);
  Camera window = s.camera;
  window.center[0] -= static_cast<float>(left);
  window.center[1] -= static_cast<float>(top);
  window.width = std::max(1, right - left);
  window.height = std::max(1, bottom - top);
  for (size_t i = 0; i < projected.size(); i += 3) {
    projected[i] -= static_cast<float>(left);
    projected[i + 1] -= static_cast<float>(top);
  }
  const size_t samples = static_cast<size_t>(window.width) * static_cast<size_t>(window.height);
  Arena arena;
  Layers layers;
  DAF_RETURN_IF_ERROR(layers.Allocate(&arena, samples));
  layers.DrawHead(window, mesh, projected.data(), f.mesh, {});
  PlaceLandmarks(*f.model, s.positions, window, layers.solid_depth, landmarks, seen, jaw);
  for (size_t i = 0; i < landmarks->size(); ++i)
    (*landmarks)[i] += static_cast<float>(i % 2 == 0 ? left : top);
  for (size_t i = 0; i < jaw->size(); ++i) (*jaw)[i] += static_cast<float>(i % 2 == 0 ? left : top);
  if (right <= left || bottom <= top) return Status::Ok();
  layers.DrawRest(window, mesh, projected.data(), f.mesh, s.skin->looks.style == HairStyle::kBald,
                  {});

  std::vector<Lit> lit;
  DAF_RETURN_IF_ERROR(LightPositions(s, mesh, rig, &lit));
  float texels = 1;
  if (!s.skin->albedo.empty()) {
    std::vector<float> steps;
    for (uint32_t t = 0; t < f.mesh.first_hair; t += 97)
      steps.push_back(TexelsPerSample(mesh, projected.data(), s.skin->albedo, t));
    std::nth_element(steps.begin(), steps.begin() + steps.size() / 3, steps.end());
    texels = steps[steps.size() / 3];
  }
  const Shader shader(s, lit, texels);
  for (int y = 0; y < window.height; ++y) {
    for (int x = 0; x < window.width; ++x) {
      const size_t at = static_cast<size_t>(y) * window.width + static_cast<size_t>(x);
      const size_t to = canvas->At(left + x, top + y);
      float alpha;
      if (layers.solid[at] != kNoTriangle) {
        canvas->light[to] = shader.At(layers.solid[at], layers.solid_b + 2 * at, &alpha);
        canvas->depth[to] = layers.solid_depth[at];
        canvas->owner[to] = s.number;
      }
      if (layers.hair[at] != kNoTriangle && layers.hair_depth[at] < layers.solid_depth[at]) {
        const Colour strands = shader.At(layers.hair[at], layers.hair_b + 2 * at, &alpha);
        canvas->light[to] = Blend(canvas->light[to], strands, alpha);
        if (alpha > 0.5f && layers.solid[at] == kNoTriangle) canvas->owner[to] = s.number;
      }
    }
  }
  return Status::Ok();
}

}  // namespace daf::head
