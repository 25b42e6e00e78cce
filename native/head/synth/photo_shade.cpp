#include "native/head/synth/photo_shade.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "native/base/arena.h"
#include "native/head/raster/shade.h"
#include "native/head/synth/dressed.h"
#include "native/head/synth/noise.h"

namespace daf::head {
namespace {

constexpr int kBandRows = 32;
constexpr int kSamples = 2;  // a pixel, along each side

struct Vector {
  float x, y, z;
};
float Dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
Vector Unit(Vector v) {
  const float l = std::max(1e-8f, std::sqrt(Dot(v, v)));
  return {v.x / l, v.y / l, v.z / l};
}
Vector operator+(Vector a, Vector b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
Vector operator*(float s, Vector a) { return {s * a.x, s * a.y, s * a.z}; }

// Camera space ↔ head space.
Vector ToHead(const Camera& c, const float v[3]) {
  return {c.rotation[0] * v[0] + c.rotation[3] * v[1] + c.rotation[6] * v[2],
          c.rotation[1] * v[0] + c.rotation[4] * v[1] + c.rotation[7] * v[2],
          c.rotation[2] * v[0] + c.rotation[5] * v[1] + c.rotation[8] * v[2]};
}
void ToCamera(const Camera& c, Vector v, float out[3]) {
  for (int i = 0; i < 3; ++i)
    out[i] = c.rotation[3 * i] * v.x + c.rotation[3 * i + 1] * v.y + c.rotation[3 * i + 2] * v.z;
}

class Shader {
 public:
  Shader(const PhotoScene& scene) : s(scene) {}
  Status Prepare(const TaskControl& control);
  Status Render(const TaskControl& control, uint8_t* rgb, uint8_t* mask, float* depth);

 private:
  Colour Shade(uint32_t triangle, const float* barycentric, float* alpha) const;
  Colour Skin(Colour albedo, Colour sky, Vector n, Vector v, float lit, float soft, Vector p,
              float gloss) const;

  const PhotoScene& s;
  std::vector<float> positions_, normals_;
  DressedMesh dressed_;
  MeshView mesh_;
  std::vector<Colour> sky_;
  ShadowMap shadow_;
  Vector key_{}, eye_{};
  Camera finer_;
  std::vector<float> projected_;
};

Status Shader::Prepare(const TaskControl& control) {
  positions_ = *s.positions;
  dressed_ = DressedMesh::Make(*s.model, &positions_);
  mesh_ = dressed_.View(positions_);
  normals_.resize(positions_.size());
  VertexNormals(mesh_, normals_.data());

  // Sky and shadow see the head without its garment's inside; hair shades the skin unless there is
  // none.
  const bool bald = s.looks->style == HairStyle::kBald;
  MeshView casters = mesh_;
  casters.triangle_count = bald ? dressed_.first_hair : dressed_.first_cloth;
  MeshView receivers = casters;
  DAF_RETURN_IF_ERROR(
      SkyLight(receivers, normals_.data(), s.rig, s.camera.rotation, control, &sky_));
  key_ = ToHead(s.camera, s.rig.key);
  const float direction[3] = {key_.x, key_.y, key_.z};
  DAF_RETURN_IF_ERROR(shadow_.Build(casters, direction, 768, 0.10f));
  const float back[3] = {-s.camera.translation[0], -s.camera.translation[1],
                         -s.camera.translation[2]};
  eye_ = ToHead(s.camera, back);
  finer_ = Finer(s.camera, kSamples);
  projected_.resize(positions_.size());
  ProjectPositions(finer_, mesh_, projected_.data());
  return Status::Ok();
}

// Light bleeds under the skin: red reaches farthest past the terminator and into the shadow's edge.
Colour Shader::Skin(Colour albedo, Colour sky, Vector n, Vector v, float lit, float soft, Vector p,
                    float gloss) const {
  const float nl = Dot(n, key_);
  const float wrap[3] = {0.30f, 0.14f, 0.08f};
  float diffuse[3];
  for (int c = 0; c < 3; ++c) {
    const float wrapped = std::max(0.0f, (nl + wrap[c]) / (1 + wrap[c]));
    diffuse[c] = wrapped * (lit + (soft - lit) * (c == 0 ? 0.75f : c == 1 ? 0.35f : 0.2f));
  }
  Colour out = {albedo.r * (sky.r + s.rig.key_colour.r * diffuse[0]),
                albedo.g * (sky.g + s.rig.key_colour.g * diffuse[1]),
                albedo.b * (sky.b + s.rig.key_colour.b * diffuse[2])};
  const Vector h = Unit(key_ + v);
  const float nh = std::max(0.0f, Dot(n, h)), nv = std::max(0.0f, Dot(n, v));
  const float fresnel = 0.03f + 0.97f * std::pow(1 - std::max(0.0f, Dot(v, h)), 5.0f);
  const float grain = 0.7f + 0.6f * Noise(11 * p.x, 11 * p.y, 11 * p.z, s.grain);
  const float lobe =
      0.65f * (14 + 2) / 8.0f * std::pow(nh, 14.0f) + 0.35f * (50 + 2) / 8.0f * std::pow(nh, 50.0f);
  const float specular = gloss * fresnel * lobe * std::max(0.0f, nl) * lit * grain;
  const float edge = 0.022f + 0.20f * std::pow(1 - nv, 5.0f);
  out.r += specular * s.rig.key_colour.r + gloss * edge * sky.r;
  out.g += specular * s.rig.key_colour.g + gloss * edge * sky.g;
  out.b += specular * s.rig.key_colour.b + gloss * edge * sky.b;
  return out;
}

Colour Shader::Shade(uint32_t triangle, const float* barycentric, float* alpha) const {
  const float w[3] = {1 - barycentric[0] - barycentric[1], barycentric[0], barycentric[1]};
  Vector p{0, 0, 0}, n{0, 0, 0};
  Colour sky;
  float u = 0, v = 0;
  const Surface material = dressed_.surface[triangle];
  for (size_t k = 0; k < 3; ++k) {
    const uint32_t r = dressed_.triangles[3 * size_t{triangle} + k], i = dressed_.source[r];
    p = p + w[k] * Vector{positions_[3 * i], positions_[3 * i + 1], positions_[3 * i + 2]};
    n = n + w[k] * Vector{normals_[3 * i], normals_[3 * i + 1], normals_[3 * i + 2]};
    u += w[k] * dressed_.uv[2 * size_t{r}];
    v += w[k] * dressed_.uv[2 * size_t{r} + 1];
    if (i < sky_.size() && material != Surface::kCloth) {
      sky = {sky.r + w[k] * sky_[i].r, sky.g + w[k] * sky_[i].g, sky.b + w[k] * sky_[i].b};
    }
  }
  n = Unit(n);
  const Vector view = Unit(Vector{eye_.x - p.x, eye_.y - p.y, eye_.z - p.z});
  *alpha = 1;
  const float at[3] = {p.x + 0.12f * n.x, p.y + 0.12f * n.y, p.z + 0.12f * n.z};
  const float texels = shadow_.TexelsPerCm();
  if (material == Surface::kCloth) {
    float d[3];
    ToCamera(s.camera, n, d);
    const Colour ambient = s.rig.Sky(d);
    const float weave = 0.9f + 0.1f * Noise(14 * p.x, 14 * p.y, 14 * p.z, s.grain) +
                        0.25f * Fractal(0.22f * p.x, 0.4f * p.y, 0.22f * p.z, 2, s.grain + 3);
    const float light = std::max(0.0f, Dot(n, key_)) * shadow_.Lit(at, s.rig.softness * texels);
    const Colour c = Scale(s.cloth, weave);
    return {c.r * (0.8f * ambient.r + light * s.rig.key_colour.r),
            c.g * (0.8f * ambient.g + light * s.rig.key_colour.g),
            c.b * (0.8f * ambient.b + light * s.rig.key_colour.b)};
  }
  float texel[4];
  s.albedo->Sample(u, v, TexelsPerSample(mesh_, projected_.data(), *s.albedo, triangle), texel);
  const Colour albedo = {SrgbToLinear(texel[0] / 255), SrgbToLinear(texel[1] / 255),
                         SrgbToLinear(texel[2] / 255)};
  const float lit = shadow_.Lit(at, s.rig.softness * texels);
  if (material == Surface::kHair) {
    *alpha = texel[3] / 255;
    // Strands run away from the crown along the surface; the highlight is a band across them.
    Vector down = Unit(Vector{p.x * 0.5f, p.y - 10.5f, (p.z + 8) * 0.5f});
    down = Unit(down + (-Dot(down, n)) * n);
    const Vector h = Unit(key_ + view);
    const float along = Dot(down, h), across = std::sqrt(std::max(0.0f, 1 - along * along));
    const float strand = 0.55f + 0.9f * HashUnit(static_cast<int32_t>(std::floor(u * 700)),
                                                 static_cast<int32_t>(v * 60), 0, s.grain);
    const float shine = (0.05f * std::pow(across, 60.0f) + 0.025f * std::pow(across, 12.0f)) *
                        strand * lit * Ramp(-0.2f, 0.5f, Dot(n, key_));
    const float diffuse = lit * std::max(0.0f, (Dot(n, key_) + 0.25f) / 1.25f);
    auto shade = [&](float a, float sk, float key) {
      return a * (0.8f * sk + 0.85f * diffuse * key) + shine * key * (0.35f + 0.65f * std::sqrt(a));
    };
    return {shade(albedo.r, sky.r, s.rig.key_colour.r), shade(albedo.g, sky.g, s.rig.key_colour.g),
            shade(albedo.b, sky.b, s.rig.key_colour.b)};
  }
  const float soft =
      material == Surface::kSkin ? shadow_.Lit(at, (s.rig.softness + 0.5f) * texels) : lit;
  if (material != Surface::kEye) {
    return Skin(albedo, material == Surface::kMouth ? Scale(sky, 0.6f) : sky, n, view, lit, soft, p,
                material == Surface::kSkin ? 1.0f : 1.8f);
  }
  // Wet: a sharp image of the key and a faint one of the sky.
  Colour out = Skin(albedo, sky, n, view, 0.35f + 0.65f * lit, lit, p, 0);
  const Vector reflected = Unit(2 * Dot(n, view) * n + (-1.0f) * view);
  float d[3];
  ToCamera(s.camera, reflected, d);
  const Colour mirror = s.rig.Sky(d);
  const float glint = 1.6f * std::pow(std::max(0.0f, Dot(reflected, key_)), 350.0f) * lit;
  return {out.r + 0.035f * mirror.r + glint * s.rig.key_colour.r,
          out.g + 0.035f * mirror.g + glint * s.rig.key_colour.g,
          out.b + 0.035f * mirror.b + glint * s.rig.key_colour.b};
}

Status Shader::Render(const TaskControl& control, uint8_t* rgb, uint8_t* mask, float* depth) {
  const Camera& camera = s.camera;
  const size_t samples = static_cast<size_t>(finer_.width) * (kBandRows * kSamples);
  Arena arena;
  Layers layers;
  DAF_RETURN_IF_ERROR(layers.Allocate(&arena, samples));
  const bool bald = s.looks->style == HairStyle::kBald;
  for (int top = 0; top < camera.height; top += kBandRows) {
    DAF_RETURN_IF_ERROR(control.Check());
    const int bottom = std::min(camera.height, top + kBandRows);
    RasterOptions rows;
    rows.first_row = top * kSamples;
    rows.last_row = bottom * kSamples;
    layers.DrawHead(finer_, mesh_, projected_.data(), dressed_, rows);
    layers.DrawRest(finer_, mesh_, projected_.data(), dressed_, bald, rows);
    for (int y = top; y < bottom; ++y) {
      for (int x = 0; x < camera.width; ++x) {
        Colour sum;
        float head = 0, nearest = std::numeric_limits<float>::infinity();
        for (int k = 0; k < kSamples * kSamples; ++k) {
          const size_t at =
              static_cast<size_t>((y - top) * kSamples + k / kSamples) * finer_.width +
              static_cast<size_t>(x * kSamples + k % kSamples);
          float alpha;
          Colour c = s.background->At((static_cast<float>(x) + 0.5f) / camera.width,
                                      (static_cast<float>(y) + 0.5f) / camera.height);
          float part = 0;
          if (layers.solid[at] != kNoTriangle) {
            c = Shade(layers.solid[at], layers.solid_b + 2 * at, &alpha);
            if (dressed_.surface[layers.solid[at]] != Surface::kCloth) {
              part = 1;
              nearest = std::min(nearest, layers.solid_depth[at]);
            }
          }
          if (layers.hair[at] != kNoTriangle && layers.hair_depth[at] < layers.solid_depth[at]) {
            const Colour strands = Shade(layers.hair[at], layers.hair_b + 2 * at, &alpha);
            c = Blend(c, strands, alpha);
            part += (1 - part) * alpha;
          }
          sum = {sum.r + c.r, sum.g + c.g, sum.b + c.b};
          head += part;
        }
        const float share = 1.0f / (kSamples * kSamples);
        const float linear[3] = {sum.r * share, sum.g * share, sum.b * share};
        const size_t pixel = static_cast<size_t>(y) * camera.width + x;
        for (int c = 0; c < 3; ++c) {
          // A film-like shoulder keeps highlights from clipping hard.
          const float value = linear[c] * s.exposure * s.balance[c];
          const float toned =
              value < 0.6f ? value : 0.6f + 0.4f * (1 - std::exp(-(value - 0.6f) / 0.4f));
          // Sum of four uniforms: near enough to a Gaussian.
          float noise = -2;
          for (int j = 0; j < 4; ++j) noise += HashUnit(x, y, 4 * c + j, s.grain + 77);
          const float out =
              255 * LinearToSrgb(std::clamp(toned, 0.0f, 1.0f)) + 1.73f * noise * s.noise;
          rgb[3 * pixel + static_cast<size_t>(c)] =
              static_cast<uint8_t>(std::clamp(out, 0.0f, 255.0f) + 0.5f);
        }
        mask[pixel] = static_cast<uint8_t>(255 * head * share + 0.5f);
        depth[pixel] = nearest;
      }
    }
    control.Progress(bottom, camera.height);
  }
  return Status::Ok();
}

}  // namespace

Status ShadePhoto(const PhotoScene& scene, const TaskControl& control, uint8_t* rgb, uint8_t* mask,
                  float* depth) {
  Shader shader(scene);
  DAF_RETURN_IF_ERROR(shader.Prepare(control));
  return shader.Render(control, rgb, mask, depth);
}

}  // namespace daf::head
