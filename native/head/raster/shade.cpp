#include "native/head/raster/shade.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "native/base/arena.h"

namespace daf::head {
namespace {

// Image rows rasterised at a time, at least, and the samples that a band may have beyond that: few
// bands, as each goes through all triangles, but of bounded buffers.
constexpr int kBandRows = 32;
constexpr int kBandSamples = 1 << 16;

int BandRows(int finer_width, int supersample) {
  return std::max(kBandRows, kBandSamples / (finer_width * supersample));
}

struct Light {
  float direction[3];  // towards the light, camera space
  float strength;
};

// A key from above its right, a weak fill and a rim: enough to read a shape, the same for every
// picture.
const Light kLights[] = {{{-0.45f, 0.55f, 0.70f}, 0.62f},
                         {{0.75f, 0.10f, 0.65f}, 0.20f},
                         {{0.30f, 0.60f, -0.74f}, 0.18f}};

float Diffuse(const float n[3]) {
  float light = 0.16f + 0.10f * (0.5f + 0.5f * n[1]);
  for (const Light& l : kLights) {
    const float d = n[0] * l.direction[0] + n[1] * l.direction[1] + n[2] * l.direction[2];
    // Half wrapped: the terminator stays soft, like skin rather than plaster.
    const float wrapped = (d + 0.25f) / 1.25f;
    if (wrapped > 0) light += l.strength * wrapped * wrapped;
  }
  return light;
}

struct Sample {
  uint32_t index[3];
  float weight[3];
};

Sample SampleAt(const MeshView& mesh, uint32_t triangle, const float* barycentric) {
  Sample s;
  for (int k = 0; k < 3; ++k) s.index[k] = mesh.triangles[3 * size_t{triangle} + k];
  s.weight[1] = barycentric[0];
  s.weight[2] = barycentric[1];
  s.weight[0] = 1 - barycentric[0] - barycentric[1];
  return s;
}

void CameraNormal(const Camera& camera, const MeshView& mesh, const float* normals, const Sample& s,
                  float out[3]) {
  float n[3] = {0, 0, 0};
  for (int k = 0; k < 3; ++k) {
    const float* v = normals + 3 * size_t{mesh.Position(s.index[k])};
    for (int i = 0; i < 3; ++i) n[i] += s.weight[k] * v[i];
  }
  const float length = std::max(1e-8f, std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]));
  for (int i = 0; i < 3; ++i) {
    out[i] = (camera.rotation[3 * i] * n[0] + camera.rotation[3 * i + 1] * n[1] +
              camera.rotation[3 * i + 2] * n[2]) /
             length;
  }
}

// What all samples of a triangle share: textured ones come in runs.
struct Texturing {
  uint32_t triangle = kNoTriangle;
  MipTexture::Level level = {};
  const float* uv[3] = {};

  void Prepare(const MeshView& mesh, const float* projected, const MipTexture& texture,
               uint32_t next) {
    if (triangle == next) return;
    triangle = next;
    level = texture.LevelFor(TexelsPerSample(mesh, projected, texture, next));
    for (int k = 0; k < 3; ++k) uv[k] = mesh.uv + 2 * size_t{mesh.triangles[3 * size_t{next} + k]};
  }
};

// Linear colour would cost a table for nothing here: unlit pictures average in sRGB, lit ones shade
// in linear.
void ShadeSample(const Camera& camera, const MeshView& mesh, const MeshLook& look,
                 const float* normals, const float* projected, Shading shading, uint32_t triangle,
                 const float* barycentric, Texturing* texturing, float rgb[3]) {
  const Sample s = SampleAt(mesh, triangle, barycentric);
  float n[3];
  switch (shading) {
    case Shading::kClay: {
      CameraNormal(camera, mesh, normals, s, n);
      const float value = 255 * LinearToSrgb(std::min(1.0f, 0.62f * Diffuse(n)));
      for (int c = 0; c < 3; ++c) rgb[c] = value;
      return;
    }
    case Shading::kNormal:
      CameraNormal(camera, mesh, normals, s, n);
      for (int c = 0; c < 3; ++c) rgb[c] = 255 * (0.5f + 0.5f * n[c]);
      return;
    case Shading::kVertexColour:
      for (int c = 0; c < 3; ++c) {
        rgb[c] = 0;
        for (int k = 0; k < 3; ++k)
          rgb[c] += s.weight[k] * look.colours[4 * size_t{mesh.Position(s.index[k])} + c];
      }
      return;
    case Shading::kTexture:
    case Shading::kLitTexture: {
      float u = 0, v = 0, texel[4];
      texturing->Prepare(mesh, projected, *look.texture, triangle);
      for (int k = 0; k < 3; ++k) {
        u += s.weight[k] * texturing->uv[k][0];
        v += s.weight[k] * texturing->uv[k][1];
      }
      look.texture->Sample(u, v, texturing->level, texel);
      float light = 1;
      if (shading == Shading::kLitTexture) {
        CameraNormal(camera, mesh, normals, s, n);
        light = Diffuse(n);
      }
      for (int c = 0; c < 3; ++c) {
        rgb[c] = shading == Shading::kTexture
                     ? texel[c]
                     : 255 * LinearToSrgb(std::min(1.0f, light * SrgbToLinear(texel[c] / 255)));
      }
      return;
    }
  }
}

Status CheckCamera(const Camera& camera) {
  if (camera.width <= 0 || camera.height <= 0 || camera.width > 8192 || camera.height > 8192) {
    return Status(Code::kBadArgument, "a picture is between 1 and 8192 pixels a side");
  }
  if (!(camera.focal > 0)) return Status(Code::kBadArgument, "the focal length must be positive");
  return Status::Ok();
}

Status CheckLook(const MeshView& mesh, const MeshLook& look, Shading shading) {
  if (shading == Shading::kVertexColour && look.colours == nullptr) {
    return Status(Code::kBadArgument, "vertex-colour shading needs colours");
  }
  const bool textured = shading == Shading::kTexture || shading == Shading::kLitTexture;
  if (textured && (look.texture == nullptr || look.texture->empty() || mesh.uv == nullptr)) {
    return Status(Code::kBadArgument, "textured shading needs a texture and uv");
  }
  return Status::Ok();
}

}  // namespace

float TexelsPerSample(const MeshView& mesh, const float* projected, const MipTexture& texture,
                      uint32_t triangle) {
  const float* p[3];
  const float* t[3];
  for (int k = 0; k < 3; ++k) {
    const uint32_t r = mesh.triangles[3 * size_t{triangle} + k];
    p[k] = projected + 3 * size_t{mesh.Position(r)};
    t[k] = mesh.uv + 2 * size_t{r};
  }
  const float area = std::abs((p[1][0] - p[0][0]) * (p[2][1] - p[0][1]) -
                              (p[2][0] - p[0][0]) * (p[1][1] - p[0][1]));
  const float uv = std::abs((t[1][0] - t[0][0]) * (t[2][1] - t[0][1]) -
                            (t[2][0] - t[0][0]) * (t[1][1] - t[0][1]));
  const float texels =
      uv * static_cast<float>(texture.width()) * static_cast<float>(texture.height());
  return std::sqrt(texels / std::max(area, 1e-6f));
}

Camera Finer(const Camera& camera, int factor) {
  Camera finer = camera;
  finer.focal *= static_cast<float>(factor);
  finer.center[0] *= static_cast<float>(factor);
  finer.center[1] *= static_cast<float>(factor);
  finer.width *= factor;
  finer.height *= factor;
  return finer;
}

float SrgbToLinear(float value) {
  return value <= 0.04045f ? value / 12.92f : std::pow((value + 0.055f) / 1.055f, 2.4f);
}

float LinearToSrgb(float value) {
  return value <= 0.0031308f ? 12.92f * value : 1.055f * std::pow(value, 1 / 2.4f) - 0.055f;
}

Status RenderPicture(const Camera& camera, const MeshView& mesh, const MeshLook& look,
                     const PictureStyle& style, const TaskControl& control, uint8_t* rgba,
                     float* depth) {
  DAF_RETURN_IF_ERROR(CheckCamera(camera));
  DAF_RETURN_IF_ERROR(mesh.Validate());
  DAF_RETURN_IF_ERROR(CheckLook(mesh, look, style.shading));
  if (style.supersample < 1 || style.supersample > 4) {
    return Status(Code::kBadArgument, "supersample is between 1 and 4");
  }
  const int s = style.supersample;
  const Camera finer = Finer(camera, s);
  const int band = BandRows(finer.width, s);
  const size_t samples =
      static_cast<size_t>(finer.width) * static_cast<size_t>(std::min(band, camera.height) * s);
  Arena arena;
  float *projected, *normals, *barycentric, *sample_depth;
  uint32_t* triangle;
  DAF_RETURN_IF_ERROR(arena.Allocate(mesh.position_count * 3, &projected));
  DAF_RETURN_IF_ERROR(arena.Allocate(mesh.position_count * 3, &normals));
  DAF_RETURN_IF_ERROR(arena.Allocate(samples * 2, &barycentric));
  DAF_RETURN_IF_ERROR(arena.Allocate(samples, &sample_depth));
  DAF_RETURN_IF_ERROR(arena.Allocate(samples, &triangle));
  ProjectPositions(finer, mesh, projected);
  if (style.shading == Shading::kTexture || style.shading == Shading::kVertexColour) {
    normals = nullptr;
  } else if (look.normals != nullptr) {
    std::copy(look.normals, look.normals + mesh.position_count * 3, normals);
  } else {
    VertexNormals(mesh, normals);
  }
  Texturing texturing;
  for (int top = 0; top < camera.height; top += band) {
    DAF_RETURN_IF_ERROR(control.Check());
    const int bottom = std::min(camera.height, top + band);
    RasterOptions options;
    options.cull_back = style.cull_back;
    options.first_row = top * s;
    options.last_row = bottom * s;
    Rasterise(finer, mesh, projected, options, {triangle, barycentric, sample_depth});
    for (int y = top; y < bottom; ++y) {
      for (int x = 0; x < camera.width; ++x) {
        float sum[3] = {0, 0, 0};
        int covered = 0;
        float nearest = std::numeric_limits<float>::infinity();
        for (int i = 0; i < s * s; ++i) {
          const size_t at = static_cast<size_t>((y - top) * s + i / s) * finer.width +
                            static_cast<size_t>(x * s + i % s);
          if (triangle[at] == kNoTriangle) continue;
          float rgb[3] = {0, 0, 0};
          ShadeSample(finer, mesh, look, normals, projected, style.shading, triangle[at],
                      barycentric + 2 * at, &texturing, rgb);
          for (int c = 0; c < 3; ++c) sum[c] += rgb[c];
          ++covered;
          nearest = std::min(nearest, sample_depth[at]);
        }
        // Straight alpha: background and mesh weigh in by their own opacity.
        const float share = static_cast<float>(covered) / static_cast<float>(s * s);
        const float behind = (1 - share) * style.background[3] / 255.0f;
        const float alpha = share + behind;
        uint8_t* out = rgba + 4 * (static_cast<size_t>(y) * camera.width + x);
        for (int c = 0; c < 3; ++c) {
          const float value = share / std::max(1, covered) * sum[c] + behind * style.background[c];
          out[c] = static_cast<uint8_t>(std::clamp(alpha > 0 ? value / alpha : 0.0f, 0.0f, 255.0f) +
                                        0.5f);
        }
        out[3] = static_cast<uint8_t>(255 * alpha + 0.5f);
        if (depth != nullptr) depth[static_cast<size_t>(y) * camera.width + x] = nearest;
      }
    }
  }
  return Status::Ok();
}

Status RenderMask(const Camera& camera, const MeshView& mesh, const TaskControl& control,
                  uint8_t* mask) {
  DAF_RETURN_IF_ERROR(CheckCamera(camera));
  DAF_RETURN_IF_ERROR(mesh.Validate());
  constexpr int s = 4;
  const Camera finer = Finer(camera, s);
  const int band = BandRows(finer.width, s);
  const size_t width = static_cast<size_t>(finer.width);
  Arena arena;
  float* projected;
  uint8_t* covered;
  DAF_RETURN_IF_ERROR(arena.Allocate(mesh.position_count * 3, &projected));
  DAF_RETURN_IF_ERROR(
      arena.Allocate(width * static_cast<size_t>(std::min(band, camera.height) * s), &covered));
  ProjectPositions(finer, mesh, projected);
  for (int top = 0; top < camera.height; top += band) {
    DAF_RETURN_IF_ERROR(control.Check());
    const int bottom = std::min(camera.height, top + band);
    RasterOptions options;
    options.first_row = top * s;
    options.last_row = bottom * s;
    Cover(finer, mesh, projected, options, covered);
    for (int y = top; y < bottom; ++y) {
      const uint8_t* rows = covered + static_cast<size_t>((y - top) * s) * width;
      for (int x = 0; x < camera.width; ++x) {
        int count = 0;
        for (int i = 0; i < s * s; ++i)
          count += rows[static_cast<size_t>(i / s) * width + static_cast<size_t>(x * s + i % s)];
        mask[static_cast<size_t>(y) * camera.width + x] =
            static_cast<uint8_t>((count * 255 + s * s / 2) / (s * s));
      }
    }
  }
  return Status::Ok();
}

}  // namespace daf::head
