#include "native/mesh/packing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace daf::mesh {
namespace {

constexpr int32_t kFar = std::numeric_limits<int32_t>::max() / 4;

// Widens [low, high] of the columns under the segment from a to b.
void CoverEdge(const Point2& a, const Point2& b, int32_t gutter, Outline* out) {
  const Point2 &left = a[0] <= b[0] ? a : b, &right = a[0] <= b[0] ? b : a;
  const auto first = static_cast<int32_t>(std::floor(left[0])),
             last = static_cast<int32_t>(std::floor(right[0]));
  const float run = right[0] - left[0];
  const auto at = [&](float x) {
    const float t = run > 0 ? std::min(std::max((x - left[0]) / run, 0.0f), 1.0f) : 0.0f;
    return left[1] + (right[1] - left[1]) * t;
  };
  for (int32_t x = first; x <= last; ++x) {
    float y0 = at(static_cast<float>(x)), y1 = at(static_cast<float>(x + 1));
    if (run == 0) y1 = right[1];
    const auto low = static_cast<int32_t>(std::floor(std::min(y0, y1))),
               high = static_cast<int32_t>(std::floor(std::max(y0, y1))) + 1;
    for (int32_t column = x; column <= x + 2 * gutter; ++column) {
      const auto c = static_cast<size_t>(column);
      out->low[c] = std::min(out->low[c], low);
      out->high[c] = std::max(out->high[c], high + 2 * gutter);
    }
  }
}

// How high an outline comes to lie at x, and the texels left empty below it.
int32_t Rest(const Outline& outline, const std::vector<int32_t>& horizon, size_t x,
             int64_t* empty) {
  int32_t y = 0;
  for (size_t i = 0; i < outline.low.size(); ++i) {
    if (outline.high[i] > outline.low[i]) y = std::max(y, horizon[x + i] - outline.low[i]);
  }
  *empty = 0;
  for (size_t i = 0; i < outline.low.size(); ++i) {
    if (outline.high[i] > outline.low[i]) *empty += y + outline.low[i] - horizon[x + i];
  }
  return y;
}

}  // namespace

Outline OutlineOf(const std::vector<Triangle2>& triangles, int32_t gutter) {
  float right = 0;
  for (const Triangle2& t : triangles) {
    for (const Point2& p : t) right = std::max(right, p[0]);
  }
  const size_t width = static_cast<size_t>(std::floor(right)) + 1 + 2 * static_cast<size_t>(gutter);
  Outline out;
  out.low.assign(width, kFar);
  out.high.assign(width, -kFar);
  for (const Triangle2& t : triangles) {
    for (size_t k = 0; k < 3; ++k) CoverEdge(t[k], t[(k + 1) % 3], gutter, &out);
  }
  for (const int32_t high : out.high) out.height = std::max(out.height, high);
  return out;
}

Status PackOutlines(const std::vector<Outline>& outlines, int32_t size, const TaskControl& control,
                    bool* fits, std::vector<Place>* places) {
  *fits = false;
  places->assign(outlines.size(), {0, 0});
  std::vector<size_t> order(outlines.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return outlines[a].height > outlines[b].height; });
  std::vector<int32_t> horizon(static_cast<size_t>(size), 0);
  for (const size_t index : order) {
    DAF_RETURN_IF_ERROR(control.Check());
    const Outline& outline = outlines[index];
    if (outline.low.size() > horizon.size()) return Status::Ok();
    int64_t least = std::numeric_limits<int64_t>::max(), empty;
    Place best = {-1, 0};
    for (size_t x = 0; x + outline.low.size() <= horizon.size(); ++x) {
      const int32_t y = Rest(outline, horizon, x, &empty);
      // A row higher is as bad as 64 texels left empty.
      const int64_t cost = int64_t{64} * (y + outline.height) + empty;
      if (y + outline.height > size || cost >= least) continue;
      least = cost;
      best = {static_cast<int32_t>(x), y};
    }
    if (best.x < 0) return Status::Ok();
    (*places)[index] = best;
    for (size_t i = 0; i < outline.low.size(); ++i) {
      int32_t& top = horizon[static_cast<size_t>(best.x) + i];
      if (outline.high[i] > outline.low[i]) top = std::max(top, best.y + outline.high[i]);
    }
  }
  *fits = true;
  return Status::Ok();
}

}  // namespace daf::mesh
