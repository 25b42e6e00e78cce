#include "native/head/model/skin.h"

#include <algorithm>

namespace daf::head {
namespace {

using T = SkinTemplate;
constexpr int kRelaxations = 14;

}  // namespace

SkinWrap::SkinWrap(const SkinTemplate& skin, const HeadMeasures& mean) : skin_(skin) {
  on_surface_.assign(skin.count, true);
  pinned_.assign(skin.count, false);
  auto build = [&](const RingPatch& patch, size_t first, bool pole) {
    for (size_t k = first; k < patch.rings.size(); ++k) {
      for (uint32_t v : patch.rings[k]) on_surface_[v] = false;
    }
    if (pole) on_surface_[patch.pole] = false;
  };
  for (int side : {0, 1}) {
    build(skin.eye[side], 5, true);
    build(skin.ear[side], 1, true);
  }
  build(skin.mouth, 3, true);
  for (uint32_t v = 0; v < skin.count; ++v) pinned_[v] = !on_surface_[v];
  for (int c = -T::kColumns; c <= T::kColumns; ++c) pinned_[skin.Grid(0, c)] = true;
  pinned_[skin.Grid(T::kRows, 0)] = true;

  const Sdf field = MakeHeadField(mean);
  std::vector<Vec3> p = skin.start;
  for (uint32_t v = 0; v < skin.count; ++v) {
    if (on_surface_[v] && skin.mirror[v] >= v) p[v] = field.Project(p[v]);
  }
  MirrorLeft(&p);
  BuildLids(mean, field, true, &p);
  BuildLips(mean, field, &p);
  for (int i = 0; i < kRelaxations; ++i) Relax(field, &p);
  BuildLips(mean, field, &p);
  BuildEars(mean, field, &p);
  MirrorLeft(&p);
  mean_ = p;

  normal_.resize(skin.count);
  slope_.assign(skin.count, 1);
  value_.assign(skin.count, 0);
  for (uint32_t v = 0; v < skin.count; ++v) {
    if (!on_surface_[v]) continue;
    const Vec3 g = field.Gradient(p[v]);
    slope_[v] = std::max(0.3, Length(g));
    normal_[v] = Normalised(g);
    value_[v] = field(p[v]);
  }
}

// Left is computed, right copied: the pair is then exact whatever the field's rounding.
void SkinWrap::MirrorLeft(std::vector<Vec3>* p) const {
  for (uint32_t v = 0; v < skin_.count; ++v) {
    const uint32_t m = skin_.mirror[v];
    if (m == v) {
      (*p)[v].x = 0;
    } else if ((*p)[v].x < 0 || ((*p)[v].x == 0 && m < v)) {
      const Vec3 other = (*p)[m];
      if (skin_.start[v].x < 0) (*p)[v] = {-other.x, other.y, other.z};
    }
  }
}

void SkinWrap::Relax(const Sdf& field, std::vector<Vec3>* p) const {
  std::vector<Vec3> next = *p;
  for (uint32_t v = 0; v < skin_.count; ++v) {
    if (pinned_[v] || skin_.start[v].x < 0) continue;
    Vec3 sum;
    for (uint32_t n : skin_.neighbours[v]) sum = sum + (*p)[n];
    const Vec3 target = (1.0 / static_cast<double>(skin_.neighbours[v].size())) * sum;
    next[v] = field.Project(Mix((*p)[v], target, 0.5), 3);
  }
  *p = next;
  MirrorLeft(p);
}

std::vector<Vec3> SkinWrap::At(const HeadMeasures& measures) const {
  const Sdf field = MakeHeadField(measures);
  std::vector<Vec3> p = mean_;
  for (uint32_t v = 0; v < skin_.count; ++v) {
    if (!on_surface_[v] || skin_.start[v].x < 0) continue;
    const double change = field(mean_[v]) - value_[v];
    p[v] = p[v] - std::clamp(change / slope_[v], -1.5, 1.5) * normal_[v];
  }
  MirrorLeft(&p);
  BuildLids(measures, field, false, &p);
  BuildLips(measures, field, &p);
  BuildEars(measures, field, &p);
  MirrorLeft(&p);
  return p;
}

}  // namespace daf::head
