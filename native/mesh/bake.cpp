#include "native/mesh/bake.h"

#include <algorithm>
#include <cmath>

#include "native/mesh/dilate.h"
#include "native/mesh/level_line.h"
#include "native/mesh/spread_colors.h"
#include "native/mesh/texels.h"
#include "native/mesh/vector.h"

namespace daf::mesh {
namespace {

constexpr size_t kBatch = 4096;
constexpr int kRing = 4;            // views around the one straight on
constexpr float kTilt = 0.698132f;  // 40°
constexpr size_t kViews = kRing + 1;

// Unit directions in which the point is looked at, and what each view counts.
void Views(const Point& normal, Point (&directions)[kViews], float (&weights)[kViews]) {
  const Point other = std::fabs(normal[1]) < 0.9f ? Point{0, 1, 0} : Point{1, 0, 0};
  const Point right = Unit(Cross(other, normal), {1, 0, 0}), up = Cross(normal, right);
  directions[0] = {-normal[0], -normal[1], -normal[2]};
  weights[0] = 1;
  for (int i = 0; i < kRing; ++i) {
    const float angle = 6.2831853f * static_cast<float>(i) / kRing;
    const Point tilted = Along(
        Along(Along({0, 0, 0}, -std::cos(kTilt), normal), std::sin(kTilt) * std::cos(angle), right),
        std::sin(kTilt) * std::sin(angle), up);
    directions[i + 1] = tilted;
    weights[i + 1] = std::cos(kTilt);
  }
}

// The colours of a batch of points.
class Painter {
 public:
  Painter(const BakeSource& source, const TaskControl& control)
      : source_(source), control_(control) {}

  // colors[points]: the mean over views. Moves the points onto the level.
  Status Paint(std::vector<Point>* points, const std::vector<Point>& normals,
               std::vector<Point>* colors) {
    DAF_RETURN_IF_ERROR(control_.Check());
    const size_t count = points->size();
    colors->assign(count, Point{0, 0, 0});
    if (count == 0) return Status::Ok();
    DAF_RETURN_IF_ERROR(
        FindLevel(source_.values, source_.iso, source_.reach, 0, *points, normals, &offsets_));
    directions_.resize(kViews * count);
    seen_.resize(kViews * count);
    float weights[kViews], total = 0;
    for (size_t i = 0; i < count; ++i) {
      (*points)[i] = Along((*points)[i], offsets_[i], normals[i]);
      Point directions[kViews];
      Views(normals[i], directions, weights);
      for (size_t view = 0; view < kViews; ++view) directions_[view * count + i] = directions[view];
    }
    for (const float weight : weights) total += weight;
    DAF_RETURN_IF_ERROR(
        source_.colors((*points)[0].data(), count, directions_[0].data(), kViews, seen_[0].data()));
    for (size_t view = 0; view < kViews; ++view) {
      for (size_t i = 0; i < count; ++i)
        (*colors)[i] = Along((*colors)[i], weights[view] / total, seen_[view * count + i]);
    }
    return Status::Ok();
  }

 private:
  const BakeSource& source_;
  const TaskControl& control_;
  std::vector<float> offsets_;
  std::vector<Point> directions_, seen_;
};

// The colour of every vertex: those that are not shown take them from those around.
Status ColorVertices(const Mesh& mesh, const std::vector<Point>& normals, const BakeSource& source,
                     const TaskControl& control, std::vector<Point>* colors) {
  Painter painter(source, control);
  const size_t count = mesh.positions.size();
  std::vector<bool> known(count);
  std::vector<Point> points, directions, found;
  for (size_t first = 0; first < count; first += kBatch) {
    const size_t last = std::min(first + kBatch, count);
    points.assign(mesh.positions.begin() + static_cast<ptrdiff_t>(first),
                  mesh.positions.begin() + static_cast<ptrdiff_t>(last));
    directions.assign(normals.begin() + static_cast<ptrdiff_t>(first),
                      normals.begin() + static_cast<ptrdiff_t>(last));
    for (size_t v = first; v < last; ++v) known[v] = source.shown(mesh.positions[v], normals[v]);
    DAF_RETURN_IF_ERROR(painter.Paint(&points, directions, &found));
    colors->insert(colors->end(), found.begin(), found.end());
  }
  return SpreadColors(mesh, known, control, colors);
}

class Baker {
 public:
  Baker(const BakeSource& source, const TaskControl& control, uint32_t size, uint8_t* rgb)
      : source_(source), painter_(source, control), rgb_(rgb), covered_(size_t{size} * size) {}

  // `otherwise`: its colour where it is not shown.
  Status Add(uint32_t texel, const Point& point, const Point& normal, const Point& otherwise) {
    if (covered_[texel]) return Status::Ok();  // an edge that two triangles share
    covered_[texel] = true;
    if (source_.shown && !source_.shown(point, normal)) {
      Store(texel, otherwise);
      return Status::Ok();
    }
    texels_.push_back(texel);
    points_.push_back(point);
    normals_.push_back(normal);
    return texels_.size() == kBatch ? Flush() : Status::Ok();
  }

  Status Flush() {
    DAF_RETURN_IF_ERROR(painter_.Paint(&points_, normals_, &colors_));
    for (size_t i = 0; i < texels_.size(); ++i) Store(texels_[i], colors_[i]);
    texels_.clear();
    points_.clear();
    normals_.clear();
    return Status::Ok();
  }
  const std::vector<bool>& covered() const { return covered_; }

 private:
  void Store(uint32_t texel, const Point& color) {
    for (size_t c = 0; c < 3; ++c) {
      const float value = std::fmin(std::fmax(color[c], 0.0f), 1.0f);
      rgb_[3 * size_t{texel} + c] = static_cast<uint8_t>(std::lround(255 * value));
    }
  }

  const BakeSource& source_;
  Painter painter_;
  uint8_t* rgb_;
  std::vector<bool> covered_;
  std::vector<uint32_t> texels_;  // of the batch
  std::vector<Point> points_, normals_, colors_;
};

}  // namespace

Status BakeTexture(const Mesh& mesh, const std::vector<Point>& normals, const Atlas& atlas,
                   uint32_t size, const BakeSource& source, const TaskControl& control,
                   uint8_t* rgb) {
  std::fill_n(rgb, size_t{3} * size * size, uint8_t{0});
  std::vector<Point> vertex_colors;
  if (source.shown)
    DAF_RETURN_IF_ERROR(ColorVertices(mesh, normals, source, control, &vertex_colors));
  Baker baker(source, control, size, rgb);
  size_t done = 0;
  for (const Triangle& t : atlas.triangles) {
    Triangle2 corners;
    for (size_t k = 0; k < 3; ++k) {
      corners[k] = {atlas.uvs[t[k]][0] * static_cast<float>(size),
                    atlas.uvs[t[k]][1] * static_cast<float>(size)};
    }
    Status status;
    EachTexel(corners, static_cast<int>(size), 1e-5f, [&](int x, int y, const float* w) {
      if (!status.ok()) return;
      Point point = {0, 0, 0}, normal = {0, 0, 0}, otherwise = {0, 0, 0};
      for (size_t k = 0; k < 3; ++k) {
        const uint32_t v = atlas.source[t[k]];
        point = Along(point, w[k], mesh.positions[v]);
        normal = Along(normal, w[k], normals[v]);
        if (source.shown) otherwise = Along(otherwise, w[k], vertex_colors[v]);
      }
      const auto texel = static_cast<uint32_t>(y) * size + static_cast<uint32_t>(x);
      status = baker.Add(texel, point, Unit(normal, normals[atlas.source[t[0]]]), otherwise);
    });
    DAF_RETURN_IF_ERROR(status);
    if (++done % 256 == 0)
      control.Progress(static_cast<int32_t>(done), static_cast<int32_t>(atlas.triangles.size()));
  }
  DAF_RETURN_IF_ERROR(baker.Flush());
  return Dilate(baker.covered(), static_cast<int>(size), control, rgb);
}

}  // namespace daf::mesh
