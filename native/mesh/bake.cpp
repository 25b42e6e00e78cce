#include "native/mesh/bake.h"

#include <cmath>

#include "native/mesh/dilate.h"
#include "native/mesh/level_line.h"
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

class Baker {
 public:
  Baker(const BakeSource& source, const TaskControl& control, uint32_t size, uint8_t* rgb)
      : source_(source), control_(control), rgb_(rgb), covered_(size_t{size} * size, false) {}

  Status Add(uint32_t texel, const Point& point, const Point& normal) {
    if (covered_[texel]) return Status::Ok();  // an edge that two triangles share
    covered_[texel] = true;
    texels_.push_back(texel);
    points_.push_back(point);
    normals_.push_back(normal);
    return texels_.size() == kBatch ? Flush() : Status::Ok();
  }

  Status Flush() {
    DAF_RETURN_IF_ERROR(control_.Check());
    if (texels_.empty()) return Status::Ok();
    DAF_RETURN_IF_ERROR(
        FindLevel(source_.values, source_.iso, source_.reach, points_, normals_, &offsets_));
    sums_.assign(3 * texels_.size(), 0);
    colors_.resize(3 * texels_.size());
    directions_.resize(texels_.size());
    for (size_t i = 0; i < texels_.size(); ++i)
      points_[i] = Along(points_[i], offsets_[i], normals_[i]);
    for (size_t view = 0; view < kViews; ++view) {
      for (size_t i = 0; i < texels_.size(); ++i) {
        Point directions[kViews];
        Views(normals_[i], directions, weights_);
        directions_[i] = directions[view];
      }
      DAF_RETURN_IF_ERROR(
          source_.colors(points_[0].data(), directions_[0].data(), texels_.size(), colors_.data()));
      for (size_t i = 0; i < sums_.size(); ++i) sums_[i] += weights_[view] * colors_[i];
    }
    Store();
    return Status::Ok();
  }
  const std::vector<bool>& covered() const { return covered_; }

 private:
  void Store() {
    float total = 0;
    for (const float weight : weights_) total += weight;
    for (size_t i = 0; i < sums_.size(); ++i) {
      const float value = std::fmin(std::fmax(sums_[i] / total, 0.0f), 1.0f);
      rgb_[3 * size_t{texels_[i / 3]} + i % 3] = static_cast<uint8_t>(std::lround(255 * value));
    }
    texels_.clear();
    points_.clear();
    normals_.clear();
  }

  const BakeSource& source_;
  const TaskControl& control_;
  uint8_t* rgb_;
  std::vector<bool> covered_;
  std::vector<uint32_t> texels_;  // of the batch
  std::vector<Point> points_, normals_, directions_;
  std::vector<float> offsets_, colors_, sums_;
  float weights_[kViews] = {};
};

}  // namespace

Status BakeTexture(const Mesh& mesh, const std::vector<Point>& normals, const Atlas& atlas,
                   uint32_t size, const BakeSource& source, const TaskControl& control,
                   uint8_t* rgb) {
  std::fill_n(rgb, size_t{3} * size * size, uint8_t{0});
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
      Point point = {0, 0, 0}, normal = {0, 0, 0};
      for (size_t k = 0; k < 3; ++k) {
        const uint32_t v = atlas.source[t[k]];
        point = Along(point, w[k], mesh.positions[v]);
        normal = Along(normal, w[k], normals[v]);
      }
      const auto texel = static_cast<uint32_t>(y) * size + static_cast<uint32_t>(x);
      status = baker.Add(texel, point, Unit(normal, normals[atlas.source[t[0]]]));
    });
    DAF_RETURN_IF_ERROR(status);
    if (++done % 256 == 0)
      control.Progress(static_cast<int32_t>(done), static_cast<int32_t>(atlas.triangles.size()));
  }
  DAF_RETURN_IF_ERROR(baker.Flush());
  return Dilate(baker.covered(), static_cast<int>(size), control, rgb);
}

}  // namespace daf::mesh
