#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "native/head/model/build.h"
#include "native/head/model/builtin.h"

namespace daf::head {
namespace {

const HeadModel& Head() {
  static std::shared_ptr<const HeadModel> head;
  if (head == nullptr) {
    EXPECT_TRUE(BuiltinHead(&head).ok());
  }
  return *head;
}

Vec3 At(const std::vector<float>& p, uint32_t v) {
  return {p[3 * size_t{v}], p[3 * size_t{v} + 1], p[3 * size_t{v} + 2]};
}

std::vector<float> Shaped(const std::string& name, float value) {
  const HeadModel& head = Head();
  std::vector<float> alpha(head.identity_names.size(), 0), beta(head.expression_names.size(), 0);
  bool found = false;
  for (size_t i = 0; i < alpha.size(); ++i) {
    if (head.identity_names[i] == name) alpha[i] = value, found = true;
  }
  for (size_t i = 0; i < beta.size(); ++i) {
    if (head.expression_names[i] == name) beta[i] = value, found = true;
  }
  EXPECT_TRUE(name.empty() || found) << name;
  std::vector<float> out(head.mean.size());
  head.Shape(alpha.data(), alpha.size(), beta.data(), beta.size(), out.data());
  return out;
}

Vec3 Landmark(const std::vector<float>& p, size_t k) { return At(p, Head().landmarks[k]); }

const Part& PartNamed(const std::string& name) {
  for (const Part& part : Head().parts) {
    if (part.name == name) return part;
  }
  ADD_FAILURE() << "no part " << name;
  return Head().parts[0];
}

TEST(Head, IsAValidModelWithTheNamedParts) {
  EXPECT_TRUE(Head().Validate().ok());
  EXPECT_GE(Head().identity_names.size(), 50u);
  EXPECT_EQ(Head().expression_names.size(), 52u);
  for (const char* name : {"skin", "mouth", "socket", "eye_left", "eye_right", "teeth_upper",
                           "teeth_lower", "tongue", "hair"}) {
    EXPECT_GT(PartNamed(name).triangle_count, 0u);
  }
  EXPECT_EQ(
      std::set<std::string>(Head().identity_names.begin(), Head().identity_names.end()).size(),
      Head().identity_names.size());
}

// Skin, mouth lining and sockets are one surface: a disc whose only border is the neck base.
TEST(Head, SkinIsClosedButAtTheNeckBase) {
  const HeadModel& head = Head();
  std::map<std::pair<uint32_t, uint32_t>, int> directed;
  std::set<uint32_t> used;
  size_t faces = 0;
  for (const char* name : {"skin", "mouth", "socket"}) {
    const Part& part = PartNamed(name);
    for (size_t t = part.first_triangle; t < part.first_triangle + part.triangle_count; ++t) {
      ++faces;
      for (size_t k = 0; k < 3; ++k) {
        const uint32_t a = head.source[head.triangles[3 * t + k]],
                       b = head.source[head.triangles[3 * t + (k + 1) % 3]];
        ASSERT_NE(a, b);
        ASSERT_EQ(++directed[(std::make_pair(a, b))], 1) << "an edge runs twice the same way";
        used.insert(a);
      }
    }
  }
  size_t edges = 0, border = 0;
  for (const auto& [edge, count] : directed) {
    const bool open = directed.count({edge.second, edge.first}) == 0;
    if (open) {
      ++border;
      EXPECT_LT(At(head.mean, edge.first).y, -14);
    }
    if (open || edge.first < edge.second) ++edges;
  }
  EXPECT_EQ(border, 2u * SkinTemplate::kColumns);
  EXPECT_EQ(static_cast<long>(used.size()) - static_cast<long>(edges) + static_cast<long>(faces),
            1);  // Euler: a disc
}

TEST(Head, LeftAndRightAreMirrorImages) {
  const HeadModel& head = Head();
  auto check = [&](const float* p, const std::string& what) {
    for (uint32_t v = 0; v < head.position_count; ++v) {
      const float *a = p + 3 * size_t{v}, *b = p + 3 * size_t{head.mirror[v]};
      ASSERT_TRUE(a[0] == -b[0] && a[1] == b[1] && a[2] == b[2]) << what << " at " << v;
    }
  };
  check(head.mean.data(), "mean");
  for (size_t m = 0; m < head.identity_names.size(); ++m) {
    check(head.identity.data() + m * head.mean.size(), head.identity_names[m]);
  }
  // An expression's Left is the mirror image of its Right.
  std::map<std::string, size_t> index;
  for (size_t m = 0; m < head.expression_names.size(); ++m) index[head.expression_names[m]] = m;
  for (const auto& [name, m] : index) {
    std::string twin = name;
    if (const size_t at = twin.rfind("Left"); at != std::string::npos)
      twin.replace(at, 4, "Right");
    else if (const size_t to = twin.rfind("Right"); to != std::string::npos)
      twin.replace(to, 5, "Left");
    ASSERT_TRUE(index.count(twin)) << name;
    const float *a = head.expression.data() + m * head.mean.size(),
                *b = head.expression.data() + index[twin] * head.mean.size();
    for (uint32_t v = 0; v < head.position_count; ++v) {
      const uint32_t w = head.mirror[v];
      ASSERT_NEAR(a[3 * v], -b[3 * w], 1e-5) << name;
      ASSERT_NEAR(a[3 * v + 1], b[3 * w + 1], 1e-5) << name;
      ASSERT_NEAR(a[3 * v + 2], b[3 * w + 2], 1e-5) << name;
    }
  }
}

TEST(Head, LandmarksLieWhereTheirNamesSay) {
  const std::vector<float>& p = Head().mean;
  for (size_t k = 0; k < 8; ++k)
    EXPECT_EQ(Head().mirror[Head().landmarks[k]], Head().landmarks[16 - k]);
  EXPECT_LT(Landmark(p, 0).x, -6);                                 // the subject's right ear
  EXPECT_NEAR(Landmark(p, 45).x - Landmark(p, 36).x, 8.9, 0.25);   // outer eye corners
  EXPECT_NEAR(Landmark(p, 42).x - Landmark(p, 39).x, 3.25, 0.35);  // inner eye corners
  EXPECT_NEAR(Landmark(p, 54).x - Landmark(p, 48).x, 5.2, 0.3);    // mouth
  EXPECT_NEAR(Landmark(p, 27).y - Landmark(p, 33).y, 5.1, 0.4);    // nose
  EXPECT_NEAR(Landmark(p, 33).y - Landmark(p, 8).y, 6.6, 0.6);     // lower face
  EXPECT_NEAR(Landmark(p, 16).x - Landmark(p, 0).x, 13.6, 0.8);
  for (size_t k = 0; k < kLandmarks; ++k) {
    if (k == 30) continue;
    EXPECT_GT(Landmark(p, 30).z, Landmark(p, k).z);  // the tip of the nose is foremost
  }
  for (size_t k = 37; k <= 38; ++k) EXPECT_GT(Landmark(p, k).y, Landmark(p, 78 - k).y);
  EXPECT_GT(Landmark(p, 51).y, Landmark(p, 62).y);
  EXPECT_GE(Landmark(p, 62).y, Landmark(p, 66).y);
  EXPECT_GT(Landmark(p, 66).y, Landmark(p, 57).y);
  for (const auto& line : Head().contour) {
    ASSERT_GE(line.size(), 8u);
    EXPECT_GT(At(p, line.front()).z, At(p, line.back()).z);
  }
}

// No triangle collapses or turns over within 2.5 standard deviations of any single mode.
TEST(Head, NoTriangleFlipsOrDegenerates) {
  const HeadModel& head = Head();
  auto normal = [&](const std::vector<float>& p, size_t t) {
    const Vec3 a = At(p, head.source[head.triangles[3 * t]]),
               b = At(p, head.source[head.triangles[3 * t + 1]]),
               c = At(p, head.source[head.triangles[3 * t + 2]]);
    return Cross(b - a, c - a);
  };
  std::vector<Vec3> mean;
  for (size_t t = 0; t < head.triangle_count(); ++t) {
    mean.push_back(normal(head.mean, t));
    const Vec3 at = At(head.mean, head.source[head.triangles[3 * t]]);
    EXPECT_GT(Length(mean.back()), 1e-5)
        << "triangle " << t << " at " << at.x << " " << at.y << " " << at.z;
  }
  const Part& hair = PartNamed("hair");
  for (const std::string& name : head.identity_names) {
    for (float value : {-2.5f, 2.5f}) {
      const std::vector<float> p = Shaped(name, value);
      int flipped = 0;
      Vec3 where;
      for (size_t t = 0; t < head.triangle_count(); ++t) {
        // Hair is shown from both sides and may be drawn far down.
        if (t >= hair.first_triangle && t < hair.first_triangle + hair.triangle_count) continue;
        const Vec3 n = normal(p, t);
        const bool turned = Dot(n, mean[t]) <= 0.02 * Dot(mean[t], mean[t]);
        if (turned && flipped == 0) where = At(head.mean, head.source[head.triangles[3 * t]]);
        flipped += turned;
      }
      EXPECT_EQ(flipped, 0) << name << " at " << value << ", first near " << where.x << " "
                            << where.y << " " << where.z;
    }
  }
}

// Each mode moves what it is named after and leaves alone what it is not.
TEST(Head, ModesMoveWhatTheirNamesSay) {
  struct Claim {
    const char* mode;
    size_t moved;  // landmark that must move at least `by` along the axis (0 x, 1 y, 2 z) for +1
    int axis;
    double by;
    size_t still;  // landmark that must not move more than half a millimetre
  };
  const Claim claims[] = {{"face_width", 14, 0, 0.10, 30},
                          {"lower_face_height", 8, 1, -0.3, 27},
                          {"mid_face_height", 33, 1, -0.2, 27},
                          {"nose_length", 30, 1, -0.15, 16},
                          {"nose_width", 35, 0, 0.05, 27},
                          {"nose_tip_height", 30, 1, 0.12, 27},
                          {"nose_tip_projection", 30, 2, 0.15, 8},
                          {"nose_bridge_height", 28, 2, 0.05, 8},
                          {"nose_root_depth", 27, 2, -0.04, 57},
                          {"eye_spacing", 45, 0, 0.10, 8},
                          {"eye_height", 45, 1, 0.10, 8},
                          {"eye_opening", 43, 1, 0.04, 8},
                          {"eye_width", 45, 0, 0.04, 8},
                          {"eye_tilt", 45, 1, 0.05, 42},
                          {"brow_height", 24, 1, 0.12, 33},
                          {"mouth_width", 54, 0, 0.10, 45},
                          {"mouth_height", 57, 1, 0.10, 27},
                          {"lip_thickness_upper", 51, 1, 0.08, 57},
                          {"lip_thickness_lower", 57, 1, -0.08, 51},
                          {"mouth_corner_lift", 54, 1, 0.07, 30},
                          {"jaw_width", 12, 0, 0.08, 30},
                          {"chin_projection", 8, 2, 0.10, 30},
                          {"chin_height", 8, 1, -0.15, 51},
                          {"muzzle_protrusion", 62, 2, 0.15, 27}};
  const std::vector<float>& mean = Head().mean;
  for (const Claim& claim : claims) {
    const std::vector<float> p = Shaped(claim.mode, 1);
    const Vec3 d = Landmark(p, claim.moved) - Landmark(mean, claim.moved);
    const double along = claim.axis == 0 ? d.x : claim.axis == 1 ? d.y : d.z;
    EXPECT_GT(claim.by > 0 ? along : -along, std::abs(claim.by))
        << claim.mode << " moved " << d.x << " " << d.y << " " << d.z;
    EXPECT_LT(Length(Landmark(p, claim.still) - Landmark(mean, claim.still)), 0.05) << claim.mode;
  }
  // Nothing is a mode that does not move.
  for (const std::string& name : Head().identity_names) {
    const std::vector<float> p = Shaped(name, 1);
    double most = 0;
    for (uint32_t v = 0; v < Head().position_count; ++v)
      most = std::max(most, Length(At(p, v) - At(mean, v)));
    EXPECT_GT(most, 0.012) << name;
    EXPECT_LT(most, 6.0) << name;
    if (name.compare(0, 5, "hair_") != 0) continue;
    for (size_t k = 0; k < kLandmarks; ++k)
      EXPECT_EQ(Length(Landmark(p, k) - Landmark(mean, k)), 0) << name;
  }
}

TEST(Head, ExpressionsOpenAndCloseWhatTheyShould) {
  const std::vector<float>& mean = Head().mean;
  const std::vector<float> jaw = Shaped("jawOpen", 1);
  EXPECT_GT(Landmark(jaw, 62).y - Landmark(jaw, 66).y, 2.5);
  EXPECT_LT(Length(Landmark(jaw, 30) - Landmark(mean, 30)), 0.05);
  const std::vector<float> blink = Shaped("eyeBlinkLeft", 1);
  EXPECT_LT(Landmark(blink, 43).y - Landmark(blink, 47).y, 0.12);
  EXPECT_EQ(Length(Landmark(blink, 38) - Landmark(mean, 38)), 0);
  const std::vector<float> smile = Shaped("mouthSmileLeft", 1);
  EXPECT_GT(Landmark(smile, 54).y - Landmark(mean, 54).y, 0.3);
  EXPECT_GT(Landmark(smile, 54).x - Landmark(mean, 54).x, 0.3);
  EXPECT_LT(Length(Landmark(smile, 48) - Landmark(mean, 48)), 0.05);
  EXPECT_LT(Landmark(Shaped("mouthPucker", 1), 54).x, Landmark(mean, 54).x - 0.6);
  EXPECT_GT(Landmark(Shaped("browInnerUp", 1), 22).y, Landmark(mean, 22).y + 0.3);
  EXPECT_LT(Landmark(Shaped("browDownLeft", 1), 22).y, Landmark(mean, 22).y - 0.15);
}

// The positions of a part.
std::set<uint32_t> PositionsOf(const std::string& name) {
  const Part& part = PartNamed(name);
  return {Head().source.begin() + part.first_vertex,
          Head().source.begin() + part.first_vertex + part.vertex_count};
}

TEST(Head, TongueLiesInTheMouthAndComesOutBetweenTheTeeth) {
  const HeadModel& head = Head();
  const std::set<uint32_t> tongue = PositionsOf("tongue");
  // At rest: behind the lips, within the lining, inside the lower teeth.
  double tip = -99, lowest = 99, floor = 99;
  for (uint32_t v : tongue) {
    const Vec3 p = At(head.mean, v);
    tip = std::max(tip, p.z);
    lowest = std::min(lowest, p.y);
    EXPECT_LT(p.y, Landmark(head.mean, 62).y) << "above the line of the lips";
    double nearest = 99;
    for (uint32_t t : PositionsOf("teeth_lower")) {
      nearest = std::min(nearest, Length(At(head.mean, t) - p));
      const Vec3 tooth = At(head.mean, t);
      if (std::abs(tooth.z - p.z) < 0.15 && tooth.x > 0 && p.x > 0) {
        EXPECT_LT(p.x, tooth.x + 0.02);
      }
    }
    EXPECT_GT(nearest, 0.02);
  }
  for (uint32_t v : PositionsOf("mouth")) floor = std::min<double>(floor, At(head.mean, v).y);
  EXPECT_LT(tip, Landmark(head.mean, 66).z - 1);
  EXPECT_GT(lowest, floor);
  // Out of an open mouth: past the lower lip, between the rows of teeth, nothing else moved.
  std::vector<float> beta(head.expression_names.size(), 0), p(head.mean.size());
  for (size_t e = 0; e < beta.size(); ++e) {
    if (head.expression_names[e] == "tongueOut") beta[e] = 1;
    if (head.expression_names[e] == "jawOpen") beta[e] = 0.45f;
  }
  head.Shape(nullptr, 0, beta.data(), beta.size(), p.data());
  const std::vector<float> only = Shaped("tongueOut", 1);
  for (uint32_t v = 0; v < head.position_count; ++v) {
    if (tongue.count(v) == 0) {
      ASSERT_EQ(Length(At(only, v) - At(head.mean, v)), 0);
    }
  }
  double reach = -99;
  for (uint32_t v : tongue) reach = std::max<double>(reach, At(p, v).z);
  EXPECT_GT(reach, Landmark(p, 57).z + 0.8);
  double upper = 99, lower = -99, front = -99;
  for (uint32_t v : PositionsOf("teeth_upper")) upper = std::min<double>(upper, At(p, v).y);
  for (uint32_t v : PositionsOf("teeth_lower")) {
    lower = std::max<double>(lower, At(p, v).y);
    front = std::max<double>(front, At(p, v).z);
  }
  for (uint32_t v : tongue) {
    const Vec3 at = At(p, v);
    if (at.z < front - 0.4 || at.z > Landmark(p, 66).z) continue;
    EXPECT_GT(at.y, Landmark(p, 66).y);
    EXPECT_LT(at.y, upper);
  }
  EXPECT_LT(lower, upper - 0.5);
}

TEST(Head, ChartsDoNotOverlap) {
  const HeadModel& head = Head();
  constexpr int n = 1024;
  std::vector<int> owner(n * n, -1);
  int overlaps = 0;
  for (size_t t = 0; t < head.triangle_count(); ++t) {
    float p[3][2];
    for (size_t k = 0; k < 3; ++k) {
      for (size_t c = 0; c < 2; ++c)
        p[k][c] = head.uv[2 * size_t{head.triangles[3 * t + k]} + c] * n;
    }
    // The middle of a triangle is enough: neighbours share edges, overlapping charts share middles'
    // texels.
    float low[2] = {1e9f, 1e9f}, high[2] = {-1e9f, -1e9f};
    for (auto& q : p) {
      for (int c = 0; c < 2; ++c)
        low[c] = std::min(low[c], q[c]), high[c] = std::max(high[c], q[c]);
    }
    ASSERT_GE(low[0], -0.01f);
    ASSERT_LE(high[0], n + 0.01f);
    ASSERT_LE(high[1], n + 0.01f);
    const float area =
        (p[1][0] - p[0][0]) * (p[2][1] - p[0][1]) - (p[2][0] - p[0][0]) * (p[1][1] - p[0][1]);
    if (area == 0) continue;
    for (int y = static_cast<int>(low[1]); y <= static_cast<int>(high[1]); ++y) {
      for (int x = static_cast<int>(low[0]); x <= static_cast<int>(high[0]); ++x) {
        const float cx = x + 0.5f, cy = y + 0.5f;
        float w[3];
        for (int k = 0; k < 3; ++k) {
          const float *a = p[(k + 1) % 3], *b = p[(k + 2) % 3];
          w[k] = ((b[0] - a[0]) * (cy - a[1]) - (b[1] - a[1]) * (cx - a[0])) / area;
        }
        if (w[0] <= 0.01f || w[1] <= 0.01f || w[2] <= 0.01f || x >= n || y >= n) continue;
        int& o = owner[static_cast<size_t>(y) * n + x];
        overlaps += o >= 0;
        o = static_cast<int>(t);
      }
    }
  }
  EXPECT_EQ(overlaps, 0);
}

TEST(Head, IsBuiltTheSameEveryTime) {
  const HeadModel again = AssembleHead(HeadBuild());
  EXPECT_EQ(again.mean, Head().mean);
  EXPECT_EQ(again.identity, Head().identity);
  EXPECT_EQ(again.expression, Head().expression);
  EXPECT_EQ(again.triangles, Head().triangles);
  EXPECT_EQ(again.uv, Head().uv);
}

TEST(HeadFile, RoundTripsAndRefusesHostileFiles) {
  const std::string path =
      testing::TempDir() + std::to_string(::getpid()) + "_head_model_test.safetensors";
  ASSERT_TRUE(Head().Save(path).ok());
  HeadModel back;
  ASSERT_TRUE(HeadModel::Load(path, &back).ok());
  EXPECT_EQ(back.mean, Head().mean);
  EXPECT_EQ(back.identity, Head().identity);
  EXPECT_EQ(back.landmarks, Head().landmarks);
  EXPECT_EQ(back.contour, Head().contour);
  EXPECT_EQ(back.parts.size(), Head().parts.size());
  std::string bytes;
  {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  auto load = [&](const std::string& changed) {
    const std::string bad =
        testing::TempDir() + std::to_string(::getpid()) + "_head_model_bad.safetensors";
    std::ofstream(bad, std::ios::binary) << changed;
    HeadModel out;
    const Status status = HeadModel::Load(bad, &out);
    std::remove(bad.c_str());
    EXPECT_TRUE(out.mean.empty());
    return status.code();
  };
  EXPECT_EQ(load(bytes.substr(0, bytes.size() / 2)), Code::kBadData);
  EXPECT_EQ(load(""), Code::kBadData);
  std::string no_name = bytes;
  no_name.replace(no_name.find("daf-head 1"), 10, "daf-head 9");
  EXPECT_EQ(load(no_name), Code::kBadData);
  // An index out of range in the last tensor (the contour's candidates).
  std::string wild = bytes;
  wild.replace(wild.size() - 4, 4, "\xff\xff\xff\x7f");
  EXPECT_EQ(load(wild), Code::kBadData);
  HeadModel out;
  EXPECT_EQ(HeadModel::Load(path + ".none", &out).code(), Code::kIo);
  std::remove(path.c_str());
}

TEST(HeadModel, ValidateFindsWhatIsWrong) {
  HeadModel model = Head();
  model.mirror[0] = model.mirror[0] == 1 ? 2 : 1;
  EXPECT_EQ(model.Validate().code(), Code::kBadData);
  model = Head();
  model.mean[5] = std::nanf("");
  EXPECT_EQ(model.Validate().code(), Code::kBadData);
  model = Head();
  model.parts[0].triangle_count = model.triangle_count() + 1;
  EXPECT_EQ(model.Validate().code(), Code::kBadData);
}

}  // namespace
}  // namespace daf::head
