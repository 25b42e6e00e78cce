#include "native/head/synth/faces/faces.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "native/head/synth/faces/draw.h"
#include "native/head/synth/faces/lens.h"
#include "native/head/synth/faces/props.h"

namespace daf::head {
namespace {

constexpr float kDegree = 0.01745329252f;
constexpr int kSamples = 2;
constexpr uint32_t kPhotosPerSkin = 10;

struct Bounds {
  float left = 1e9f, top = 1e9f, right = -1e9f, bottom = -1e9f;
  void Add(float x, float y) {
    left = std::min(left, x);
    right = std::max(right, x);
    top = std::min(top, y);
    bottom = std::max(bottom, y);
  }
  float width() const { return right - left; }
  float height() const { return bottom - top; }
  float side() const { return std::max(width(), height()); }
};

struct Pose {
  float yaw, pitch, roll;
};

Pose DrawPose(Rng& rng, FacesForm form) {
  if (form == FacesForm::kPlain) {
    return {std::clamp(25 * rng.Normal(), -60.0f, 60.0f) * kDegree,
            std::clamp(10 * rng.Normal(), -30.0f, 30.0f) * kDegree,
            std::clamp(10 * rng.Normal(), -30.0f, 30.0f) * kDegree};
  }
  const float yaw =
      rng.Uniform() < 0.45f ? std::clamp(25 * rng.Normal(), -90.0f, 90.0f) : rng.Uniform(-90, 90);
  return {yaw * kDegree, std::clamp(14 * rng.Normal(), -45.0f, 45.0f) * kDegree,
          std::clamp(16 * rng.Normal(), -48.0f, 48.0f) * kDegree};
}

// From where the points' box has the side `size` and its middle at (x, y), all in samples. The
// distance is that of a lens of 24…135 mm.
void Aim(Rng& rng, const Pose& pose, float size, float x, float y, const Canvas& canvas,
         Sitter* sitter) {
  Camera& camera = sitter->camera;
  camera.width = canvas.width;
  camera.height = canvas.height;
  RotationFromAngles(pose.yaw, pose.pitch, pose.roll, camera.rotation);
  const float distance = 38 * std::pow(8.0f, rng.Uniform());
  const float target[3] = {0, -3.2f, 0};
  for (int i = 0; i < 3; ++i)
    camera.translation[i] =
        -(camera.rotation[3 * i] * target[0] + camera.rotation[3 * i + 1] * target[1] +
          camera.rotation[3 * i + 2] * target[2]);
  camera.translation[2] -= distance;
  camera.focal = 1;
  camera.center[0] = camera.center[1] = 0;
  Bounds bounds;
  for (uint32_t v : sitter->figure->model->landmarks) {
    float pixel[2] = {0, 0}, depth;
    camera.Project(&sitter->positions[3 * size_t{v}], pixel, &depth);
    bounds.Add(pixel[0], pixel[1]);
  }
  camera.focal = size / bounds.side();
  camera.center[0] = x - 0.5f * (bounds.left + bounds.right) * camera.focal;
  camera.center[1] = y - 0.5f * (bounds.top + bounds.bottom) * camera.focal;
}

// As detectors frame faces: the points' box and the forehead, along the picture's axes.
void FrameFace(FaceTruth* face) {
  Bounds b;
  for (size_t i = 0; i < face->landmarks.size(); i += 2)
    b.Add(face->landmarks[i], face->landmarks[i + 1]);
  auto middle = [&](size_t from, size_t to, float out[2]) {
    out[0] = out[1] = 0;
    for (size_t k = from; k < to; ++k)
      for (size_t c = 0; c < 2; ++c)
        out[c] += face->landmarks[2 * k + c] / static_cast<float>(to - from);
  };
  float brows[2], chin[2];
  middle(17, 27, brows);
  middle(7, 10, chin);
  // The hairline lies as far above the brows as 0.3 of the way down to the chin.
  for (size_t k = 17; k < 27; ++k) {
    b.Add(face->landmarks[2 * k] + 0.3f * (brows[0] - chin[0]),
          face->landmarks[2 * k + 1] + 0.3f * (brows[1] - chin[1]));
  }
  face->box[0] = b.left;
  face->box[1] = b.top;
  face->box[2] = b.right;
  face->box[3] = b.bottom;
}

class Studio {
 public:
  Studio(const Figure& figure, const FacesOptions& options) : figure_(figure), o(options) {}

  Status Take(uint32_t index, const TaskControl& control, uint8_t* rgb,
              std::vector<FaceTruth>* faces) {
    Rng rng(o.seed * 0x9e3779b97f4a7c15ull + index, 29);
    Canvas canvas(o.side, o.side, kSamples);
    PaintBackdrop(rng, &canvas);
    faces->clear();
    number_ = 0;
    if (o.form == FacesForm::kScenes) {
      DAF_RETURN_IF_ERROR(DrawGroup(rng, index, control, &canvas, faces));
    } else {
      const float size = rng.Uniform(0.40f, 0.50f) * static_cast<float>(canvas.width),
                  half = 0.5f * static_cast<float>(canvas.width);
      const float shift = 0.03f * half;
      const Pose pose = DrawPose(rng, o.form);
      DAF_RETURN_IF_ERROR(DrawOne(rng, index, pose, size, half + rng.Uniform(-shift, shift),
                                  half + rng.Uniform(-shift, shift), control, &canvas, faces));
    }
    for (FaceTruth& face : *faces) {
      for (float& value : face.landmarks) value /= kSamples;
      for (float& value : face.jaw) value /= kSamples;
      FrameFace(&face);
    }
    Expose(rng, canvas,
           o.form == FacesForm::kPlain    ? 1
           : o.form == FacesForm::kScenes ? 0.5f
                                          : 0.28f,
           rgb);
    return Status::Ok();
  }

 private:
  Status SkinOf(uint32_t index, const TaskControl& control, const Skin** out) {
    const uint32_t number = index / kPhotosPerSkin;
    if (skin_ == nullptr || number != skin_number_) {
      skin_ = std::make_unique<Skin>();
      skin_number_ = number;
      DAF_RETURN_IF_ERROR(
          PaintSkin(figure_, o.seed * 7919ull + 0x51ed27ull * number + 3, control, skin_.get()));
    }
    *out = skin_.get();
    return Status::Ok();
  }

  Status DrawOne(Rng& rng, uint32_t index, const Pose& pose, float size, float x, float y,
                 const TaskControl& control, Canvas* canvas, std::vector<FaceTruth>* faces) {
    const Skin* skin;
    DAF_RETURN_IF_ERROR(SkinOf(index, control, &skin));
    Sitter sitter;
    ShapeSitter(rng, figure_, *skin, &sitter);
    sitter.number = ++number_;
    Aim(rng, pose, size, x, y, *canvas, &sitter);
    FaceTruth face;
    face.yaw = pose.yaw;
    face.pitch = pose.pitch;
    face.roll = pose.roll;
    const LightRig rig = o.form == FacesForm::kPlain ? DrawRig(rng) : DrawWideRig(rng);
    DAF_RETURN_IF_ERROR(
        DrawSitter(sitter, rig, control, canvas, &face.landmarks, &face.seen, &face.jaw));
    if (o.form != FacesForm::kPlain) {
      if (rng.Uniform() < 0.45f) DrawHair(rng, sitter, rig, canvas);
      if (rng.Uniform() < 0.16f) DrawBeard(rng, sitter, rig, canvas);
      if (rng.Uniform() < 0.18f) DrawGlasses(rng, sitter, canvas);
      if (rng.Uniform() < 0.14f) DrawHat(rng, sitter, canvas);
      const float angle = rng.Uniform(0, 6.2832f), away = size * rng.Uniform(0.3f, 0.75f);
      const float px = x + away * std::cos(angle), py = y + away * std::sin(angle);
      if (rng.Uniform() < 0.10f) DrawHand(rng, px, py, size * rng.Uniform(0.4f, 0.9f), canvas);
      if (rng.Uniform() < 0.08f) DrawThing(rng, px, py, size * rng.Uniform(0.2f, 0.7f), canvas);
    }
    faces->push_back(face);
    return Status::Ok();
  }

  Status DrawGroup(Rng& rng, uint32_t index, const TaskControl& control, Canvas* canvas,
                   std::vector<FaceTruth>* faces) {
    struct Place {
      float size, x, y;
      bool behind;
    };
    std::vector<Place> places;
    const float side = static_cast<float>(canvas->width), kind = rng.Uniform();
    const bool close = kind<0.2f, crowd = kind> 0.75f;
    const uint32_t wanted = close                   ? 1
                            : crowd                 ? kMostFaces
                            : rng.Uniform() < 0.14f ? 0
                                                    : 1 + rng.Below(kMostFaces);
    // Between 14 pixels and 0.8 of the picture, small ones as many as large ones by octave; in a
    // crowd all alike.
    const float least = 14.0f * kSamples, usual = least * std::pow(8.0f, rng.Uniform());
    for (uint32_t tries = 0; places.size() < wanted && tries < 20; ++tries) {
      Place place = {least * std::pow(0.8f * side / least, rng.Uniform()),
                     rng.Uniform(0.05f, 0.95f) * side, rng.Uniform(0.08f, 0.92f) * side,
                     rng.Uniform() < 0.15f};
      if (crowd) place.size = std::max(least, usual * rng.Uniform(0.75f, 1.3f));
      if (close) {
        // As large as the picture and larger.
        place = {side * rng.Uniform(0.5f, 1.25f), side * rng.Uniform(0.25f, 0.75f),
                 side * rng.Uniform(0.25f, 0.75f), rng.Uniform() < 0.05f};
      }
      const bool apart = std::all_of(places.begin(), places.end(), [&](const Place& other) {
        const float reach = (crowd ? 0.7f : 0.85f) * (place.size + other.size);
        return std::hypot(place.x - other.x, place.y - other.y) > reach;
      });
      if (apart) places.push_back(place);
    }
    std::sort(places.begin(), places.end(),
              [](const Place& a, const Place& b) { return a.size < b.size; });
    for (uint32_t i = rng.Below(5); i > 0; --i) {
      DrawDecoy(rng, rng.Uniform(0, side), rng.Uniform(0, side),
                side * 0.06f * std::pow(12.0f, rng.Uniform()), canvas);
    }
    std::vector<uint8_t> numbers;
    for (const Place& place : places) {
      Pose pose = DrawPose(rng, o.form);
      if (place.behind)
        pose.yaw = (rng.Uniform() < 0.5f ? -1.0f : 1.0f) * rng.Uniform(125, 180) * kDegree;
      const size_t before = faces->size();
      DAF_RETURN_IF_ERROR(
          DrawOne(rng, index, pose, place.size, place.x, place.y, control, canvas, faces));
      if (place.behind) faces->resize(before);
      if (!place.behind) numbers.push_back(number_);
    }
    LeaveOutHidden(*canvas, faces, numbers);
    const uint32_t things = rng.Below(6);
    for (uint32_t i = 0; i < things; ++i) {
      const float x = rng.Uniform(0, side), y = rng.Uniform(0, side),
                  size = side * rng.Uniform(0.06f, 0.3f);
      const bool free = std::all_of(faces->begin(), faces->end(), [&](const FaceTruth& face) {
        const float* nose = &face.landmarks[60];
        const float reach = std::hypot(face.landmarks[0] - face.landmarks[32],
                                       face.landmarks[1] - face.landmarks[33]);
        return std::hypot(nose[0] - x, nose[1] - y) > reach + 1.5f * size;
      });
      if (!free) continue;
      const std::array draws = {DrawHand, DrawThing, DrawDecoy};
      draws[rng.Below(3)](rng, x, y, size, canvas);
    }
    return Status::Ok();
  }

  // Faces of which less than half the points lie in the picture and before others are not asked
  // for.
  static void LeaveOutHidden(const Canvas& canvas, std::vector<FaceTruth>* faces,
                             const std::vector<uint8_t>& numbers) {
    size_t kept = 0;
    for (size_t k = 0; k < faces->size(); ++k) {
      const FaceTruth& face = (*faces)[k];
      int shown = 0;
      for (size_t i = 0; i < kLandmarks; ++i) {
        const int x = static_cast<int>(face.landmarks[2 * i]),
                  y = static_cast<int>(face.landmarks[2 * i + 1]);
        // Points on the contour may lie a sample outside.
        for (int d = -1; d <= 1; ++d) {
          if (!canvas.Holds(x + d, y) || canvas.owner[canvas.At(x + d, y)] != numbers[k]) continue;
          ++shown;
          break;
        }
      }
      if (2 * shown >= kLandmarks) (*faces)[kept++] = face;
    }
    faces->resize(kept);
  }

  const Figure& figure_;
  const FacesOptions& o;
  std::unique_ptr<Skin> skin_;
  uint32_t skin_number_ = 0;
  uint8_t number_ = 0;  // of the last sitter of a picture
};

}  // namespace

Status SynthesizeFaces(const HeadModel& model, const HeadMarks* marks, const FacesOptions& o,
                       const TaskControl& control, uint8_t* rgb,
                       std::vector<std::vector<FaceTruth>>* truth) {
  if (o.side < 64 || o.side > 1024)
    return Status(Code::kBadArgument, "a picture of faces is between 64 and 1024 pixels a side");
  if (marks != nullptr && marks->hair.size() != model.position_count)
    return Status(Code::kBadArgument, "the marks are another model's");
  Figure figure;
  DAF_RETURN_IF_ERROR(Figure::Prepare(model, marks, control, &figure));
  Studio studio(figure, o);
  truth->assign(o.count, {});
  const size_t bytes = size_t{3} * static_cast<size_t>(o.side) * static_cast<size_t>(o.side);
  for (uint32_t i = 0; i < o.count; ++i) {
    DAF_RETURN_IF_ERROR(studio.Take(o.first + i, control, rgb + bytes * i, &(*truth)[i]));
    control.Progress(static_cast<int32_t>(i + 1), static_cast<int32_t>(o.count));
  }
  return Status::Ok();
}

}  // namespace daf::head
