#include "native/head/synth/albedo.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "native/base/arena.h"
#include "native/head/raster/rasteriser.h"
#include "native/head/raster/shade.h"
#include "native/head/synth/paint.h"

namespace daf::head {
namespace {

enum class Kind {
  kSkin,
  kMouth,
  kSocket,
  kEyeRight,
  kEyeLeft,
  kTeethUpper,
  kTeethLower,
  kTongue,
  kHair
};

Status KindOf(const std::string& name, Kind* out) {
  const std::pair<const char*, Kind> kinds[] = {{"skin", Kind::kSkin},
                                                {"mouth", Kind::kMouth},
                                                {"socket", Kind::kSocket},
                                                {"eye_right", Kind::kEyeRight},
                                                {"eye_left", Kind::kEyeLeft},
                                                {"teeth_upper", Kind::kTeethUpper},
                                                {"teeth_lower", Kind::kTeethLower},
                                                {"tongue", Kind::kTongue},
                                                {"hair", Kind::kHair}};
  for (const auto& [text, kind] : kinds) {
    if (name == text) {
      *out = kind;
      return Status::Ok();
    }
  }
  return Status(Code::kBadArgument,
                "the albedo knows only the embedded head's parts, not \"" + name + "\"");
}

Colour Paint(const Painter& painter, Kind kind, const Place& p, float* alpha) {
  *alpha = 1;
  switch (kind) {
    case Kind::kSkin:
      return painter.Skin(p);
    case Kind::kMouth:
      return painter.MouthLining(p);
    case Kind::kSocket:
      return painter.Socket(p);
    case Kind::kEyeRight:
      return painter.Eye(p, 0);
    case Kind::kEyeLeft:
      return painter.Eye(p, 1);
    case Kind::kTeethUpper:
      return painter.Tooth(p, true);
    case Kind::kTeethLower:
      return painter.Tooth(p, false);
    case Kind::kTongue:
      return painter.Tongue(p);
    case Kind::kHair:
      return painter.Hair(p, alpha);
  }
  return {};
}

uint8_t ToByte(float linear) {
  return static_cast<uint8_t>(255 * LinearToSrgb(std::clamp(linear, 0.0f, 1.0f)) + 0.5f);
}

// Empty texels take the mean of their painted neighbours, ring by ring.
void Continue(int size, int rings, std::vector<uint8_t>* painted, uint8_t* rgba) {
  std::vector<uint32_t> fresh;
  for (int ring = 0; ring < rings; ++ring) {
    fresh.clear();
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        const size_t at = static_cast<size_t>(y) * size + x;
        if ((*painted)[at] != 0) continue;
        int sum[4] = {0, 0, 0, 0}, count = 0;
        for (int dy = -1; dy <= 1; ++dy) {
          for (int dx = -1; dx <= 1; ++dx) {
            const int nx = x + dx, ny = y + dy;
            if (nx < 0 || ny < 0 || nx >= size || ny >= size) continue;
            const size_t n = static_cast<size_t>(ny) * size + nx;
            if ((*painted)[n] == 0) continue;
            for (int c = 0; c < 4; ++c) sum[c] += rgba[4 * n + c];
            ++count;
          }
        }
        if (count == 0) continue;
        for (int c = 0; c < 4; ++c) rgba[4 * at + c] = static_cast<uint8_t>(sum[c] / count);
        fresh.push_back(static_cast<uint32_t>(at));
      }
    }
    for (uint32_t at : fresh) (*painted)[at] = 1;
  }
}

}  // namespace

Status PaintAlbedo(const HeadModel& model, const HeadMarks& marks, const Looks& looks, int size,
                   const TaskControl& control, uint8_t* rgba) {
  if (size < 64 || size > 4096)
    return Status(Code::kBadArgument, "an albedo is between 64 and 4096 texels a side");
  if (marks.hair.size() != model.position_count)
    return Status(Code::kBadArgument, "the marks are another model's");
  std::vector<Kind> kinds(model.triangle_count());
  for (const Part& part : model.parts) {
    Kind kind = Kind::kSkin;
    DAF_RETURN_IF_ERROR(KindOf(part.name, &kind));
    std::fill_n(kinds.begin() + part.first_triangle, part.triangle_count, kind);
  }
  const size_t texels = static_cast<size_t>(size) * static_cast<size_t>(size);
  Arena arena;
  float *projected, *barycentric, *depth;
  uint32_t* triangle;
  DAF_RETURN_IF_ERROR(arena.Allocate(size_t{3} * model.render_count(), &projected));
  DAF_RETURN_IF_ERROR(arena.Allocate(2 * texels, &barycentric));
  DAF_RETURN_IF_ERROR(arena.Allocate(texels, &depth));
  DAF_RETURN_IF_ERROR(arena.Allocate(texels, &triangle));
  for (size_t v = 0; v < model.render_count(); ++v) {
    projected[3 * v] = model.uv[2 * v] * static_cast<float>(size);
    projected[3 * v + 1] = model.uv[2 * v + 1] * static_cast<float>(size);
    projected[3 * v + 2] = 1;
  }
  MeshView charts;
  charts.positions = projected;
  charts.position_count = charts.render_count = model.render_count();
  charts.triangles = model.triangles.data();
  charts.triangle_count = model.triangle_count();
  Camera flat;
  flat.width = flat.height = size;
  Rasterise(flat, charts, projected, {}, {triangle, barycentric, depth});

  const Painter painter(model, marks, looks);
  std::vector<uint8_t> painted(texels, 0);
  for (int y = 0; y < size; ++y) {
    DAF_RETURN_IF_ERROR(control.Check());
    for (int x = 0; x < size; ++x) {
      const size_t at = static_cast<size_t>(y) * size + x;
      uint8_t* out = rgba + 4 * at;
      if (triangle[at] == kNoTriangle) {
        out[0] = 128, out[1] = 100, out[2] = 90, out[3] = 255;
        continue;
      }
      const float w[3] = {1 - barycentric[2 * at] - barycentric[2 * at + 1], barycentric[2 * at],
                          barycentric[2 * at + 1]};
      float value[6] = {0, 0, 0, 0, 0, 0};
      for (size_t k = 0; k < 3; ++k) {
        const uint32_t r = model.triangles[3 * size_t{triangle[at]} + k], v = model.source[r];
        for (size_t c = 0; c < 3; ++c) value[c] += w[k] * model.mean[3 * size_t{v} + c];
        for (size_t c = 0; c < 2; ++c) value[3 + c] += w[k] * model.uv[2 * size_t{r} + c];
        value[5] += w[k] * marks.hair[v];
      }
      const Place place = {value[0], value[1], value[2], value[3], value[4], value[5]};
      float alpha;
      const Colour colour = Paint(painter, kinds[triangle[at]], place, &alpha);
      out[0] = ToByte(colour.r);
      out[1] = ToByte(colour.g);
      out[2] = ToByte(colour.b);
      out[3] = static_cast<uint8_t>(255 * std::clamp(alpha, 0.0f, 1.0f) + 0.5f);
      painted[at] = 1;
    }
  }
  Continue(size, std::max(2, size / 128), &painted, rgba);
  return Status::Ok();
}

}  // namespace daf::head
