// Shape modes. A mode changes measures (finite differences of the wrapped field), or moves regions
// of the head, or both: a longer nose is a different field, and its vertices travel with the tip.
// The spreads are those of adults in the published tables (one standard deviation; half of it for
// one side of a width).
#include <cmath>
#include <functional>

#include "native/head/model/build.h"

namespace daf::head {
namespace {

// Motion of a place on the subject's left half, for a coefficient of 1.
using Motion = std::function<Vec3(Vec3)>;

double Bell(Vec3 p, Vec3 c, Vec3 w) {
  const double x = (p.x - c.x) / w.x, y = (p.y - c.y) / w.y, z = (p.z - c.z) / w.z;
  return std::exp(-0.5 * (x * x + y * y + z * z));
}

// 1 within `core` of the centre, 0 beyond `reach`: moves a region as a whole.
double Rigid(Vec3 p, Vec3 c, double core, double reach) {
  return 1 - SmoothStep(core, reach, Length(p - c));
}

Motion Move(Vec3 center, Vec3 widths, Vec3 by) {
  return [=](Vec3 p) { return Bell(p, center, widths) * by; };
}

double HairMode(const std::string& name, const HeadBuild& b, size_t i) {
  const HairShell& h = b.hair;
  if (name == "hair_volume") return 0.36 * h.thick[i] + 0.02;
  if (name == "hair_top") return 0.55 * h.inside[i] * SmoothStep(5.5, 10, h.mesh.positions[i].y);
  return 0;
}

struct Recipe {
  const char* name;
  std::function<void(HeadMeasures&, double)>
      measure;    // may be empty; the second argument is the coefficient
  Motion motion;  // may be empty
};

const Vec3 kEye = {3.05, 0, 0.6}, kTip = {0, -3.8, 3.9}, kMouth = {0, -6.9, 2.2},
           kChin = {0, -10.3, 1.6}, kEar = {7.6, -1.2, -8.6};

std::vector<Recipe> Recipes() {
  using M = HeadMeasures;
  const Motion none;
  auto face_front = [](Vec3 p) {
    return SmoothStep(-11.5, -7, p.z) * SmoothStep(5.5, 2.0, p.y) * SmoothStep(-15, -11, p.y);
  };
  return {
      // Whole head
      {"face_width",
       {},
       [=](Vec3 p) {
         return Vec3{0.034 * p.x * face_front(p), 0, 0};
       }},
      {"lower_face_height",
       {},
       [](Vec3 p) {
         return Vec3{0,
                     -0.42 * SmoothStep(-4.6, -11.2, p.y) * SmoothStep(-13, -5, p.z) -
                         0.25 * SmoothStep(-9, -13, p.y) * SmoothStep(-5, -13, p.z),
                     0};
       }},
      {"mid_face_height",
       {},
       [](Vec3 p) {
         return Vec3{0, -0.34 * SmoothStep(0.6, -4.8, p.y) * SmoothStep(-13, -4, p.z), 0};
       }},
      {"head_width",
       {},
       [](Vec3 p) {
         return Vec3{0.037 * p.x * SmoothStep(-4, 3, p.y) * SmoothStep(1, -6, p.z), 0, 0};
       }},
      {"head_length",
       {},
       [](Vec3 p) {
         return Vec3{0, 0, -0.60 * SmoothStep(-5, -16, p.z) * SmoothStep(-9, 0, p.y)};
       }},
      {"head_height",
       {},
       [](Vec3 p) {
         return Vec3{0, 0.55 * SmoothStep(2.5, 11.5, p.y), 0};
       }},
      {"occiput_fullness", [](M& m, double c) { m.occiput += 0.45 * c; }, none},
      {"forehead_slope", [](M& m, double c) { m.forehead_slope += 0.45 * c; },
       [](Vec3 p) {
         return Vec3{0, 0, -0.30 * SmoothStep(2.5, 8.5, p.y) * SmoothStep(-6, 0, p.z)};
       }},
      {"forehead_bulge", [](M& m, double c) { m.forehead_bulge += 0.20 * c; }, none},
      {"forehead_width",
       {},
       [](Vec3 p) {
         return Vec3{0.20 * Bell(p, {5.2, 4.2, -1.2}, {2.2, 2.6, 3.0}), 0, 0};
       }},
      {"temple_depth", [](M& m, double c) { m.temple_depth += 0.13 * c; }, none},
      // Brows and eyes
      {"brow_ridge", [](M& m, double c) { m.brow_ridge += 0.13 * c; }, none},
      {"brow_height", {}, Move({2.8, 2.1, 1.6}, {2.4, 0.75, 1.6}, {0, 0.20, 0})},
      {"eye_spacing",
       {},
       [](Vec3 p) {
         return Vec3{0.13 * Rigid(p, kEye, 1.9, 3.6), 0, 0};
       }},
      {"eye_height",
       {},
       [](Vec3 p) {
         return Vec3{0, 0.14 * Rigid(p, kEye, 1.9, 3.4), 0};
       }},
      {"eye_depth",
       {},
       [](Vec3 p) {
         return Vec3{0, 0, 0.13 * Rigid(p, {3.05, 0, 0.3}, 1.7, 2.9)};
       }},
      {"eye_width",
       [](M& m, double c) {
         m.eye_inner += 0.055 * c;
         m.eye_outer += 0.060 * c;
       },
       [](Vec3 p) {
         return Vec3{0.055 * (Bell(p, {4.6, 0, 0.2}, {0.5, 0.6, 0.8}) -
                              Bell(p, {1.55, -0.1, 0.7}, {0.35, 0.5, 0.8})),
                     0, 0};
       }},
      {"eye_opening",
       [](M& m, double c) {
         m.eye_upper += 0.045 * c;
         m.eye_lower += 0.025 * c;
       },
       Move({3.1, 0.75, 1.2}, {1.1, 0.25, 0.6}, {0, 0.02, 0})},
      {"eye_tilt", [](M& m, double c) { m.eye_tilt += 0.09 * c; },
       Move({4.6, 0.1, 0.2}, {0.6, 0.6, 0.8}, {0, 0.07, 0})},
      {"lid_fold", [](M& m, double c) { m.lid_fullness += 0.075 * c; }, none},
      {"under_eye_hollow", [](M& m, double c) { m.under_eye += 0.05 * c; }, none},
      // Nose
      {"nose_length",
       {},
       [](Vec3 p) {
         return Vec3{0,
                     -0.30 * SmoothStep(-0.6, -3.4, p.y) * SmoothStep(3.0, 1.3, p.x) *
                         SmoothStep(-6.2, -4.7, p.y) * SmoothStep(0.2, 1.9, p.z),
                     0};
       }},
      {"nose_width", [](M& m, double c) { m.nose_wing_width += 0.05 * c; },
       Move({1.45, -4.1, 2.3}, {0.75, 0.8, 1.0}, {0.10, 0, 0})},
      {"nose_wing_size", [](M& m, double c) { m.nose_wing_size += 0.05 * c; }, none},
      {"nose_bridge_width", [](M& m, double c) { m.nose_bridge_width += 0.055 * c; }, none},
      {"nose_bridge_height",
       [](M& m, double c) {
         m.nose_bridge_height += 0.16 * c;
         m.nose_root += 0.12 * c;
       },
       none},
      {"nose_hump", [](M& m, double c) { m.nose_hump += 0.10 * c; }, none},
      {"nose_root_depth", [](M& m, double c) { m.nose_root -= 0.13 * c; }, none},
      {"nose_tip_height", {}, Move(kTip, {1.2, 0.8, 1.2}, {0, 0.20, 0.02})},
      {"nose_tip_projection", {}, Move({0, -3.9, 3.9}, {1.5, 1.1, 1.3}, {0, 0, 0.24})},
      {"nose_tip_size", [](M& m, double c) { m.nose_tip_size += 0.06 * c; }, none},
      // Mouth
      {"mouth_width",
       {},
       [](Vec3 p) {
         return Vec3{0.075 * p.x * Bell(p, {0, -6.9, 1.8}, {2.6, 1.5, 2.0}), 0, 0};
       }},
      {"mouth_height", {}, Move(kMouth, {3.0, 1.0, 2.2}, {0, 0.17, 0})},
      {"mouth_corner_lift", [](M& m, double c) { m.mouth_corner += 0.025 * c; },
       Move({2.9, -6.9, 1.0}, {1.2, 1.1, 1.3}, {0, 0.10, 0})},
      {"lip_thickness_upper", [](M& m, double c) { m.lip_upper += 0.13 * c; },
       Move({0, -5.9, 2.8}, {1.7, 0.30, 0.9}, {0, 0.05, 0})},
      {"lip_thickness_lower", [](M& m, double c) { m.lip_lower += 0.13 * c; },
       Move({0, -8.0, 2.6}, {1.7, 0.30, 0.9}, {0, -0.05, 0})},
      {"lip_fullness", [](M& m, double c) { m.lip_fullness += 0.055 * c; },
       Move({0, -6.9, 2.9}, {1.9, 0.8, 1.0}, {0, 0, 0.07})},
      {"cupid_bow", [](M& m, double c) { m.cupid_bow += 0.05 * c; }, none},
      {"philtrum_depth", [](M& m, double c) { m.philtrum += 0.10 * c; }, none},
      {"muzzle_protrusion",
       {},
       [](Vec3 p) {
         return Vec3{0, 0, 0.26 * Bell(p, {0, -6.9, 1.9}, {2.9, 2.0, 2.6})};
       }},
      // Jaw, chin, cheeks
      {"jaw_width", [](M& m, double c) { m.jaw_half_width += 0.20 * c; },
       [](Vec3 p) {
         return Vec3{0.10 * Bell(p, {5.0, -7.6, -4.0}, {2.5, 2.6, 3.6}), 0, 0};
       }},
      {"jaw_angle_height", [](M& m, double c) { m.jaw_height += 0.35 * c; },
       Move({5.2, -7.6, -4.6}, {2.0, 2.0, 2.6}, {0, 0.14, 0})},
      {"chin_projection", [](M& m, double c) { m.chin_forward += 0.10 * c; },
       Move(kChin, {2.0, 1.4, 1.9}, {0, 0, 0.24})},
      {"chin_width", [](M& m, double c) { m.chin_width += 0.22 * c; },
       Move({1.6, -10.2, 1.2}, {1.1, 1.1, 1.4}, {0.08, 0, 0})},
      {"chin_height", {}, Move({0, -10.9, 1.0}, {2.6, 1.1, 2.6}, {0, -0.26, 0})},
      {"chin_cleft", [](M& m, double c) { m.chin_cleft += 0.035 * c; }, none},
      {"cheekbone_prominence", [](M& m, double c) { m.cheekbone += 0.22 * c; }, none},
      {"cheekbone_width", [](M& m, double c) { m.cheekbone_width += 0.17 * c; }, none},
      {"cheek_fullness", [](M& m, double c) { m.cheek_fullness += 0.33 * c; }, none},
      {"nasolabial_depth", [](M& m, double c) { m.nasolabial += 0.05 * c; }, none},
      // Ears and neck
      {"ear_size",
       {},
       [](Vec3 p) {
         const double w = SmoothStep(4.8, 7.2, p.x) * Rigid(p, kEar, 3.2, 5.0);
         return 0.065 * w * Vec3{0, p.y - kEar.y, p.z - kEar.z};
       }},
      {"ear_protrusion", [](M& m, double c) { m.ear_protrusion += 0.65 * c; }, none},
      {"ear_lobe", {}, Move({7.2, -3.7, -8.4}, {1.4, 0.9, 1.2}, {0.02, -0.26, 0})},
      {"ear_height",
       {},
       [](Vec3 p) {
         return Vec3{0, 0.26 * Rigid(p, kEar, 3.3, 5.4) * SmoothStep(4.5, 6.8, p.x), 0};
       }},
      {"neck_width", [](M& m, double c) { m.neck_half_width += 0.28 * c; }, none},
      {"neck_length",
       {},
       [](Vec3 p) {
         return Vec3{0, -0.9 * SmoothStep(-11.5, -19.5, p.y), 0};
       }},
      {"larynx", [](M& m, double c) { m.larynx += 0.10 * c; }, none},
      {"double_chin", [](M& m, double c) { m.double_chin += 0.28 * c; }, none},
  };
}

// Skin between the field's and the built rings goes partly with each; then the whole motion is
// smoothed, so that no triangle at the border of two rules turns over.
void Blend(const HeadBuild& b, std::vector<Vec3>* delta) {
  auto follow = [&](const RingPatch& patch, size_t built, const std::vector<double>& shares) {
    for (size_t k = 0; k < shares.size(); ++k) {
      for (size_t i = 0; i < patch.around(); ++i) {
        Vec3& d = (*delta)[patch.rings[k + 1][i]];
        d = Mix(d, (*delta)[patch.rings[built][i]], shares[k]);
      }
    }
  };
  for (int side : {0, 1}) follow(b.skin.eye[side], 5, {0.12, 0.34, 0.60, 0.84});
  follow(b.skin.mouth, 3, {0.36, 0.72});
  for (int pass = 0; pass < 3; ++pass) {
    const std::vector<Vec3> from = *delta;
    for (uint32_t v = 0; v < b.skin.count; ++v) {
      Vec3 sum;
      for (uint32_t n : b.skin.neighbours[v]) sum = sum + from[n];
      (*delta)[v] =
          Mix(from[v], (1.0 / static_cast<double>(b.skin.neighbours[v].size())) * sum, 0.5);
    }
  }
}

void AddMotion(const HeadBuild& b, const Motion& motion, std::vector<Vec3>* delta) {
  for (uint32_t v = 0; v < b.first_hair; ++v) {
    const bool right = b.positions[v].x < 0;
    // An eyeball goes as one; everything else goes where it is.
    const bool eye = v >= b.first_eye[0] && v < b.first_teeth[0];
    if (right) continue;
    const Vec3 at = eye ? SkinWrap::EyeCenter(b.mean) + Vec3{0, 0, 0.6} : b.positions[v];
    (*delta)[v] = (*delta)[v] + motion(at);
  }
}

// Hair lies on the scalp and goes where it goes.
void CarryHair(const HeadBuild& b, std::vector<Vec3>* delta) {
  for (size_t i = 0; i < b.hair.scalp.size(); ++i)
    (*delta)[b.first_hair + i] = (*delta)[b.hair.scalp[i]];
}

void AddHairModes(const HeadBuild& b, std::vector<Mode>* modes) {
  auto add = [&](const char* name, const std::function<Vec3(size_t, Vec3 normal, Vec3 p)>& motion) {
    Mode mode{name, std::vector<Vec3>(b.positions.size())};
    for (size_t i = 0; i < b.hair.scalp.size(); ++i) {
      mode.delta[b.first_hair + i] =
          motion(i, b.normals[b.hair.scalp[i]], b.positions[b.first_hair + i]);
    }
    b.MirrorMotion(&mode.delta);
    modes->push_back(std::move(mode));
  };
  const HairShell& h = b.hair;
  for (const char* name : {"hair_volume", "hair_top"}) {
    add(name, [&, name](size_t i, Vec3 n, Vec3) { return HairMode(name, b, i) * n; });
  }
  // A standard deviation is 5 cm of hanging hair.
  add("hair_length", [&](size_t i, Vec3 n, Vec3) {
    return h.low[i] * (Vec3{0, -5.0, 0} + 0.35 * n);
  });
  add("hair_fringe", [&](size_t i, Vec3 n, Vec3) {
    return h.front[i] * (Vec3{0, -0.75, 0.1} + 0.05 * n);
  });
  add("hair_recede", [&](size_t i, Vec3 n, Vec3) { return -0.32 * h.front[i] * n; });
  add("hair_bun", [&](size_t i, Vec3 n, Vec3 p) {
    return 1.1 * Bell(p, {0, 7.5, -14.5}, {2.2, 2.2, 2.6}) * h.inside[i] * n;
  });
}

}  // namespace

std::vector<Mode> IdentityModes(const HeadBuild& b) {
  std::vector<Mode> modes;
  for (const Recipe& recipe : Recipes()) {
    Mode mode{recipe.name, std::vector<Vec3>(b.positions.size())};
    if (recipe.measure) {
      // Half a standard deviation each way: differences of the field, not of its creases.
      HeadMeasures more = b.mean, less = b.mean;
      recipe.measure(more, 0.5);
      recipe.measure(less, -0.5);
      const std::vector<Vec3> high = b.wrap.At(more), low = b.wrap.At(less);
      for (uint32_t v = 0; v < b.skin.count; ++v) mode.delta[v] = high[v] - low[v];
      Blend(b, &mode.delta);
    }
    if (recipe.motion) AddMotion(b, recipe.motion, &mode.delta);
    CarryHair(b, &mode.delta);
    b.MirrorMotion(&mode.delta);
    modes.push_back(std::move(mode));
  }
  AddHairModes(b, &modes);
  return modes;
}

}  // namespace daf::head
