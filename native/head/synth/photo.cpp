#include "native/head/synth/photo.h"

#include <algorithm>
#include <string>

#include "native/base/arena.h"
#include "native/base/rng.h"
#include "native/head/raster/shade.h"
#include "native/head/synth/albedo.h"
#include "native/head/synth/landmarks.h"
#include "native/head/synth/photo_shade.h"

namespace daf::head {
namespace {

constexpr float kDegree = 0.01745329252f;

float Drawn(float given, float drawn) { return std::isnan(given) ? drawn : given; }

// A mild, plausible mixture: a smile more often than anything else, no extremes.
std::vector<float> DrawExpression(const HeadModel& model, float strength, Rng& rng) {
  std::vector<float> beta(model.expression_names.size(), 0);
  auto set = [&](const std::string& name, float value) {
    for (size_t i = 0; i < beta.size(); ++i) {
      if (model.expression_names[i] == name) beta[i] = std::clamp(strength * value, 0.0f, 1.0f);
    }
  };
  const float smile = rng.Uniform() < 0.55f ? rng.Uniform(0.1f, 0.8f) : 0,
              skew = rng.Uniform(-0.1f, 0.1f);
  set("mouthSmileLeft", smile + skew);
  set("mouthSmileRight", smile - skew);
  const float squint = 0.5f * smile + 0.15f * rng.Uniform(), blink = rng.Uniform(0, 0.18f);
  for (const char* side : {"Left", "Right"}) {
    set(std::string("cheekSquint") + side, 0.5f * smile);
    set(std::string("eyeSquint") + side, squint);
    set(std::string("eyeBlink") + side, blink);
  }
  if (rng.Uniform() < 0.3f) set("jawOpen", rng.Uniform(0.03f, 0.35f));
  if (rng.Uniform() < 0.3f) set("browInnerUp", rng.Uniform(0, 0.6f));
  if (rng.Uniform() < 0.25f) {
    const float frown = rng.Uniform(0, 0.7f);
    set("browDownLeft", frown);
    set("browDownRight", frown);
  }
  if (rng.Uniform() < 0.12f) set("mouthPucker", rng.Uniform(0, 0.4f));
  const float gaze_x = rng.Uniform(-0.45f, 0.45f), gaze_y = rng.Uniform(-0.3f, 0.3f);
  set(gaze_x > 0 ? "eyeLookOutLeft" : "eyeLookInLeft", std::abs(gaze_x));
  set(gaze_x > 0 ? "eyeLookInRight" : "eyeLookOutRight", std::abs(gaze_x));
  for (const char* side : {"Left", "Right"})
    set(std::string(gaze_y > 0 ? "eyeLookUp" : "eyeLookDown") + side, std::abs(gaze_y));
  return beta;
}

// The head fills the picture as portraits do: some air above, the garment below.
Camera FrameHead(const PhotoOptions& o, const Photo& photo, Rng& rng) {
  Camera camera;
  camera.width = o.width;
  camera.height = o.height;
  camera.focal = photo.focal_mm / 36 * static_cast<float>(o.width);
  RotationFromAngles(photo.yaw, photo.pitch, photo.roll, camera.rotation);
  const float shown = rng.Uniform(29, 42) *
                      std::max(1.0f, static_cast<float>(o.width) / static_cast<float>(o.height));
  const float distance = std::max(28.0f, camera.focal * shown / static_cast<float>(o.width));
  const float target[3] = {0, -3.2f, -5};
  for (int i = 0; i < 3; ++i) {
    camera.translation[i] =
        -(camera.rotation[3 * i] * target[0] + camera.rotation[3 * i + 1] * target[1] +
          camera.rotation[3 * i + 2] * target[2]);
  }
  camera.translation[0] += rng.Uniform(-1.6f, 1.6f);
  camera.translation[1] += rng.Uniform(-0.6f, 1.6f);
  camera.translation[2] -= distance;
  camera.center[0] = 0.5f * static_cast<float>(o.width);
  camera.center[1] = 0.5f * static_cast<float>(o.height);
  return camera;
}

// Light falling on a face that looks at the camera.
float FaceLight(const LightRig& rig, const float rotation[9]) {
  const float facing[3] = {rotation[2], rotation[5], rotation[8]};
  const float key =
      std::max(0.15f, facing[0] * rig.key[0] + facing[1] * rig.key[1] + facing[2] * rig.key[2]);
  const Colour sky = rig.Sky(facing);
  return 0.9f * sky.g + rig.key_colour.g * key;
}

}  // namespace

Status SynthesizePhoto(const HeadModel& model, const HeadMarks& marks, const PhotoOptions& o,
                       const TaskControl& control, Photo* photo, uint8_t* rgb, uint8_t* mask) {
  if (o.width < 64 || o.height < 64 || o.width > 2048 || o.height > 2048) {
    return Status(Code::kBadArgument, "a synthetic photo is between 64 and 2048 pixels a side");
  }
  for (float angle : {o.yaw, o.pitch, o.roll}) {
    if (!std::isnan(angle) && !(std::abs(angle) <= 3.15f))
      return Status(Code::kBadArgument, "angles are radians within ±π");
  }
  if (!std::isnan(o.focal_mm) && !(o.focal_mm >= 10 && o.focal_mm <= 400)) {
    return Status(Code::kBadArgument, "the focal length is between 10 and 400 mm");
  }
  if (!std::isnan(o.expression) && !(o.expression >= 0 && o.expression <= 2)) {
    return Status(Code::kBadArgument, "the expression's strength is between 0 and 2");
  }
  const Person person = MakePerson(model, o.seed, o.person, o.marks);
  Rng rng(o.seed * 0x9e3779b97f4a7c15ull + o.person * 7919ull + o.photo, 23);
  photo->identity = person.identity;
  photo->yaw = Drawn(o.yaw, std::clamp(18 * kDegree * rng.Normal(), -0.9f, 0.9f));
  photo->pitch = Drawn(o.pitch, std::clamp(6 * kDegree * rng.Normal(), -0.35f, 0.35f));
  photo->roll = Drawn(o.roll, std::clamp(4 * kDegree * rng.Normal(), -0.3f, 0.3f));
  photo->focal_mm = Drawn(o.focal_mm, 24 * std::pow(135.0f / 24, rng.Uniform()));
  const float strength = Drawn(o.expression, rng.Uniform(0, 1));
  photo->expression = DrawExpression(model, strength, rng);
  photo->camera = FrameHead(o, *photo, rng);

  std::vector<float> positions(model.mean.size());
  model.Shape(photo->identity.data(), photo->identity.size(), photo->expression.data(),
              photo->expression.size(), positions.data());
  Arena arena;
  const size_t texels = static_cast<size_t>(std::clamp(o.texture, 64, 4096));
  uint8_t* albedo;
  DAF_RETURN_IF_ERROR(arena.Allocate(4 * texels * texels, &albedo));
  DAF_RETURN_IF_ERROR(
      PaintAlbedo(model, marks, person.looks, static_cast<int>(texels), control, albedo));
  MipTexture texture;
  DAF_RETURN_IF_ERROR(texture.Build(albedo, static_cast<int>(texels), static_cast<int>(texels)));

  const Background background(rng);
  PhotoScene scene;
  scene.model = &model;
  scene.looks = &person.looks;
  scene.camera = photo->camera;
  scene.positions = &positions;
  scene.albedo = &texture;
  scene.background = &background;
  scene.rig = DrawRig(rng);
  const float cloth = rng.Uniform(0.02f, 0.55f);
  scene.cloth = {cloth * rng.Uniform(0.5f, 1.3f), cloth * rng.Uniform(0.5f, 1.2f),
                 cloth * rng.Uniform(0.5f, 1.3f)};
  scene.exposure = rng.Uniform(0.95f, 1.3f) * (1 + 0.25f * std::min(1.2f, person.looks.melanin)) /
                   FaceLight(scene.rig, scene.camera.rotation);
  const float warm = 0.07f * std::clamp(rng.Normal(), -2.0f, 2.0f),
              tint = 0.02f * std::clamp(rng.Normal(), -2.0f, 2.0f);
  scene.balance[0] = 1 + warm;
  scene.balance[1] = 1 + tint;
  scene.balance[2] = 1 - warm;
  scene.noise = rng.Uniform(0.3f, 3.0f);
  scene.grain = rng.Next();
  float* depth;
  DAF_RETURN_IF_ERROR(
      arena.Allocate(static_cast<size_t>(o.width) * static_cast<size_t>(o.height), &depth));
  DAF_RETURN_IF_ERROR(ShadePhoto(scene, control, rgb, mask, depth));
  PlaceLandmarks(model, positions, photo->camera, depth, &photo->landmarks, nullptr);
  return Status::Ok();
}

}  // namespace daf::head
