// ARKit's blend shapes on the embedded head. The jaw turns about its joint, lids close over the
// ball, the rest are regions that muscles pull.
#include <algorithm>
#include <cmath>
#include <functional>

#include "native/head/model/build.h"

namespace daf::head {
namespace {

constexpr double kPi = 3.14159265358979323846;

double Bell(Vec3 p, Vec3 c, Vec3 w) {
  const double x = (p.x - c.x) / w.x, y = (p.y - c.y) / w.y, z = (p.z - c.z) / w.z;
  return std::exp(-0.5 * (x * x + y * y + z * z));
}

Vec3 TurnX(Vec3 p, Vec3 pivot, double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  const Vec3 d = p - pivot;
  return pivot + Vec3{d.x, c * d.y - s * d.z, s * d.y + c * d.z};
}

Vec3 TurnY(Vec3 p, Vec3 pivot, double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  const Vec3 d = p - pivot;
  return pivot + Vec3{c * d.x + s * d.z, d.y, -s * d.x + c * d.z};
}

// What every vertex knows of the mouth: how much the lower jaw carries it, and whether it is a lip.
struct Face {
  std::vector<double> jaw;
  std::vector<double> upper_lip, lower_lip;  // 1 on the lips' front, fading over the skin around
};

constexpr Vec3 kJoint = {0, -1.7, -7.0};

// On the skin: the angle below the line from the joint to the mouth decides, sharply at the lips,
// softly at the cheek.
double JawShare(Vec3 p) {
  const double angle = std::atan2(p.y - kJoint.y, p.z - kJoint.z) * 180 / kPi;
  const double soft = 5 + 9 * SmoothStep(0.5, 5.5, std::abs(p.x));
  const double below = SmoothStep(-31 + soft, -31 - soft, angle);
  const double front = SmoothStep(-9.5, -4.5, p.z), above_throat = SmoothStep(-15.5, -11.3, p.y);
  return below * front * above_throat;
}

Face Describe(const HeadBuild& b) {
  Face f;
  const size_t count = b.positions.size();
  f.jaw.assign(count, 0);
  f.upper_lip.assign(count, 0);
  f.lower_lip.assign(count, 0);
  for (uint32_t v = 0; v < b.skin.count; ++v) f.jaw[v] = JawShare(b.positions[v]);
  const RingPatch& mouth = b.skin.mouth;
  const size_t n = mouth.around(), half = n / 4;
  for (size_t k = 0; k < mouth.rings.size(); ++k) {
    for (size_t i = 0; i < n; ++i) {
      const uint32_t v = mouth.rings[k][i];
      const size_t from_top = std::min(i, n - i);
      const bool upper = from_top <= half;
      const double t = upper ? static_cast<double>(from_top) / half
                             : static_cast<double>(2 * half - from_top) / half;
      const double lip = upper ? 0.5 * std::pow(t, 6) : 1 - 0.5 * std::pow(t, 6);
      const double ring[] = {0, 0.35, 0.72};
      f.jaw[v] = Mix(f.jaw[v], lip, k < 3 ? ring[k] : 1);
      if (k >= 9)
        f.jaw[v] =
            Mix(lip, 0.5 - 0.5 * (upper ? 1 : -1) * 0.8, k == 9 ? 0.2 : 0.6) * (k == 11   ? 0.5
                                                                                : k == 10 ? 0.8
                                                                                          : 1);
      const double share = k == 0   ? 0.1
                           : k == 1 ? 0.3
                           : k == 2 ? 0.65
                           : k < 8  ? 1
                           : k == 8 ? 0.5
                                    : 0;
      (upper ? f.upper_lip : f.lower_lip)[v] = share * (1 - 0.75 * std::pow(t, 3));
    }
  }
  f.jaw[mouth.pole] = 0.2;
  for (size_t i = 0; i < b.teeth[1].positions.size(); ++i) f.jaw[b.first_teeth[1] + i] = 1;
  // The tongue goes with the floor of the mouth under it.
  for (size_t i = 0; i < b.tongue.mesh.positions.size(); ++i) {
    const uint32_t v = b.first_tongue + static_cast<uint32_t>(i);
    const double z = b.positions[v].z - b.mean.muzzle;
    f.jaw[v] = z > -1.6 ? Mix(0.75, 0.98, Clamp01((z + 1.6) / 1.75))
                        : Mix(0.47, 0.75, Clamp01((z + 3.6) / 2.0));
  }
  return f;
}

class Maker {
 public:
  explicit Maker(const HeadBuild& build) : b(build), face(Describe(build)) {}

  std::vector<Mode> modes;

  using Motion = std::function<Vec3(uint32_t v, Vec3 p)>;

  // Skin, teeth and tongue; hair goes with its scalp. Motions are for the whole head, not mirrored.
  void Add(const std::string& name, const Motion& motion) {
    Mode mode{name, std::vector<Vec3>(b.positions.size())};
    for (uint32_t v = 0; v < b.skin.count; ++v) mode.delta[v] = motion(v, b.positions[v]);
    for (uint32_t v = b.first_teeth[0]; v < b.first_hair; ++v) {
      if (face.jaw[v] > 0 && name.compare(0, 3, "jaw") == 0)
        mode.delta[v] = motion(v, b.positions[v]);
    }
    for (size_t i = 0; i < b.hair.scalp.size(); ++i)
      mode.delta[b.first_hair + i] = mode.delta[b.hair.scalp[i]];
    KeepOffEyes(&mode.delta);
    modes.push_back(std::move(mode));
  }

  // The same on the middle and both sides: motion is given for the left half.
  void AddBoth(const std::string& name, const Motion& motion) {
    Add(name, [&](uint32_t v, Vec3 p) {
      if (p.x >= 0) {
        Vec3 d = motion(v, p);
        if (b.mirror[v] == v) d.x = 0;
        return d;
      }
      const Vec3 d = motion(b.mirror[v], {-p.x, p.y, p.z});
      return Vec3{-d.x, d.y, d.z};
    });
  }

  // name + Left and name + Right: motion is given for the subject's left and may reach over the
  // midline.
  void AddSides(const std::string& name, const Motion& motion) {
    Add(name + "Left", motion);
    Add(name + "Right", [&](uint32_t v, Vec3 p) {
      const Vec3 d = motion(b.mirror[v], {-p.x, p.y, p.z});
      return Vec3{-d.x, d.y, d.z};
    });
  }

  void AddEyes();

  // The tongue alone: whoever shows it opens the jaw as well.
  void AddTongue() {
    Mode mode{"tongueOut", std::vector<Vec3>(b.positions.size())};
    std::copy(b.tongue.out.begin(), b.tongue.out.end(), mode.delta.begin() + b.first_tongue);
    modes.push_back(std::move(mode));
  }

  const HeadBuild& b;
  const Face face;

 private:
  // Skin that slides near an eye stays outside the ball.
  void KeepOffEyes(std::vector<Vec3>* delta) const {
    for (int side : {0, 1}) {
      Vec3 center = SkinWrap::EyeCenter(b.mean);
      if (side == 0) center.x = -center.x;
      const RingPatch& eye = b.skin.eye[side];
      for (size_t k = 1; k <= 6; ++k) {
        for (uint32_t v : eye.rings[k]) {
          const Vec3 d = b.positions[v] + (*delta)[v] - center;
          const double need =
              std::min(Length(b.positions[v] - center), kEyeRadius + (k == 6 ? 0.03 : 0.13));
          const double r = Length(d);
          if (r < need) (*delta)[v] = (*delta)[v] + (need - r) * Normalised(d);
        }
      }
    }
  }
  // Moves one eye's lids to another opening; rings of skin follow by their nearness.
  void AddLids(const std::string& name, int side, double upper, double lower);
};

void Maker::AddLids(const std::string& name, int side, double upper, double lower) {
  HeadMeasures m = b.mean;
  m.eye_upper = upper;
  m.eye_lower = lower;
  const std::vector<Vec3> moved = b.wrap.At(m);
  Mode mode{name, std::vector<Vec3>(b.positions.size())};
  const RingPatch& eye = b.skin.eye[side];
  Vec3 center = SkinWrap::EyeCenter(b.mean);
  if (side == 0) center.x = -center.x;
  for (size_t k = 5; k < eye.rings.size(); ++k) {
    for (uint32_t v : eye.rings[k]) mode.delta[v] = moved[v] - b.positions[v];
  }
  const double follow[] = {0, 0.10, 0.30, 0.56, 0.80};
  for (size_t i = 0; i < eye.around(); ++i) {
    const Vec3 margin = mode.delta[eye.rings[5][i]];
    for (size_t k = 1; k <= 4; ++k) {
      const uint32_t v = eye.rings[k][i];
      Vec3 d = b.positions[v] + follow[k] * margin - center;
      const double r = Length(d), least = kEyeRadius + 0.165 + 0.02 * static_cast<double>(4 - k);
      if (r < least) d = (least / r) * d;
      mode.delta[v] = center + d - b.positions[v];
    }
  }
  modes.push_back(std::move(mode));
}

void Maker::AddEyes() {
  const char* sides[] = {"Right", "Left"};
  const HeadMeasures& m = b.mean;
  for (int side : {1, 0})
    AddLids(std::string("eyeBlink") + sides[side], side, -0.72 * m.eye_lower, 0.78 * m.eye_lower);
  for (int side : {1, 0})
    AddLids(std::string("eyeWide") + sides[side], side, m.eye_upper + 0.17, m.eye_lower + 0.05);
  for (int side : {1, 0})
    AddLids(std::string("eyeSquint") + sides[side], side, m.eye_upper - 0.10, m.eye_lower - 0.24);
  const struct {
    const char* name;
    double x,
        y;  // radians of the gaze at weight 1: up, to the subject's left for the left eye's "Out"
  } looks[] = {{"eyeLookUp", 0.42, 0},
               {"eyeLookDown", -0.48, 0},
               {"eyeLookIn", 0, -0.52},
               {"eyeLookOut", 0, 0.52}};
  for (const auto& look : looks) {
    for (int side : {1, 0}) {
      Mode mode{std::string(look.name) + sides[side], std::vector<Vec3>(b.positions.size())};
      Vec3 center = SkinWrap::EyeCenter(m);
      const double sign = side == 1 ? 1 : -1;
      center.x *= sign;
      for (size_t i = 0; i < b.eyes[side].positions.size(); ++i) {
        const uint32_t v = b.first_eye[side] + static_cast<uint32_t>(i);
        mode.delta[v] =
            TurnY(TurnX(b.positions[v], center, -look.x), center, sign * look.y) - b.positions[v];
      }
      // Lids follow the gaze down and up.
      if (look.x != 0) {
        const RingPatch& eye = b.skin.eye[side];
        for (size_t k = 3; k <= 6; ++k) {
          for (uint32_t v : eye.rings[k]) {
            const Vec3 p = b.positions[v];
            const double share = (p.y > center.y ? 0.55 : 0.25) *
                                 Bell(p, center + Vec3{0, 0, 1.2}, {1.0, 2, 2}) *
                                 (k == 3   ? 0.4
                                  : k == 4 ? 0.75
                                           : 1);
            mode.delta[v] = TurnX(p, center, -share * look.x) - p;
          }
        }
      }
      modes.push_back(std::move(mode));
    }
  }
}

}  // namespace

std::vector<Mode> ExpressionModes(const HeadBuild& b) {
  Maker make(b);
  const Face& f = make.face;
  auto pull = [](Vec3 center, Vec3 widths, Vec3 by) {
    return [=](uint32_t, Vec3 p) { return Bell(p, center, widths) * by; };
  };
  auto corner = [](Vec3 p) { return Bell(p, {2.6, -6.9, 1.3}, {1.15, 1.1, 1.6}); };
  auto inner = [](uint32_t, Vec3 p) { return Bell(p, {0, -6.9, 2.2}, {2.4, 1.5, 1.8}); };

  make.AddSides("browDown", [](uint32_t, Vec3 p) {
    return Bell(p, {2.0, 1.9, 1.9}, {1.5, 0.9, 1.4}) * Vec3{-0.12, -0.42, 0.05};
  });
  make.AddBoth("browInnerUp", [](uint32_t, Vec3 p) {
    return Bell(p, {1.1, 2.1, 2.2}, {1.1, 1.1, 1.4}) * Vec3{0, 0.55, 0.02};
  });
  make.AddSides("browOuterUp", pull({3.9, 2.1, 1.2}, {1.3, 1.1, 1.5}, {0, 0.55, -0.05}));
  make.AddBoth("cheekPuff", [](uint32_t, Vec3 p) {
    return Bell(p, {4.0, -6.2, 0.0}, {1.5, 1.5, 1.7}) * Vec3{0.75, 0.05, 0.55};
  });
  make.AddSides("cheekSquint", pull({3.3, -2.4, 1.0}, {1.4, 1.0, 1.3}, {0.05, 0.38, 0.22}));
  make.AddEyes();
  make.Add("jawOpen", [&](uint32_t v, Vec3 p) {
    return f.jaw[v] * (TurnX(p, kJoint, 0.40) - p + Vec3{0, -0.1, 0.15});
  });
  make.Add("jawForward", [&](uint32_t v, Vec3) { return f.jaw[v] * Vec3{0, -0.05, 0.55}; });
  make.Add("jawLeft", [&](uint32_t v, Vec3 p) { return f.jaw[v] * (TurnY(p, kJoint, 0.065) - p); });
  make.Add("jawRight",
           [&](uint32_t v, Vec3 p) { return f.jaw[v] * (TurnY(p, kJoint, -0.065) - p); });
  make.AddBoth("mouthFunnel", [&](uint32_t v, Vec3 p) {
    const double w = inner(v, p);
    return w * Vec3{-0.34 * p.x, 0, 0.5} + f.upper_lip[v] * Vec3{0, 0.42, 0.15} +
           f.lower_lip[v] * Vec3{0, -0.50, 0.15};
  });
  make.AddBoth("mouthPucker", [&](uint32_t v, Vec3 p) {
    const double w = inner(v, p);
    return w * Vec3{-0.50 * p.x, -0.05 * (p.y + 6.9), 0.55};
  });
  make.Add("mouthLeft", [&](uint32_t v, Vec3 p) {
    return inner(v, p) * Vec3{0.65, 0, -0.04 * p.x};
  });
  make.Add("mouthRight", [&](uint32_t v, Vec3 p) {
    return inner(v, p) * Vec3{-0.65, 0, 0.04 * p.x};
  });
  make.AddBoth("mouthRollUpper", [&](uint32_t v, Vec3) {
    return f.upper_lip[v] * Vec3{0, -0.12, -0.28};
  });
  make.AddBoth("mouthRollLower", [&](uint32_t v, Vec3) {
    return f.lower_lip[v] * Vec3{0, 0.14, -0.28};
  });
  make.AddBoth("mouthShrugUpper", [&](uint32_t v, Vec3) {
    return f.upper_lip[v] * Vec3{0, 0.16, 0.14};
  });
  make.AddBoth("mouthShrugLower", [&](uint32_t v, Vec3 p) {
    return f.lower_lip[v] * Vec3{0, 0.20, 0.20} +
           Bell(p, {0, -9.6, 2.0}, {1.4, 0.9, 1.2}) * Vec3{0, 0.30, 0.06};
  });
  // Lips meet while the jaw is open: what jawOpen parted comes together again.
  make.AddBoth("mouthClose", [&](uint32_t v, Vec3 p) {
    const Vec3 open = TurnX(p, kJoint, 0.40) - p + Vec3{0, -0.1, 0.15};
    return f.lower_lip[v] * -0.55 * open + f.upper_lip[v] * 0.42 * open;
  });
  make.AddSides("mouthSmile", [&](uint32_t, Vec3 p) {
    return corner(p) * Vec3{0.55, 0.55, -0.30} +
           Bell(p, {3.6, -4.2, 0.9}, {1.3, 1.1, 1.2}) * Vec3{0.15, 0.28, 0.18};
  });
  make.AddSides("mouthFrown", [&](uint32_t, Vec3 p) {
    return corner(p) * Vec3{0.10, -0.60, -0.05};
  });
  make.AddSides("mouthDimple", [&](uint32_t, Vec3 p) {
    return corner(p) * Vec3{0.42, 0.08, -0.28};
  });
  make.AddSides("mouthStretch", [&](uint32_t, Vec3 p) {
    return corner(p) * Vec3{0.60, -0.30, -0.32};
  });
  make.AddSides("mouthPress", [&](uint32_t v, Vec3 p) {
    const double left = SmoothStep(-0.6, 1.4, p.x);
    return left * (f.upper_lip[v] * Vec3{0, -0.08, -0.12} + f.lower_lip[v] * Vec3{0, 0.10, -0.12}) +
           0.25 * corner(p) * Vec3{0.3, 0.1, -0.2};
  });
  make.AddSides("mouthUpperUp", [&](uint32_t v, Vec3 p) {
    return SmoothStep(-1.0, 1.2, p.x) * f.upper_lip[v] * Vec3{0.03, 0.42, 0.08} +
           Bell(p, {1.6, -5.2, 2.0}, {0.8, 0.8, 1.0}) * Vec3{0.05, 0.18, 0.05};
  });
  make.AddSides("mouthLowerDown", [&](uint32_t v, Vec3 p) {
    return SmoothStep(-1.0, 1.2, p.x) * f.lower_lip[v] * Vec3{0.05, -0.45, 0.05};
  });
  make.AddSides("noseSneer", [&](uint32_t, Vec3 p) {
    return Bell(p, {1.3, -3.7, 2.3}, {0.75, 0.9, 1.0}) * Vec3{0.06, 0.36, -0.02} +
           Bell(p, {1.0, -1.0, 1.9}, {0.7, 0.9, 0.9}) * Vec3{0, 0.14, 0.06};
  });
  make.AddTongue();
  return std::move(make.modes);
}

}  // namespace daf::head
