#include "native/head/fit/hair.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "native/head/raster/rasteriser.h"

namespace daf::head {
namespace {

// cm along a vertex's outward direction.
constexpr float kHighest = 6.0f;     // that hair is believed to stand above the shell
constexpr float kInward = 1.5f;      // searched below the shell for the matte's end
constexpr float kStep = 0.05f;       // between places looked at
constexpr float kSpeck = 0.25f;      // a gap in the matte this short is none
constexpr float kClearance = 0.06f;  // of the shell above the skin
// Where hair is seen, an outline below the shell is more often a camera told wrong by landmarks
// than hair so flat: this share of it is believed, and no more than so many cm.
constexpr float kBelieved = 0.3f, kFlattest = 0.1f;
// A vertex is on the outline when the first lies outside the drawn head and the second inside, and
// its direction is seen from the side at least this much (sine of the angle to the line of sight).
constexpr float kOutside = 0.35f, kInside = 0.6f, kSideways = 0.87f;
// Within so many cm of the shell's rim outlines are the ear's and the temple's as much as hair's.
constexpr float kRimFrom = 0.8f, kRimTo = 2.5f;
// Weights: an outline seen, the same of the other side, a difference between neighbours that lie
// kSpacing cm apart, staying put, staying put on the rim.
constexpr float kSeen = 1.0f, kMirrored = 0.25f, kSmooth = 3.0f, kStay = 0.002f, kRim = 20.0f;
constexpr float kSpacing = 0.8f, kLeastEdge = 0.1f, kMostEdge = 2.5f;
constexpr int kPasses = 2, kRounds = 500;
constexpr float kStill = 2e-5f;    // cm; a round that moves nothing farther is the last
constexpr float kHeaviest = 1e6f;  // photo beside the others
// Pixels of the longer side that the head is drawn with: finer than what is asked of it.
constexpr int kDrawn = 256;

struct Shell {
  std::vector<uint32_t> vertex;  // positions
  std::vector<int> of;           // position → offset into `vertex`, −1 elsewhere
  struct Edge {
    uint32_t to;
    float weight;
  };
  std::vector<std::vector<Edge>> edges;
  std::vector<bool> rim;
  std::vector<float> inside;   // 0 at the rim … 1 well away from it
  std::vector<float> outward;  // [n][3]
  std::vector<float> room;     // cm down to the skin
  size_t size() const { return vertex.size(); }
};

MeshView WholeMesh(const HeadModel& model, const float* positions) {
  return {positions,       model.position_count,   model.source.data(),   model.render_count(),
          model.uv.data(), model.triangles.data(), model.triangle_count()};
}

bool IsHair(const Part& part) { return part.name.rfind("hair", 0) == 0; }

// Vertices, who lies beside whom, and the rim: edges that only one triangle has.
Status Connect(const HeadModel& model, const float* positions, const TaskControl& control,
               Shell* shell) {
  shell->of.assign(model.position_count, -1);
  std::map<std::pair<uint32_t, uint32_t>, int> edges;
  for (const Part& part : model.parts) {
    if (!IsHair(part)) continue;
    for (uint32_t t = part.first_triangle; t < part.first_triangle + part.triangle_count; ++t) {
      uint32_t corner[3];
      for (int c = 0; c < 3; ++c) {
        const uint32_t v = model.source[model.triangles[3 * size_t{t} + c]];
        if (shell->of[v] < 0) {
          shell->of[v] = static_cast<int>(shell->size());
          shell->vertex.push_back(v);
        }
        corner[c] = static_cast<uint32_t>(shell->of[v]);
      }
      for (int c = 0; c < 3; ++c) ++edges[std::minmax(corner[c], corner[(c + 1) % 3])];
    }
  }
  const auto distance = [&](uint32_t a, uint32_t b) {
    float square = 0;
    for (size_t k = 0; k < 3; ++k) {
      const float d =
          positions[3 * size_t{shell->vertex[a]} + k] - positions[3 * size_t{shell->vertex[b]} + k];
      square += d * d;
    }
    return std::sqrt(square);
  };
  shell->edges.resize(shell->size());
  shell->rim.assign(shell->size(), false);
  for (const auto& [ends, triangles] : edges) {
    const auto [a, b] = ends;
    // Near the crown vertices are dense: what lies close together moves together.
    const float weight = kSpacing / std::clamp(distance(a, b), kLeastEdge, kMostEdge);
    shell->edges[a].push_back({b, weight});
    shell->edges[b].push_back({a, weight});
    if (triangles == 1) shell->rim[a] = shell->rim[b] = true;
  }
  std::vector<uint32_t> rim;
  for (uint32_t i = 0; i < shell->size(); ++i) {
    if (shell->rim[i]) rim.push_back(i);
  }
  for (uint32_t i = 0; i < shell->size(); ++i) {
    DAF_RETURN_IF_ERROR(control.Check());
    float nearest = kRimTo;
    for (uint32_t r : rim) nearest = std::min(nearest, distance(i, r));
    const float t = std::clamp((nearest - kRimFrom) / (kRimTo - kRimFrom), 0.0f, 1.0f);
    shell->inside.push_back(t);
  }
  return Status::Ok();
}

// Half the surface's normal, half away from the middle of the skull, so that neighbours spread
// apart as they rise.
Status FindDirections(const HeadModel& model, const float* positions, Arena& arena, Shell* shell) {
  float* normals = nullptr;
  DAF_RETURN_IF_ERROR(arena.Allocate(size_t{model.position_count} * 3, &normals));
  VertexNormals(WholeMesh(model, positions), normals);
  double middle[3] = {0, 0, 0};
  for (uint32_t v : shell->vertex) {
    for (int k = 0; k < 3; ++k) middle[k] += positions[3 * size_t{v} + k];
  }
  for (double& value : middle) value /= static_cast<double>(shell->size());
  middle[1] -= 3;
  for (uint32_t v : shell->vertex) {
    float away[3], length = 0;
    for (int k = 0; k < 3; ++k) {
      away[k] = positions[3 * size_t{v} + k] - static_cast<float>(middle[k]);
      length += away[k] * away[k];
    }
    float total = 0;
    for (int k = 0; k < 3; ++k) {
      away[k] = away[k] / std::sqrt(std::max(1e-12f, length)) + normals[3 * size_t{v} + k];
      total += away[k] * away[k];
    }
    for (float value : away) shell->outward.push_back(value / std::sqrt(std::max(1e-12f, total)));
  }
  return Status::Ok();
}

Status FindRoom(const HeadModel& model, const float* positions, const TaskControl& control,
                Shell* shell) {
  std::vector<uint32_t> skin;
  std::vector<bool> taken(model.position_count, false);
  float low = INFINITY;
  for (uint32_t v : shell->vertex) low = std::min(low, positions[3 * size_t{v} + 1]);
  for (const Part& part : model.parts) {
    if (part.name != "skin") continue;
    for (uint32_t r = part.first_vertex; r < part.first_vertex + part.vertex_count; ++r) {
      const uint32_t v = model.source[r];
      if (taken[v] || positions[3 * size_t{v} + 1] < low - 2) continue;
      taken[v] = true;
      skin.push_back(v);
    }
  }
  // By height: from a vertex upwards and downwards until height alone is farther than the nearest.
  std::sort(skin.begin(), skin.end(), [&](uint32_t a, uint32_t b) {
    const float *p = positions + 3 * size_t{a}, *q = positions + 3 * size_t{b};
    return p[1] < q[1] || (p[1] == q[1] && a < b);
  });
  std::vector<float> places;
  for (uint32_t s : skin)
    places.insert(places.end(), positions + 3 * size_t{s}, positions + 3 * size_t{s} + 3);
  const int64_t count = static_cast<int64_t>(skin.size());
  for (uint32_t v : shell->vertex) {
    DAF_RETURN_IF_ERROR(control.Check());
    const float* at = positions + 3 * size_t{v};
    float nearest = 1e6f;
    // False where all that follow in this direction are too far.
    const auto look = [&](int64_t i) {
      const float* s = places.data() + 3 * i;
      const float dx = s[0] - at[0], dy = s[1] - at[1], dz = s[2] - at[2];
      if (dy * dy >= nearest) return false;
      nearest = std::min(nearest, dx * dx + dy * dy + dz * dz);
      return true;
    };
    const int64_t middle = std::lower_bound(skin.begin(), skin.end(), at[1],
                                            [&](uint32_t s, float height) {
                                              return positions[3 * size_t{s} + 1] < height;
                                            }) -
                           skin.begin();
    for (int64_t i = middle; i < count && look(i); ++i) {
    }
    for (int64_t i = middle - 1; i >= 0 && look(i); --i) {
    }
    shell->room.push_back(std::max(0.0f, std::sqrt(nearest) - kClearance));
  }
  return Status::Ok();
}

// What the photos say: for each vertex Σ weight and Σ weight · height.
struct Evidence {
  std::vector<float> weight, height;
};

// The whole photo in few pixels.
Camera Coarser(const Camera& camera) {
  const int longer = std::max(camera.width, camera.height);
  if (longer <= kDrawn) return camera;
  const float scale = static_cast<float>(kDrawn) / static_cast<float>(longer);
  Camera out = camera;
  out.focal *= scale;
  for (float& value : out.center) value *= scale;
  const auto pixels = [&](int of) {
    return std::clamp(static_cast<int>(std::ceil(static_cast<float>(of) * scale)), 1, kDrawn);
  };
  out.width = pixels(camera.width);
  out.height = pixels(camera.height);
  return out;
}

// One photo's matte, and the head as it is now in the same view.
class Outline {
 public:
  // depth: room for the coarser picture.
  Outline(const HairView& view, const MeshView& head, float* projected, float* depth)
      : view_(view), coarse_(Coarser(view.camera)), depth_(depth) {
    ProjectPositions(coarse_, head, projected);
    Rasterise(coarse_, head, projected, {}, {nullptr, nullptr, depth});
  }

  // Height above `base` where the matte ends, and how much to believe it; weight 0 for nothing.
  void Look(const float base[3], const float outward[3], float height, float* end,
            float* weight) const {
    *weight = 0;
    const auto at = [&](float h, float pixel[2]) {
      float point[3], depth;
      for (int k = 0; k < 3; ++k) point[k] = base[k] + h * outward[k];
      return view_.camera.Project(point, pixel, &depth) ? depth : 0.0f;
    };
    float here[2], above[2], below[2];
    const float depth = at(height, here);
    if (!(depth > 0) || !(at(height + kOutside, above) > 0) || !(at(height - kInside, below) > 0))
      return;
    const float sideways = std::hypot(above[0] - here[0], above[1] - here[1]) * depth /
                           (view_.camera.focal * kOutside);
    if (sideways < kSideways || Drawn(above) || !Drawn(below)) return;
    bool inside = false;
    float last = height - kInward;
    for (float h = height - kInward; h <= kHighest; h += kStep) {
      float pixel[2];
      if (!(at(h, pixel) > 0)) return;
      const int value = Matte(pixel);
      if (value < 0) return;  // the picture ends first
      if (value >= 128) {
        inside = true;
        last = h;
      } else if (inside && h - last > kSpeck) {
        break;
      }
    }
    if (last > kHighest - kSpeck) return;  // no end in sight: a wall, a shoulder, another head
    *end = last + 0.5f * kStep;
    if (*end < 0) {
      const float hairy = std::max(kBelieved * *end, -kFlattest);
      *end = hairy + view_.bare * (*end - hairy);
    }
    *weight = view_.weight * (inside ? 1.0f : 0.3f);
  }

 private:
  // −1 outside the photo.
  int Matte(const float pixel[2]) const {
    const int x = static_cast<int>(std::floor(pixel[0])),
              y = static_cast<int>(std::floor(pixel[1]));
    if (x < 0 || y < 0 || x >= view_.camera.width || y >= view_.camera.height) return -1;
    return view_.matte[static_cast<size_t>(y) * view_.camera.width + x];
  }

  bool Drawn(const float pixel[2]) const {
    const float scale = coarse_.focal / view_.camera.focal;
    const int x = static_cast<int>(std::floor(pixel[0] * scale)),
              y = static_cast<int>(std::floor(pixel[1] * scale));
    if (x < 0 || y < 0 || x >= coarse_.width || y >= coarse_.height) return false;
    return std::isfinite(depth_[static_cast<size_t>(y) * coarse_.width + x]);
  }

  const HairView& view_;
  Camera coarse_;
  const float* depth_;
};

// What one side's outline says holds for the other where that was not seen itself.
void ShareWithMirror(const HeadModel& model, const Shell& shell, Evidence* evidence) {
  if (model.mirror.size() != model.position_count) return;
  const Evidence seen = *evidence;
  for (size_t i = 0; i < shell.size(); ++i) {
    const int m = shell.of[model.mirror[shell.vertex[i]]];
    if (m < 0 || static_cast<size_t>(m) == i) continue;
    evidence->weight[i] += kMirrored * seen.weight[static_cast<size_t>(m)];
    evidence->height[i] += kMirrored * seen.height[static_cast<size_t>(m)];
  }
}

// Heights that agree with the evidence and with each other: Gauss–Seidel in alternating order.
Status Settle(const Shell& shell, const Evidence& evidence, const TaskControl& control,
              std::vector<float>* height) {
  const size_t n = shell.size();
  // Edges one after the other, and what no round changes.
  std::vector<Shell::Edge> edges;
  std::vector<uint32_t> first(1, 0);
  std::vector<float> weight;
  for (size_t i = 0; i < n; ++i) {
    weight.push_back(kSeen * evidence.weight[i] + kStay + (shell.rim[i] ? kRim : 0));
    for (const Shell::Edge& edge : shell.edges[i]) {
      edges.push_back({edge.to, kSmooth * edge.weight});
      weight[i] += kSmooth * edge.weight;
    }
    first.push_back(static_cast<uint32_t>(edges.size()));
  }
  for (int round = 0; round < kRounds; ++round) {
    DAF_RETURN_IF_ERROR(control.Check());
    float moved = 0;
    for (size_t step = 0; step < n; ++step) {
      const size_t i = round % 2 == 0 ? step : n - 1 - step;
      float sum = kSeen * evidence.height[i];
      for (uint32_t e = first[i]; e < first[i + 1]; ++e)
        sum += edges[e].weight * (*height)[edges[e].to];
      const float next = std::clamp(sum / weight[i], -shell.room[i], kHighest);
      moved = std::max(moved, std::abs(next - (*height)[i]));
      (*height)[i] = next;
    }
    if (moved < kStill) break;
  }
  return Status::Ok();
}

bool Finite(const float* from, size_t count) {
  return std::all_of(from, from + count, [](float value) { return std::isfinite(value); });
}

Status CheckArguments(const float* positions, size_t values, const HairView* views,
                      int view_count) {
  if (!Finite(positions, values))
    return Status(Code::kBadArgument, "hair: a position is not finite");
  for (int v = 0; v < view_count; ++v) {
    const Camera& camera = views[v].camera;
    if (!(views[v].weight > 0) || !(views[v].weight <= kHeaviest)) {
      return Status(Code::kBadArgument,
                    "hair: a photo's weight must be positive and at most a million");
    }
    if (!(views[v].bare >= 0) || !(views[v].bare <= 1)) {
      return Status(Code::kBadArgument, "hair: how bare a scalp is lies between 0 and 1");
    }
    if (!Finite(camera.rotation, 9) || !Finite(camera.translation, 3) ||
        !Finite(camera.center, 2) || !(camera.focal > 0) || !std::isfinite(camera.focal) ||
        camera.width <= 0 || camera.height <= 0 || views[v].matte == nullptr) {
      return Status(Code::kBadArgument, "hair: a photo's camera is none");
    }
  }
  return Status::Ok();
}

}  // namespace

Status FitHair(const HeadModel& model, const float* positions, const HairView* views,
               int view_count, Arena& arena, const TaskControl& control, float* displacement) {
  const size_t values = size_t{model.position_count} * 3;
  std::fill_n(displacement, values, 0.0f);
  DAF_RETURN_IF_ERROR(CheckArguments(positions, values, views, view_count));
  Shell shell;
  DAF_RETURN_IF_ERROR(Connect(model, positions, control, &shell));
  if (shell.size() == 0 || view_count <= 0) return Status::Ok();
  DAF_RETURN_IF_ERROR(FindDirections(model, positions, arena, &shell));
  DAF_RETURN_IF_ERROR(FindRoom(model, positions, control, &shell));
  float* moved = nullptr;
  DAF_RETURN_IF_ERROR(arena.Allocate(values, &moved));
  float *projected = nullptr, *depth = nullptr;
  DAF_RETURN_IF_ERROR(arena.Allocate(values, &projected));
  DAF_RETURN_IF_ERROR(arena.Allocate(size_t{kDrawn} * kDrawn, &depth));

  std::vector<float> height(shell.size(), 0);
  const auto place = [&](float* out, bool whole) {
    if (whole) std::copy_n(positions, values, out);
    for (size_t i = 0; i < shell.size(); ++i) {
      for (size_t k = 0; k < 3; ++k) {
        const size_t at = 3 * size_t{shell.vertex[i]} + k;
        out[at] = (whole ? positions[at] : 0) + height[i] * shell.outward[3 * i + k];
      }
    }
  };
  // What is on the outline changes as the hair rises.
  for (int pass = 0; pass < kPasses; ++pass) {
    place(moved, true);
    Evidence evidence{std::vector<float>(shell.size(), 0), std::vector<float>(shell.size(), 0)};
    for (int v = 0; v < view_count; ++v) {
      DAF_RETURN_IF_ERROR(control.Check());
      const Outline outline(views[v], WholeMesh(model, moved), projected, depth);
      for (size_t i = 0; i < shell.size(); ++i) {
        if (shell.inside[i] <= 0) continue;
        float end = 0, weight = 0;
        outline.Look(positions + 3 * size_t{shell.vertex[i]}, shell.outward.data() + 3 * i,
                     height[i], &end, &weight);
        weight *= shell.inside[i];
        evidence.weight[i] += weight;
        evidence.height[i] += weight * end;
      }
    }
    ShareWithMirror(model, shell, &evidence);
    DAF_RETURN_IF_ERROR(Settle(shell, evidence, control, &height));
  }
  place(displacement, false);
  return Status::Ok();
}

}  // namespace daf::head
