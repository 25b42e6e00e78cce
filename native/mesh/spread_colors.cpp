#include "native/mesh/spread_colors.h"

#include "native/mesh/vector.h"

namespace daf::mesh {
namespace {
constexpr int kEvenings = 24;
}  // namespace

Status SpreadColors(const Mesh& mesh, const std::vector<bool>& known, const TaskControl& control,
                    std::vector<Point>* colors) {
  std::vector<bool> reached = known;
  std::vector<Point> sums(colors->size());
  std::vector<uint32_t> counts(colors->size());
  // Each vertex that is not known takes the mean of its neighbours that are reached.
  const auto step = [&](bool again) {
    std::fill(sums.begin(), sums.end(), Point{0, 0, 0});
    std::fill(counts.begin(), counts.end(), 0u);
    for (const Triangle& t : mesh.triangles) {
      for (size_t k = 0; k < 3; ++k) {
        const uint32_t from = t[k], to = t[(k + 1) % 3];
        if (!reached[from] || known[to] || (reached[to] && !again)) continue;
        sums[to] = Along(sums[to], 1, (*colors)[from]);
        ++counts[to];
      }
    }
    bool changed = false;
    for (size_t v = 0; v < counts.size(); ++v) {
      if (counts[v] == 0) continue;
      (*colors)[v] = Along({0, 0, 0}, 1.0f / static_cast<float>(counts[v]), sums[v]);
      reached[v] = changed = true;
    }
    return changed;
  };
  do {
    DAF_RETURN_IF_ERROR(control.Check());
  } while (step(false));
  for (int i = 0; i < kEvenings; ++i) {
    DAF_RETURN_IF_ERROR(control.Check());
    step(true);
  }
  return Status::Ok();
}

}  // namespace daf::mesh
