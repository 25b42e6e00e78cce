#include "native/mesh/charts.h"

#include <algorithm>
#include <numeric>

#include "native/mesh/incidence.h"
#include "native/mesh/normals.h"
#include "native/mesh/vector.h"

namespace daf::mesh {
namespace {

constexpr float kTentativeCosine = 0.8f;  // of the growth that finds a chart's axis
constexpr size_t kPocket = 32;            // triangles of a pocket at most

void SetAxis(const Point& axis, Chart* chart) {
  chart->axis = axis;
  const Point other = std::fabs(axis[1]) < 0.9f ? Point{0, 1, 0} : Point{1, 0, 0};
  chart->right = Unit(Cross(other, axis), {1, 0, 0});
  chart->up = Cross(axis, chart->right);
}

class Grower {
 public:
  Grower(const Mesh& mesh, const TaskControl& control)
      : mesh_(mesh), control_(control), layout_(MeanEdge(mesh)) {}

  Status Run(std::vector<Chart>* out) {
    const size_t count = mesh_.triangles.size();
    DAF_RETURN_IF_ERROR(around_.Build(mesh_, control_, &arena_));
    DAF_RETURN_IF_ERROR(arena_.Allocate(count, &normals_));
    DAF_RETURN_IF_ERROR(arena_.Allocate(count, &seen_));
    DAF_RETURN_IF_ERROR(arena_.Allocate(count, &chart_of_));
    std::fill_n(seen_, count, 0u);
    std::fill_n(chart_of_, count, kNone);
    size_t done = 0;
    for (const uint32_t seed : SeedsByFlatness()) {
      if (Taken(seed)) continue;
      DAF_RETURN_IF_ERROR(control_.Check());
      Chart chart;
      SetAxis(AxisFrom(seed), &chart);
      DAF_RETURN_IF_ERROR(Grow(seed, &chart));
      done += chart.triangles.size();
      out->push_back(std::move(chart));
      ++chart_;
      control_.Progress(static_cast<int32_t>(done), static_cast<int32_t>(count));
    }
    return Status::Ok();
  }

 private:
  static float MeanEdge(const Mesh& mesh) {
    double sum = 0;
    for (const Triangle& t : mesh.triangles)
      sum += Length(Minus(mesh.positions[t[1]], mesh.positions[t[0]]));
    return std::max(static_cast<float>(sum / std::max<size_t>(mesh.triangles.size(), 1)), 1e-20f);
  }

  Point SmoothNormal(const Triangle& t) const {
    return Along(Along(vertex_normals_[t[0]], 1, vertex_normals_[t[1]]), 1, vertex_normals_[t[2]]);
  }

  std::vector<uint32_t> SeedsByFlatness() {
    vertex_normals_ = VertexNormals(mesh_);
    std::vector<float> flatness(mesh_.triangles.size());
    for (size_t i = 0; i < flatness.size(); ++i) {
      const Triangle& t = mesh_.triangles[i];
      const Point smooth = SmoothNormal(t);
      const Point n =
          AreaNormal(mesh_.positions[t[0]], mesh_.positions[t[1]], mesh_.positions[t[2]]);
      normals_[i] = n;
      flatness[i] = Dot(Unit(n, {0, 0, 0}), smooth);
    }
    std::vector<uint32_t> order(flatness.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return flatness[a] > flatness[b]; });
    return order;
  }

  bool Taken(uint32_t triangle) const { return chart_of_[triangle] != kNone; }

  // Calls visit(neighbour) for the triangles across the three edges.
  template <typename Visit>
  void EachNeighbour(uint32_t triangle, Visit visit) const {
    const Triangle& t = mesh_.triangles[triangle];
    for (size_t k = 0; k < 3; ++k) {
      for (const uint32_t other : around_.Triangles(t[k])) {
        const Triangle& o = mesh_.triangles[other];
        const uint32_t next = t[(k + 1) % 3];
        if (other != triangle && (o[0] == next || o[1] == next || o[2] == next)) visit(other);
      }
    }
  }

  // The mean normal of what lies flat around the seed and is free.
  Point AxisFrom(uint32_t seed) {
    const Point first = Unit(SmoothNormal(mesh_.triangles[seed]), {0, 0, 1});
    Point sum = {0, 0, 0};
    ++round_;
    queue_.assign(1, seed);
    seen_[seed] = round_;
    for (size_t i = 0; i < queue_.size(); ++i) {
      sum = Along(sum, 1, normals_[queue_[i]]);
      EachNeighbour(queue_[i], [&](uint32_t n) {
        if (Taken(n) || seen_[n] == round_) return;
        if (!(Dot(Unit(normals_[n], first), first) > kTentativeCosine)) return;
        seen_[n] = round_;
        queue_.push_back(n);
      });
    }
    const Point mean = Unit(sum, first);
    const bool fits = Dot(Unit(normals_[seed], first), mean) > kChartCosine;
    return fits ? mean : Unit(normals_[seed], first);
  }

  Status Grow(uint32_t seed, Chart* chart) {
    layout_.Clear();
    ++round_;
    queue_.assign(1, seed);
    seen_[seed] = round_;
    std::vector<uint32_t> refused;
    for (size_t i = 0; i < queue_.size(); ++i) {
      if (i % 1024 == 0) DAF_RETURN_IF_ERROR(control_.Check());
      const uint32_t t = queue_[i];
      if (!Take(t, kChartCosine, chart)) {
        refused.push_back(t);
        continue;
      }
      EachNeighbour(t, [&](uint32_t n) {
        if (Taken(n) || seen_[n] == round_) return;
        seen_[n] = round_;
        queue_.push_back(n);
      });
    }
    // A triangle that is its chart's first always lies in its plane.
    if (chart->triangles.empty()) AddTo(seed, chart);
    for (const uint32_t t : refused) FillPocket(t, chart);
    return Status::Ok();
  }

  bool Take(uint32_t t, float cosine, Chart* chart) {
    if (!(Dot(Unit(normals_[t], chart->axis), chart->axis) > cosine)) return false;
    const Triangle& corners = mesh_.triangles[t];
    Triangle2 flat;
    for (size_t k = 0; k < 3; ++k) flat[k] = chart->Project(mesh_.positions[corners[k]]);
    if (!layout_.Add(flat)) return false;
    AddTo(t, chart);
    return true;
  }

  void AddTo(uint32_t t, Chart* chart) {
    chart_of_[t] = chart_;
    chart->triangles.push_back(t);
  }

  // Takes in what would be left as a hole of a few triangles.
  void FillPocket(uint32_t from, Chart* chart) {
    if (Taken(from)) return;
    ++round_;
    queue_.assign(1, from);
    seen_[from] = round_;
    for (size_t i = 0; i < queue_.size() && queue_.size() <= kPocket; ++i) {
      EachNeighbour(queue_[i], [&](uint32_t n) {
        if (Taken(n) || seen_[n] == round_) return;
        seen_[n] = round_;
        queue_.push_back(n);
      });
    }
    if (queue_.size() > kPocket) return;
    for (const uint32_t t : queue_) {
      bool beside = false;  // so that the chart stays connected
      EachNeighbour(t, [&](uint32_t n) { beside = beside || chart_of_[n] == chart_; });
      if (beside) Take(t, kPocketCosine, chart);
    }
  }

  const Mesh& mesh_;
  const TaskControl& control_;
  Arena arena_;
  Incidence around_;
  PlanarLayout layout_;
  std::vector<Point> vertex_normals_;
  Point* normals_ = nullptr;  // of triangles, as long as their area is large
  uint32_t* seen_ = nullptr;  // the last round that met a triangle
  uint32_t* chart_of_ = nullptr;
  uint32_t chart_ = 0, round_ = 0;
  std::vector<uint32_t> queue_;
};

}  // namespace

Point2 Chart::Project(const Point& p) const { return {Dot(p, right), Dot(p, up)}; }

Status GrowCharts(const Mesh& mesh, const TaskControl& control, std::vector<Chart>* out) {
  out->clear();
  return Grower(mesh, control).Run(out);
}

}  // namespace daf::mesh
