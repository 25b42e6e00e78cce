#include "native/head/synth/person.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "native/base/rng.h"

namespace daf::head {
namespace {

// How a mode goes with being masculine and with age: mean shift at 1.
struct Trend {
  const char* mode;
  float masculine, age;
};
constexpr Trend kTrends[] = {{"face_width", 0.5f, 0.1f},
                             {"lower_face_height", 0.7f, 0.1f},
                             {"head_width", 0.5f, 0},
                             {"head_length", 0.6f, 0},
                             {"forehead_slope", 0.5f, 0},
                             {"forehead_bulge", -0.5f, 0},
                             {"brow_ridge", 1.0f, 0},
                             {"brow_height", -0.7f, -0.4f},
                             {"eye_opening", -0.5f, -0.5f},
                             {"eye_width", -0.2f, 0},
                             {"lid_fold", 0, 0.8f},
                             {"under_eye_hollow", 0, 1.0f},
                             {"nose_length", 0.5f, 0.5f},
                             {"nose_width", 0.6f, 0.3f},
                             {"nose_bridge_height", 0.4f, 0},
                             {"nose_hump", 0.4f, 0.2f},
                             {"nose_tip_height", -0.5f, -0.5f},
                             {"nose_tip_size", 0.3f, 0.3f},
                             {"mouth_width", 0.4f, 0.2f},
                             {"lip_thickness_upper", -0.5f, -0.8f},
                             {"lip_thickness_lower", -0.4f, -0.7f},
                             {"lip_fullness", -0.4f, -0.6f},
                             {"jaw_width", 0.9f, 0},
                             {"jaw_angle_height", -0.4f, 0},
                             {"chin_projection", 0.4f, 0},
                             {"chin_width", 0.7f, 0},
                             {"chin_height", 0.5f, 0},
                             {"cheek_fullness", -0.2f, -0.4f},
                             {"cheekbone_prominence", -0.2f, 0},
                             {"nasolabial_depth", 0, 1.1f},
                             {"ear_size", 0.4f, 0.7f},
                             {"ear_lobe", 0.1f, 0.6f},
                             {"neck_width", 1.0f, 0.1f},
                             {"larynx", 1.0f, 0},
                             {"double_chin", 0, 0.7f}};

// Modes that groups of people share: drawn once and added, so that faces differ in more than noise.
constexpr struct {
  const char* mode;
  float a, b;
} kGroups[] = {{"nose_width", 0.8f, -0.2f},
               {"nose_bridge_height", -0.8f, 0.4f},
               {"lip_fullness", 0.8f, -0.2f},
               {"lip_thickness_upper", 0.7f, 0},
               {"lip_thickness_lower", 0.6f, 0},
               {"muzzle_protrusion", 0.7f, -0.2f},
               {"eye_tilt", 0, 0.6f},
               {"lid_fold", -0.2f, 0.8f},
               {"cheekbone_width", 0.1f, 0.6f},
               {"nose_root_depth", -0.1f, -0.5f},
               {"face_width", 0, 0.5f},
               {"brow_ridge", 0, -0.5f}};

void SetHair(const HeadModel& model, HairStyle style, Rng& rng, std::vector<float>* identity) {
  auto set = [&](const char* name, float value) {
    for (size_t i = 0; i < model.identity_names.size(); ++i) {
      if (model.identity_names[i] == name) (*identity)[i] = value;
    }
  };
  for (const char* name :
       {"hair_volume", "hair_top", "hair_length", "hair_fringe", "hair_recede", "hair_bun"})
    set(name, 0);
  switch (style) {
    case HairStyle::kShort:
      set("hair_volume", rng.Uniform(-0.9f, 0.8f));
      set("hair_top", rng.Uniform(-0.2f, 2.2f));
      set("hair_fringe", rng.Uniform(-0.8f, 0.9f));
      break;
    case HairStyle::kLong:
      set("hair_volume", rng.Uniform(0.5f, 1.6f));
      set("hair_top", rng.Uniform(0, 0.8f));
      set("hair_length", rng.Uniform(1.6f, 3.0f));
      set("hair_fringe", rng.Uniform(0, 1.2f));
      break;
    case HairStyle::kBald:
      set("hair_volume", -2.6f);
      break;
    case HairStyle::kReceding:
      set("hair_volume", rng.Uniform(-1.2f, -0.3f));
      set("hair_recede", 2.5f);
      break;
    case HairStyle::kBun:
      set("hair_volume", rng.Uniform(-0.9f, -0.3f));
      set("hair_bun", 2.3f);
      break;
    case HairStyle::kCropped:
      set("hair_volume", -1.45f);
      break;
  }
}

}  // namespace

Person MakePerson(const HeadModel& model, uint64_t seed, uint32_t index, bool marks) {
  Rng rng(seed * 0x9e3779b97f4a7c15ull + index, 17);
  Person person;
  Looks& looks = person.looks;
  looks.grain = rng.Next();
  looks.marks = marks;
  looks.masculine =
      std::clamp((rng.Uniform() < 0.5f ? -0.75f : 0.75f) + 0.25f * rng.Normal(), -1.0f, 1.0f);
  looks.age = std::pow(rng.Uniform(), 1.4f);
  const float group_a = std::max(0.0f, rng.Normal()), group_b = rng.Normal();

  person.identity.resize(model.identity_names.size());
  for (size_t i = 0; i < person.identity.size(); ++i) {
    const std::string& name = model.identity_names[i];
    float value = 0.85f * rng.Normal();
    for (const Trend& t : kTrends) {
      if (name == t.mode) value += t.masculine * looks.masculine + t.age * (looks.age - 0.35f);
    }
    for (const auto& g : kGroups) {
      if (name == g.mode) value += g.a * (group_a - 0.4f) + g.b * group_b;
    }
    person.identity[i] = std::clamp(value, -2.4f, 2.4f);
  }

  // Darker skin comes more often with the first group; hair and eyes follow the skin.
  looks.melanin = std::clamp(
      0.12f + 0.75f * std::pow(rng.Uniform(), 1.6f) + 0.75f * group_a * rng.Uniform(), 0.06f, 1.9f);
  looks.blood = rng.Uniform(0.34f, 0.60f);
  const bool dark = looks.melanin > 0.55f;
  const float fair = dark ? 0.0f : std::max(0.0f, 1 - looks.melanin / 0.5f);
  const float tone = rng.Uniform();
  // Black, brown, blond, red.
  const float colours[4][3] = {{0.012f, 0.009f, 0.008f},
                               {0.060f, 0.034f, 0.018f},
                               {0.36f, 0.22f, 0.10f},
                               {0.22f, 0.065f, 0.018f}};
  size_t pick = dark || tone < 0.32f                      ? 0
                : tone < 0.32f + 0.5f * (1 - 0.5f * fair) ? 1
                : rng.Uniform() < 0.75f                   ? 2
                                                          : 3;
  const float shade = rng.Uniform(0.75f, 1.3f);
  for (int c = 0; c < 3; ++c) looks.hair[c] = colours[pick][c] * shade;
  looks.grey = std::clamp((looks.age - 0.45f) * 2.2f * rng.Uniform(), 0.0f, 0.95f);
  const float irises[4][3] = {{0.055f, 0.028f, 0.014f},
                              {0.15f, 0.085f, 0.035f},
                              {0.13f, 0.17f, 0.085f},
                              {0.14f, 0.22f, 0.31f}};
  const float eye = rng.Uniform();
  const size_t iris = dark          ? (eye < 0.85f ? 0 : 1)
                      : eye < 0.25f ? 0
                      : eye < 0.5f  ? 1
                      : eye < 0.7f  ? 2
                                    : 3;
  for (int c = 0; c < 3; ++c) looks.iris[c] = irises[iris][c] * rng.Uniform(0.8f, 1.2f);
  looks.freckles = !dark && rng.Uniform() < (pick == 3 ? 0.65f : 0.25f) ? rng.Uniform(0.3f, 1) : 0;
  looks.moles = static_cast<int>(rng.Below(7));
  looks.brow_density =
      std::clamp(0.65f + 0.15f * looks.masculine + 0.12f * rng.Normal(), 0.35f, 1.0f);
  looks.brow_width = std::clamp(1 + 0.18f * looks.masculine + 0.12f * rng.Normal(), 0.65f, 1.5f);
  if (looks.masculine > 0) {
    looks.stubble = rng.Uniform() < 0.6f ? rng.Uniform(0.15f, 1.0f) : 0;
  } else {
    looks.lip_colour = rng.Uniform() < 0.35f ? rng.Uniform(0.3f, 1) : 0;
  }
  const float style = rng.Uniform();
  if (looks.masculine > 0) {
    looks.style = style < 0.5f                                ? HairStyle::kShort
                  : style < 0.7f                              ? HairStyle::kCropped
                  : style < 0.7f + 0.15f * (0.5f + looks.age) ? HairStyle::kReceding
                  : style < 0.94f                             ? HairStyle::kBald
                                                              : HairStyle::kLong;
  } else {
    looks.style = style < 0.5f    ? HairStyle::kLong
                  : style < 0.75f ? HairStyle::kBun
                                  : HairStyle::kShort;
  }
  SetHair(model, looks.style, rng, &person.identity);
  return person;
}

}  // namespace daf::head
