#include "native/mesh/atlas.h"

#include <algorithm>
#include <string>

#include "native/mesh/charts.h"
#include "native/mesh/packing.h"
#include "native/mesh/vector.h"

namespace daf::mesh {
namespace {

constexpr float kFirstFill = 0.8f;  // of the texture, tried first
constexpr float kShrink = 0.96f;    // from one trial to the next
constexpr int kTrials = 160;        // a scale down to a seven-hundredth of the first
constexpr int kTurns = 18;          // of a chart, over a right angle

// A chart's triangles in its plane, turned to the flattest bounding box and moved to its corner.
struct Flat {
  std::vector<Triangle2> triangles;
  float width = 0, height = 0;
};

Flat Flatten(const Mesh& mesh, const Chart& chart) {
  std::vector<Triangle2> plane(chart.triangles.size());
  for (size_t i = 0; i < plane.size(); ++i) {
    for (size_t k = 0; k < 3; ++k)
      plane[i][k] = chart.Project(mesh.positions[mesh.triangles[chart.triangles[i]][k]]);
  }
  Flat best;
  for (int turn = 0; turn < kTurns; ++turn) {
    const float angle = 1.57079633f * static_cast<float>(turn) / kTurns;
    const float c = std::cos(angle), s = std::sin(angle);
    Flat flat;
    flat.triangles = plane;
    Point2 low = {INFINITY, INFINITY}, high = {-INFINITY, -INFINITY};
    for (Triangle2& t : flat.triangles) {
      for (Point2& p : t) {
        p = {c * p[0] - s * p[1], s * p[0] + c * p[1]};
        for (size_t a = 0; a < 2; ++a) {
          low[a] = std::min(low[a], p[a]);
          high[a] = std::max(high[a], p[a]);
        }
      }
    }
    flat.width = high[0] - low[0];
    flat.height = high[1] - low[1];
    if (turn > 0 && flat.width * flat.height >= best.width * best.height) continue;
    for (Triangle2& t : flat.triangles) {
      for (Point2& p : t) p = {p[0] - low[0], p[1] - low[1]};
    }
    best = std::move(flat);
  }
  return best;
}

std::vector<Triangle2> Scaled(const std::vector<Triangle2>& triangles, float scale) {
  std::vector<Triangle2> out = triangles;
  for (Triangle2& t : out) {
    for (Point2& p : t) p = {p[0] * scale, p[1] * scale};
  }
  return out;
}

double AreaOf(const std::vector<Triangle2>& triangles) {
  double twice = 0;
  for (const Triangle2& t : triangles) {
    twice += (t[1][0] - t[0][0]) * (t[2][1] - t[0][1]) - (t[1][1] - t[0][1]) * (t[2][0] - t[0][0]);
  }
  return twice / 2;
}

float StretchOf(const Mesh& mesh, const Chart& chart) {
  float least = 1;
  for (const uint32_t i : chart.triangles) {
    const Triangle& t = mesh.triangles[i];
    const Point n = AreaNormal(mesh.positions[t[0]], mesh.positions[t[1]], mesh.positions[t[2]]);
    least = std::min(least, Dot(Unit(n, chart.axis), chart.axis));
  }
  return 1 / least;
}

// Vertices of one chart are shared among its triangles.
void AddChart(const Mesh& mesh, const Chart& chart, const Flat& flat, float scale, const Point2& at,
              float size, std::vector<uint32_t>* renamed, Atlas* out) {
  for (size_t i = 0; i < chart.triangles.size(); ++i) {
    const Triangle& t = mesh.triangles[chart.triangles[i]];
    for (size_t k = 0; k < 3; ++k) {
      uint32_t& id = (*renamed)[t[k]];
      if (id == kNone) {
        id = static_cast<uint32_t>(out->source.size());
        out->source.push_back(t[k]);
        const Point2& p = flat.triangles[i][k];
        out->uvs.push_back({(at[0] + p[0] * scale) / size, 1 - (at[1] + p[1] * scale) / size});
      }
      out->triangles[chart.triangles[i]][k] = id;
    }
  }
  for (const uint32_t i : chart.triangles) {
    for (const uint32_t v : mesh.triangles[i]) (*renamed)[v] = kNone;
  }
}

}  // namespace

Status BuildAtlas(const Mesh& mesh, const AtlasOptions& options, const TaskControl& control,
                  Atlas* out) {
  *out = Atlas();
  if (options.size < 64 || options.size > 8192)
    return Status(Code::kBadArgument, "a texture has 64 to 8192 texels along a side");
  if (options.gutter < 1 || options.gutter > 16)
    return Status(Code::kBadArgument, "the gutter is 1 to 16 texels");
  if (mesh.triangles.empty()) return Status::Ok();
  std::vector<Chart> charts;
  DAF_RETURN_IF_ERROR(GrowCharts(mesh, control, &charts));
  std::vector<Flat> flats;
  double area = 0;
  for (const Chart& chart : charts) {
    DAF_RETURN_IF_ERROR(control.Check());
    flats.push_back(Flatten(mesh, chart));
    area += AreaOf(flats.back().triangles);
  }
  const auto size = static_cast<int32_t>(options.size),
             gutter = static_cast<int32_t>(options.gutter);
  float scale = static_cast<float>(size * std::sqrt(kFirstFill / std::max(area, 1e-30)));
  std::vector<Place> places;
  bool fits = false;
  for (int trial = 0; trial < kTrials && !fits; ++trial) {
    if (trial > 0) scale *= kShrink;
    std::vector<Outline> outlines;
    int64_t least = 0;  // texels that the outlines need at the least
    for (const Flat& flat : flats) {
      outlines.push_back(OutlineOf(Scaled(flat.triangles, scale), gutter));
      for (size_t i = 0; i < outlines.back().low.size(); ++i)
        least += std::max(outlines.back().high[i] - outlines.back().low[i], 0);
    }
    DAF_RETURN_IF_ERROR(control.Check());
    if (least > int64_t{size} * size) continue;
    DAF_RETURN_IF_ERROR(PackOutlines(outlines, size, control, &fits, &places));
  }
  if (!fits) {
    return Status(Code::kBadData,
                  std::to_string(charts.size()) + " charts do not fit into a texture of " +
                      std::to_string(options.size) + " texels a side",
                  "a larger texture, fewer faces, or smoothing");
  }
  out->triangles.resize(mesh.triangles.size());
  out->charts = static_cast<uint32_t>(charts.size());
  out->texel = 1 / scale;
  std::vector<uint32_t> renamed(mesh.positions.size(), kNone);
  for (size_t i = 0; i < charts.size(); ++i) {
    const Point2 at = {static_cast<float>(places[i].x + gutter),
                       static_cast<float>(places[i].y + gutter)};
    AddChart(mesh, charts[i], flats[i], scale, at, static_cast<float>(size), &renamed, out);
    out->stretch = std::max(out->stretch, StretchOf(mesh, charts[i]));
  }
  return Status::Ok();
}

}  // namespace daf::mesh
