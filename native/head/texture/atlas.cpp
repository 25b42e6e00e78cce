#include "native/head/texture/atlas.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace daf::head {

Status BuildAtlas(const HeadModel& model, int size, Arena& arena, const TaskControl& control,
                  Atlas* out) {
  out->size = size;
  DAF_RETURN_IF_ERROR(arena.Allocate(out->texels(), &out->triangle));
  DAF_RETURN_IF_ERROR(arena.Allocate(out->texels(), &out->second));
  DAF_RETURN_IF_ERROR(arena.Allocate(out->texels(), &out->third));
  std::fill(out->triangle, out->triangle + out->texels(), kNoTriangle);
  for (uint32_t t = 0; t < model.triangle_count(); ++t) {
    if (t % 256 == 0) DAF_RETURN_IF_ERROR(control.Check());
    double x[3], y[3];
    for (int k = 0; k < 3; ++k) {
      const uint32_t corner = model.triangles[3 * size_t{t} + k];
      x[k] = double{model.uv[2 * size_t{corner}]} * size;
      y[k] = double{model.uv[2 * size_t{corner} + 1]} * size;
    }
    const double area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
    if (!(std::abs(area) > 1e-9)) continue;
    const int left = std::max(0, static_cast<int>(std::floor(std::min({x[0], x[1], x[2]}) - 0.5)));
    const int right =
        std::min(size - 1, static_cast<int>(std::ceil(std::max({x[0], x[1], x[2]}) - 0.5)));
    const int top = std::max(0, static_cast<int>(std::floor(std::min({y[0], y[1], y[2]}) - 0.5)));
    const int bottom =
        std::min(size - 1, static_cast<int>(std::ceil(std::max({y[0], y[1], y[2]}) - 0.5)));
    for (int row = top; row <= bottom; ++row) {
      for (int column = left; column <= right; ++column) {
        const double px = column + 0.5, py = row + 0.5;
        const double b = ((px - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (py - y[0])) / area;
        const double c = ((x[1] - x[0]) * (py - y[0]) - (px - x[0]) * (y[1] - y[0])) / area;
        constexpr double kEdge = -1e-6;
        if (b < kEdge || c < kEdge || 1 - b - c < kEdge) continue;
        const size_t i = static_cast<size_t>(row) * size + column;
        if (out->triangle[i] != kNoTriangle) continue;
        out->triangle[i] = t;
        out->second[i] = static_cast<float>(b);
        out->third[i] = static_cast<float>(c);
      }
    }
  }
  return Status::Ok();
}

std::vector<MirrorTriangle> FindMirrorTriangles(const HeadModel& model) {
  std::vector<MirrorTriangle> out(model.triangle_count());
  if (model.mirror.size() != model.position_count) return out;
  // By its corners' positions in ascending order. Skin and hair may share corners, hence the list.
  std::map<std::array<uint32_t, 3>, std::vector<uint32_t>> by_corners;
  const auto position = [&](uint32_t t, int k) {
    return model.source[model.triangles[3 * size_t{t} + k]];
  };
  for (uint32_t t = 0; t < model.triangle_count(); ++t) {
    std::array<uint32_t, 3> key = {position(t, 0), position(t, 1), position(t, 2)};
    std::sort(key.begin(), key.end());
    by_corners[key].push_back(t);
  }
  for (uint32_t t = 0; t < model.triangle_count(); ++t) {
    std::array<uint32_t, 3> key;
    for (int k = 0; k < 3; ++k) key[k] = model.mirror[position(t, k)];
    const std::array<uint32_t, 3> across = key;
    std::sort(key.begin(), key.end());
    const auto found = by_corners.find(key);
    if (found == by_corners.end()) continue;
    const uint32_t other = found->second.front();
    for (int k = 0; k < 3; ++k) {
      for (int j = 0; j < 3; ++j) {
        if (position(other, j) == across[k]) out[t].order[k] = static_cast<uint8_t>(j);
      }
    }
    out[t].other = other;
  }
  return out;
}

std::vector<uint16_t> PartOfTriangle(const HeadModel& model) {
  std::vector<uint16_t> out(model.triangle_count(), static_cast<uint16_t>(model.parts.size()));
  for (size_t p = 0; p < model.parts.size(); ++p) {
    const Part& part = model.parts[p];
    const uint32_t last =
        std::min(model.triangle_count(), part.first_triangle + part.triangle_count);
    for (uint32_t t = part.first_triangle; t < last; ++t) out[t] = static_cast<uint16_t>(p);
  }
  return out;
}

Status DilateCharts(const Atlas& atlas, int rings, Arena& arena, const TaskControl& control,
                    uint8_t* texture) {
  uint8_t* filled = nullptr;  // ring in which a texel got its colour, 255 for none yet
  DAF_RETURN_IF_ERROR(arena.Allocate(atlas.texels(), &filled));
  for (size_t i = 0; i < atlas.texels(); ++i)
    filled[i] = atlas.triangle[i] == kNoTriangle ? 255 : 0;
  const int size = atlas.size;
  for (int ring = 1; ring <= rings; ++ring) {
    for (int y = 0; y < size; ++y) {
      if (y % 32 == 0) DAF_RETURN_IF_ERROR(control.Check());
      for (int x = 0; x < size; ++x) {
        const size_t i = static_cast<size_t>(y) * size + x;
        if (filled[i] != 255) continue;
        int sum[4] = {0, 0, 0, 0}, count = 0;
        for (int dy = -1; dy <= 1; ++dy) {
          for (int dx = -1; dx <= 1; ++dx) {
            if (x + dx < 0 || x + dx >= size || y + dy < 0 || y + dy >= size) continue;
            const size_t j = static_cast<size_t>(y + dy) * size + (x + dx);
            if (filled[j] >= ring) continue;
            for (int k = 0; k < 4; ++k) sum[k] += texture[4 * j + k];
            ++count;
          }
        }
        if (count == 0) continue;
        for (int k = 0; k < 4; ++k)
          texture[4 * i + k] = static_cast<uint8_t>((sum[k] + count / 2) / count);
        filled[i] = static_cast<uint8_t>(ring);
      }
    }
  }
  return Status::Ok();
}

}  // namespace daf::head
