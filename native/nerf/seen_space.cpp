#include "native/nerf/seen_space.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/nerf/distance_field.h"
#include "native/nerf/light_map.h"

namespace daf::nerf {
namespace {

constexpr size_t kViews = 64;     // pictures that are followed at most
constexpr uint32_t kAround = 48;  // made-up ones around a bounded box
constexpr int kBest = 2;          // the light of so many pictures that see the most is averaged
constexpr float kRaysPerCell = 1.5f;
constexpr float kThick = 0.3f;      // optical depth of a cell that is a surface
constexpr float kReach = 1.5f;      // cells by which balls reach into surfaces
constexpr float kBefore = 1.5f;     // cells before a surface that light must reach to show it
constexpr float kShown = 0.25f;     // share of the light
constexpr size_t kEndsApart = 101;  // rays of a picture of which one tells the density of surfaces
constexpr size_t kEnds = 4096;      // places that tell the density of surfaces
constexpr float kBelow = 0.25f;     // share of them whose density is below it

// Cameras evenly around a region, that see all of it.
std::vector<Camera> CamerasAround(const SeenSpace::Region& region) {
  std::vector<Camera> cameras;
  float middle[3], diagonal = 0;
  for (int a = 0; a < 3; ++a) {
    middle[a] = 0.5f * (region.low[a] + region.high[a]);
    diagonal += (region.high[a] - region.low[a]) * (region.high[a] - region.low[a]);
  }
  diagonal = std::sqrt(diagonal);
  for (uint32_t i = 0; i < kAround; ++i) {  // a Fibonacci lattice of the sphere
    const float z = 1 - (2 * static_cast<float>(i) + 1) / kAround;
    const float angle = 2.3999632f * static_cast<float>(i), r = std::sqrt(1 - z * z);
    const float back[3] = {r * std::cos(angle), r * std::sin(angle), z};
    const float other[3] = {0, std::fabs(back[1]) < 0.9f ? 1.0f : 0.0f,
                            std::fabs(back[1]) < 0.9f ? 0.0f : 1.0f};
    float right[3] = {other[1] * back[2] - other[2] * back[1], other[2] * back[0],
                      -other[1] * back[0]};
    const float length = std::hypot(right[0], right[1], right[2]);
    for (float& v : right) v /= length;
    const float up[3] = {back[1] * right[2] - back[2] * right[1],
                         back[2] * right[0] - back[0] * right[2],
                         back[0] * right[1] - back[1] * right[0]};
    Camera camera;
    const float* axes[3] = {right, up, back};
    for (int row = 0; row < 3; ++row) {
      for (int a = 0; a < 3; ++a) {
        camera.rotation[3 * row + a] = axes[row][a];
        camera.translation[row] -= axes[row][a] * (middle[a] + 4 * diagonal * back[a]);
      }
    }
    camera.width = camera.height = 1024;
    camera.center[0] = camera.center[1] = 512;
    camera.focal[0] = camera.focal[1] = 4 * 1024 * 0.85f;  // the ball around it, and a little more
    cameras.push_back(camera);
  }
  return cameras;
}

// A number in [0, 1) for each cell and axis, the same in every run.
float Jitter(size_t cell, int axis) {
  uint64_t h = (cell * 3 + static_cast<size_t>(axis) + 1) * 0x9E3779B97F4A7C15ull;
  h = (h ^ (h >> 31)) * 0xBF58476D1CE4E5B9ull;
  return static_cast<float>((h ^ (h >> 29)) >> 40) * 0x1p-24f;
}

}  // namespace

class SeenSpaceFinder {
 public:
  SeenSpaceFinder(Model* model, const SeenSpace::Region& region, const TaskControl& control,
                  SeenSpace* out)
      : model_(*model), region_(region), control_(control), out_(*out), n_(region.cells) {}

  Status Run(const std::vector<Camera>& cameras, uint64_t* queries) {
    all_ = size_t{n_} * n_ * n_;
    DAF_RETURN_IF_ERROR(out_.arena_.Allocate(all_, &before_));
    DAF_RETURN_IF_ERROR(arena_.Allocate(all_, &behind_));
    DAF_RETURN_IF_ERROR(arena_.Allocate(all_, &density_));
    DAF_RETURN_IF_ERROR(Densities(queries));
    DAF_RETURN_IF_ERROR(Light(cameras));
    // Around what is bounded nothing but pictures of it was learnt, and thin things that the
    // lattice does not catch are worth more than haze.
    const bool unbounded = model_.box().unbounded;
    float* balls = nullptr;
    if (unbounded) DAF_RETURN_IF_ERROR(Balls(&balls));
    DAF_RETURN_IF_ERROR(Blur(before_));
    DAF_RETURN_IF_ERROR(Blur(behind_));
    if (unbounded) {
      DAF_RETURN_IF_ERROR(out_.arena_.Allocate(all_, &out_.light_));
      std::copy_n(before_, all_, out_.light_);
    }
    for (size_t i = 0; i < all_; ++i) {
      float gate = std::max(1 - 2 * before_[i], 0.0f);
      if (unbounded) gate -= std::max(2 * behind_[i] - 1, 0.0f);
      gate *= 2 * SeenSpace::kCertain;
      if (unbounded) gate = std::min(gate, balls[i]);
      before_[i] = std::min(std::max(gate, -2 * SeenSpace::kCertain), 2 * SeenSpace::kCertain);
    }
    out_.gate_ = before_;
    return Status::Ok();
  }

 private:
  // The most that pictures see of a cell; negative where fewer show it.
  struct Best {
    float before[kBest], behind[kBest];
    Best() {
      std::fill_n(before, kBest, -1.0f);
      std::fill_n(behind, kBest, -1.0f);
    }
    static void Insert(float light, float (&best)[kBest]) {
      for (float& b : best) {
        if (light > b) std::swap(light, b);
      }
    }
    void Add(float light_before, float light_behind) {
      Insert(light_before, before);
      Insert(light_behind, behind);
    }
    static float Mean(const float (&best)[kBest]) {
      float sum = 0;
      int count = 0;
      for (const float b : best) {
        if (b < 0) continue;
        sum += b;
        ++count;
      }
      return count > 0 ? sum / static_cast<float>(count) : 0.0f;
    }
  };

  float Edge() const {
    float sum = 0;
    for (int a = 0; a < 3; ++a) sum += region_.high[a] - region_.low[a];
    return sum / static_cast<float>(3 * n_);
  }

  // At a random place of every cell that may hold something: a lattice of places would miss walls
  // that are thinner than its step.
  Status Densities(uint64_t* queries) {
    const Occupancy& grid = model_.occupancy();
    const auto resolution = static_cast<float>(grid.resolution());
    std::vector<float> points, density;
    std::vector<size_t> targets;
    const auto flush = [&] {
      density.resize(targets.size());
      DAF_RETURN_IF_ERROR(model_.Evaluate(points.data(), nullptr, targets.size(), density.data(),
                                          nullptr, control_));
      for (size_t i = 0; i < targets.size(); ++i) density_[targets[i]] = density[i];
      *queries += targets.size();
      points.clear();
      targets.clear();
      return Status::Ok();
    };
    for (size_t cell = 0; cell < all_; ++cell) {
      const size_t at[3] = {cell % n_, cell / n_ % n_, cell / n_ / n_};
      float point[3], unit[3];
      for (int a = 0; a < 3; ++a)
        point[a] = Coordinate(a, static_cast<float>(at[a]) + Jitter(cell, a));
      model_.box().ToUnit(point, unit);
      uint32_t c[3];
      for (int a = 0; a < 3; ++a)
        c[a] = std::min(static_cast<uint32_t>(unit[a] * resolution), grid.resolution() - 1);
      density_[cell] = 0;
      if (!grid.Occupied(c[0], c[1], c[2])) continue;
      points.insert(points.end(), point, point + 3);
      targets.push_back(cell);
      if (targets.size() == kPassSamples) DAF_RETURN_IF_ERROR(flush());
    }
    return flush();
  }

  float Coordinate(int axis, float cells) const {
    return region_.low[axis] +
           (region_.high[axis] - region_.low[axis]) * cells / static_cast<float>(n_);
  }

  // For every cell the light just before and just behind it, the mean of the pictures that see most
  // of it; 0 where none shows it.
  Status Light(const std::vector<Camera>& cameras) {
    DensityLattice lattice = {{}, {}, n_, density_};
    std::copy_n(region_.low, 3, lattice.low);
    std::copy_n(region_.high, 3, lattice.high);
    Best* best;
    DAF_RETURN_IF_ERROR(arena_.Allocate(all_, &best));
    std::fill_n(best, all_, Best());
    // A bounded box leaves the surface to the density alone; in a capture the light that ends there
    // says as much, and evens the density's noise out.
    const float ahead = (model_.box().unbounded ? -0.5f : 1.0f) * Edge();
    const size_t views = std::min(kViews, cameras.size());
    const auto side = static_cast<uint32_t>(kRaysPerCell * static_cast<float>(n_));
    for (size_t view = 0; view < views; ++view) {
      DAF_RETURN_IF_ERROR(control_.Check());
      LightMap map;
      DAF_RETURN_IF_ERROR(
          map.Follow(cameras[view * cameras.size() / views], lattice, side, control_));
      size_t ends = 0;
      map.EachEnd([&](const float point[3]) {
        if (ends++ % kEndsApart == 0) out_.ends_.insert(out_.ends_.end(), point, point + 3);
      });
      for (size_t i = 0; i < all_; ++i) {
        const float point[3] = {Coordinate(0, static_cast<float>(i % n_) + 0.5f),
                                Coordinate(1, static_cast<float>(i / n_ % n_) + 0.5f),
                                Coordinate(2, static_cast<float>(i / n_ / n_) + 0.5f)};
        float before, behind;
        if (map.At(point, ahead, Edge(), &before, &behind)) best[i].Add(before, behind);
        if (i % 65536 == 0) DAF_RETURN_IF_ERROR(control_.Check());
      }
    }
    for (size_t i = 0; i < all_; ++i) {
      before_[i] = Best::Mean(best[i].before);
      behind_[i] = Best::Mean(best[i].behind);
    }
    return Status::Ok();
  }

  template <typename Visit>
  void EachBeside(size_t i, Visit visit) const {
    const size_t at[3] = {i % n_, i / n_ % n_, i / n_ / n_};
    const size_t stride[3] = {1, n_, size_t{n_} * n_};
    for (int a = 0; a < 3; ++a) {
      if (at[a] > 0) visit(i - stride[a]);
      if (at[a] + 1 < n_) visit(i + stride[a]);
    }
  }

  // How deep cells lie in the balls of dark space that touch surfaces, as a gate: 0 on the balls.
  Status Balls(float** out) {
    float *to_light, *to_surface;
    uint32_t* source;
    DAF_RETURN_IF_ERROR(arena_.Allocate(all_, &to_light));
    DAF_RETURN_IF_ERROR(arena_.Allocate(all_, &to_surface));
    DAF_RETURN_IF_ERROR(arena_.Allocate(all_, &source));
    const float edge = Edge();
    for (size_t i = 0; i < all_; ++i) {
      const bool lit = before_[i] >= 0.5f;
      to_light[i] = lit ? 0 : INFINITY;
      bool surface = false;
      if (!lit) {
        bool beside_light = false;
        float thickest = density_[i];
        EachBeside(i, [&](size_t j) {
          beside_light = beside_light || before_[j] >= 0.5f;
          thickest = std::max(thickest, density_[j]);
        });
        surface = beside_light && thickest * edge > kThick;
      }
      to_surface[i] = surface ? 0 : INFINITY;
    }
    DAF_RETURN_IF_ERROR(LeastParabola(n_, control_, to_light, nullptr));
    DAF_RETURN_IF_ERROR(LeastParabola(n_, control_, to_surface, nullptr));
    // Balls around cells to which a surface is as near as the light.
    float* balls = to_surface;
    for (size_t i = 0; i < all_; ++i) {
      const float radius = std::sqrt(to_light[i]);
      const bool touches =
          std::isfinite(radius) && radius > 0 && std::sqrt(to_surface[i]) <= radius + 1;
      balls[i] = touches ? -(radius + kReach) * (radius + kReach) : INFINITY;
    }
    DAF_RETURN_IF_ERROR(LeastParabola(n_, control_, balls, source));
    for (size_t i = 0; i < all_; ++i) {
      if (!std::isfinite(balls[i])) {
        balls[i] = -2 * SeenSpace::kCertain;
        continue;
      }
      const float radius = std::sqrt(to_light[source[i]]) + kReach;
      balls[i] = -SeenSpace::kCertain * balls[i] / (2 * radius);  // cells inside, nearly
    }
    *out = balls;
    return Status::Ok();
  }

  // Over 3³ cells, by (1 2 1) / 4 along each axis.
  Status Blur(float* light) {
    std::vector<float> row(n_);
    for (int axis = 0; axis < 3; ++axis) {
      const size_t stride = axis == 0 ? 1 : axis == 1 ? n_ : size_t{n_} * n_;
      DAF_RETURN_IF_ERROR(control_.Check());
      for (size_t i = 0; i < all_; ++i) {
        if (i / stride % n_ != 0) continue;
        for (size_t k = 0; k < n_; ++k) row[k] = light[i + k * stride];
        for (size_t k = 0; k < n_; ++k) {
          light[i + k * stride] = 0.5f * row[k] + 0.25f * row[k == 0 ? 0 : k - 1] +
                                  0.25f * row[std::min<size_t>(k + 1, n_ - 1)];
        }
      }
    }
    return Status::Ok();
  }

  Model& model_;
  const SeenSpace::Region& region_;
  const TaskControl& control_;
  SeenSpace& out_;
  const uint32_t n_;
  size_t all_ = 0;
  Arena arena_;
  float *before_ = nullptr, *behind_ = nullptr, *density_ = nullptr;
};

Status SeenSpace::Find(Model* model, const Region& region, const TaskControl& control,
                       uint64_t* queries) {
  region_ = region;
  const std::vector<Camera> cameras =
      model->box().unbounded ? model->cameras() : CamerasAround(region);
  if (cameras.empty()) return Status::Ok();
  return SeenSpaceFinder(model, region_, control, this).Run(cameras, queries);
}

float SeenSpace::Gate(const float point[3]) const {
  return gate_ == nullptr ? 0.0f : At(gate_, point);
}

bool SeenSpace::Shown(const float point[3], const float normal[3]) const {
  if (light_ == nullptr) return true;
  float before[3];
  for (int a = 0; a < 3; ++a) {
    const float cell = (region_.high[a] - region_.low[a]) / static_cast<float>(region_.cells);
    before[a] = point[a] + kBefore * cell * normal[a];
  }
  return At(light_, before) > kShown;
}

float SeenSpace::At(const float* lattice, const float point[3]) const {
  const size_t n = region_.cells;
  size_t low[3], high[3];
  float share[3];
  for (int a = 0; a < 3; ++a) {
    const float at =
        (point[a] - region_.low[a]) / (region_.high[a] - region_.low[a]) * static_cast<float>(n) -
        0.5f;
    const float inside = std::min(std::max(at, 0.0f), static_cast<float>(n - 1));
    low[a] = static_cast<size_t>(inside);
    high[a] = std::min(low[a] + 1, n - 1);
    share[a] = inside - static_cast<float>(low[a]);
  }
  float sum = 0;
  for (int c = 0; c < 8; ++c) {
    const size_t x = (c & 1) != 0 ? high[0] : low[0], y = (c & 2) != 0 ? high[1] : low[1],
                 z = (c & 4) != 0 ? high[2] : low[2];
    sum += ((c & 1) != 0 ? share[0] : 1 - share[0]) * ((c & 2) != 0 ? share[1] : 1 - share[1]) *
           ((c & 4) != 0 ? share[2] : 1 - share[2]) * lattice[(z * n + y) * n + x];
  }
  return sum;
}

Status SeenSpace::SurfaceDensity(Model* model, const TaskControl& control, float* density) const {
  *density = 0;
  const size_t count = ends_.size() / 3, every = std::max<size_t>(1, count / kEnds);
  std::vector<float> points, found;
  for (size_t i = 0; i < count; i += every) {
    const auto end = ends_.begin() + static_cast<ptrdiff_t>(3 * i);
    points.insert(points.end(), end, end + 3);
  }
  found.resize(points.size() / 3);
  DAF_RETURN_IF_ERROR(
      model->Evaluate(points.data(), nullptr, found.size(), found.data(), nullptr, control));
  found.erase(std::remove_if(found.begin(), found.end(), [](float d) { return !(d > 0); }),
              found.end());
  if (found.empty()) return Status::Ok();
  const auto at = found.begin() + static_cast<ptrdiff_t>(kBelow * static_cast<float>(found.size()));
  std::nth_element(found.begin(), at, found.end());
  *density = *at;
  return Status::Ok();
}

}  // namespace daf::nerf
