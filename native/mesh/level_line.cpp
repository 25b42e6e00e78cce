#include "native/mesh/level_line.h"

#include "native/mesh/vector.h"

namespace daf::mesh {
namespace {

struct Line {
  uint32_t index;
  float near, far;              // offsets on either side of the level
  float near_value, far_value;  // less iso
};

class Search {
 public:
  Search(const Sampler& sampler, float iso, const std::vector<Point>& points,
         const std::vector<Point>& directions)
      : sampler_(sampler), iso_(iso), points_(points), directions_(directions) {}

  // values_[i]: less iso, at offset(line) along each line.
  template <typename Offset>
  Status Ask(const std::vector<Line>& lines, Offset offset) {
    at_.clear();
    for (const Line& line : lines)
      at_.push_back(Along(points_[line.index], offset(line), directions_[line.index]));
    values_.resize(at_.size());
    DAF_RETURN_IF_ERROR(
        sampler_(at_.empty() ? nullptr : at_[0].data(), at_.size(), values_.data()));
    DAF_RETURN_IF_ERROR(CheckFinite(values_.data(), values_.size()));
    for (float& value : values_) value -= iso_;
    return Status::Ok();
  }
  float value(size_t i) const { return values_[i]; }

 private:
  const Sampler& sampler_;
  const float iso_;
  const std::vector<Point>& points_;
  const std::vector<Point>& directions_;
  std::vector<Point> at_;
  std::vector<float> values_;
};

float FalsePosition(const Line& line) {
  return line.near + (line.far - line.near) * line.near_value / (line.near_value - line.far_value);
}

}  // namespace

Status FindLevel(const Sampler& sampler, float iso, float reach, int steps,
                 const std::vector<Point>& points, const std::vector<Point>& directions,
                 std::vector<float>* offsets) {
  offsets->assign(points.size(), 0);
  Search search(sampler, iso, points, directions);
  std::vector<Line> open, found;
  for (uint32_t i = 0; i < points.size(); ++i) open.push_back({i, 0, 0, 0, 0});
  DAF_RETURN_IF_ERROR(search.Ask(open, [](const Line&) { return 0.0f; }));
  for (size_t i = 0; i < open.size(); ++i) {
    open[i].near_value = search.value(i);
    open[i].far = search.value(i) > 0 ? reach / 2 : -reach / 2;
  }
  for (int step = 0; step < 2; ++step) {
    DAF_RETURN_IF_ERROR(search.Ask(open, [](const Line& line) { return line.far; }));
    std::vector<Line> left;
    for (size_t i = 0; i < open.size(); ++i) {
      Line line = open[i];
      line.far_value = search.value(i);
      if ((line.far_value > 0) != (line.near_value > 0)) {
        found.push_back(line);
      } else {
        left.push_back({line.index, line.far, 2 * line.far, line.far_value, 0});
      }
    }
    open = std::move(left);
  }
  for (int step = 0; step < steps; ++step) {
    DAF_RETURN_IF_ERROR(search.Ask(found, FalsePosition));
    for (size_t i = 0; i < found.size(); ++i) {
      Line& line = found[i];
      const float at = FalsePosition(line), value = search.value(i);
      if ((value > 0) == (line.near_value > 0)) {
        line.near = at;
        line.near_value = value;
        line.far_value /= 2;  // or the far end would never move
      } else {
        line.far = at;
        line.far_value = value;
        line.near_value /= 2;
      }
    }
  }
  for (const Line& line : found) (*offsets)[line.index] = FalsePosition(line);
  return Status::Ok();
}

}  // namespace daf::mesh
