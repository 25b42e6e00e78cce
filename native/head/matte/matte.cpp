#include "native/head/matte/matte.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "native/head/fit/fit.h"
#include "native/head/matte/distance.h"
#include "native/head/matte/mixture.h"
#include "native/head/raster/shade.h"
#include "native/head/texture/atlas.h"

namespace daf::head {
namespace {

// In outer-eye distances: how far inside the silhouette the head is certain, and how far outside it
// is not.
constexpr float kInside = 0.12f, kOutside = 0.35f, kBackdrop = 1.6f;
// Log odds a tenth of an eye distance off the silhouette is worth, and the most that distance or
// colour can say.
constexpr float kSlope = 3.0f, kMost = 6.0f;
constexpr size_t kSamples = 20000;
// Pixels that a backdrop above the chin is learnt from at least; a picture cropped to the head has
// fewer.
constexpr size_t kLeast = 500;

void Soften(float* alpha, int width, int height, int radius, float* scratch) {
  for (int pass = 0; pass < 2; ++pass) BoxMean(alpha, width, height, radius, scratch);
}

// Coverage of the whole head, or of what every photo shows where the model has it: all but hair and
// what lies below the chin.
Status Silhouette(const HeadModel& model, const float* positions, const Camera& camera, bool whole,
                  const TaskControl& control, uint8_t* mask) {
  std::vector<uint32_t> triangles;
  const uint32_t* list = model.triangles.data();
  size_t count = model.triangle_count();
  if (!whole) {
    const float chin = model.mean[3 * size_t{model.landmarks[8]} + 1];
    const std::vector<uint16_t> parts = PartOfTriangle(model);
    for (uint32_t t = 0; t < model.triangle_count(); ++t) {
      if (parts[t] < model.parts.size() && model.parts[parts[t]].name.rfind("hair", 0) == 0)
        continue;
      if (model.mean[3 * size_t{model.source[list[3 * size_t{t}]]} + 1] < chin) continue;
      triangles.insert(triangles.end(), list + 3 * size_t{t}, list + 3 * size_t{t} + 3);
    }
    list = triangles.data();
    count = triangles.size() / 3;
  }
  const MeshView mesh{positions,
                      model.position_count,
                      model.source.data(),
                      model.render_count(),
                      model.uv.data(),
                      list,
                      count};
  return RenderMask(camera, mesh, control, mask);
}

// He et al. 2010: alpha becomes locally a linear function of the photo's brightness, so its edge
// follows the photo's.
Status GuidedFilter(const PhotoPixels& photo, int radius, float epsilon, Arena& arena,
                    float* alpha) {
  const size_t pixels = static_cast<size_t>(photo.width) * photo.height;
  float *guide, *product, *square, *mean, *scratch;
  for (float** buffer : {&guide, &product, &square, &mean, &scratch})
    DAF_RETURN_IF_ERROR(arena.Allocate(pixels, buffer));
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t* c = photo.data + i * photo.channels;
    guide[i] = (0.299f * c[0] + 0.587f * c[1] + 0.114f * c[2]) / 255;
    product[i] = guide[i] * alpha[i];
    square[i] = guide[i] * guide[i];
    mean[i] = guide[i];
  }
  BoxMean(product, photo.width, photo.height, radius, scratch);
  BoxMean(square, photo.width, photo.height, radius, scratch);
  BoxMean(mean, photo.width, photo.height, radius, scratch);
  BoxMean(alpha, photo.width, photo.height, radius, scratch);
  for (size_t i = 0; i < pixels; ++i) {
    const float a = (product[i] - mean[i] * alpha[i]) / (square[i] - mean[i] * mean[i] + epsilon);
    product[i] = a;
    square[i] = alpha[i] - a * mean[i];
  }
  BoxMean(product, photo.width, photo.height, radius, scratch);
  BoxMean(square, photo.width, photo.height, radius, scratch);
  for (size_t i = 0; i < pixels; ++i)
    alpha[i] = std::clamp(product[i] * guide[i] + square[i], 0.0f, 1.0f);
  return Status::Ok();
}

// Keeps only what hangs together with the certain inside.
void KeepConnected(const float* signed_distance, float certain, int width, int height,
                   float* alpha) {
  std::vector<uint8_t> reached(static_cast<size_t>(width) * height, 0);
  std::vector<int> stack;
  for (int i = 0; i < width * height; ++i) {
    if (signed_distance[i] >= certain) {
      reached[i] = 1;
      stack.push_back(i);
    }
  }
  while (!stack.empty()) {
    const int i = stack.back(), x = i % width;
    stack.pop_back();
    for (const int next : {i - 1, i + 1, i - width, i + width}) {
      if (next < 0 || next >= width * height || (next == i - 1 && x == 0) ||
          (next == i + 1 && x == width - 1))
        continue;
      if (reached[next] || alpha[next] < 0.5f) continue;
      reached[next] = 1;
      stack.push_back(next);
    }
  }
  for (int i = 0; i < width * height; ++i) {
    if (!reached[i])
      alpha[i] =
          std::min(alpha[i], 0.49f * std::clamp(1 + signed_distance[i] / certain, 0.0f, 1.0f));
  }
}

// Fills what is enclosed by the head and no larger than `largest` pixels: writing on the skin, a
// badge, an eye's white.
void FillHoles(int width, int height, size_t largest, float* alpha) {
  std::vector<uint8_t> seen(static_cast<size_t>(width) * height, 0);
  std::vector<int> hole;
  for (int start = 0; start < width * height; ++start) {
    if (seen[start] || alpha[start] >= 0.5f) continue;
    hole.assign(1, start);
    seen[start] = 1;
    bool open = false;
    for (size_t at = 0; at < hole.size(); ++at) {
      const int i = hole[at], x = i % width, y = i / width;
      open = open || x == 0 || y == 0 || x == width - 1 || y == height - 1;
      for (const int next : {i - 1, i + 1, i - width, i + width}) {
        if (next < 0 || next >= width * height || (next == i - 1 && x == 0) ||
            (next == i + 1 && x == width - 1))
          continue;
        if (seen[next] || alpha[next] >= 0.5f) continue;
        seen[next] = 1;
        hole.push_back(next);
      }
    }
    if (open || hole.size() > largest) continue;
    for (int i : hole) alpha[i] = 1;
  }
}

// Which pixels lie above the chin, however the head is tilted.
class AboveChin {
 public:
  AboveChin(const HeadModel& model, const Camera& camera) : width_(camera.width) {
    const float* chin = model.mean.data() + 3 * size_t{model.landmarks[8]};
    const float eyes[3] = {0, 0, chin[2]};
    float top[2], depth;
    known_ = camera.Project(chin, base_, &depth) && camera.Project(eyes, top, &depth);
    for (int k = 0; known_ && k < 2; ++k) up_[k] = top[k] - base_[k];
  }
  bool operator()(size_t pixel) const {
    const float x = static_cast<float>(pixel % width_) + 0.5f - base_[0],
                y = static_cast<float>(pixel / width_) + 0.5f - base_[1];
    return known_ && x * up_[0] + y * up_[1] > 0;
  }

 private:
  size_t width_;
  bool known_ = false;
  float base_[2] = {0, 0}, up_[2] = {0, 0};
};

// Colours of the pixels that `wanted` picks, at most kSamples, evenly over the picture.
template <typename Wanted>
std::vector<uint8_t> Sample(const PhotoPixels& photo, const Wanted& wanted) {
  const size_t pixels = static_cast<size_t>(photo.width) * photo.height;
  size_t count = 0;
  for (size_t i = 0; i < pixels; ++i) count += wanted(i);
  const size_t stride = count / kSamples + 1;
  std::vector<uint8_t> colours;
  size_t seen = 0;
  for (size_t i = 0; i < pixels; ++i) {
    if (!wanted(i) || seen++ % stride != 0) continue;
    for (int k = 0; k < 3; ++k) colours.push_back(photo.data[i * photo.channels + k]);
  }
  return colours;
}

}  // namespace

Status HeadMatte(const HeadModel& model, const float* positions, const Camera& camera,
                 const PhotoPixels* photo, const MatteOptions& options, Arena& arena,
                 const TaskControl& control, uint8_t* matte) {
  const int width = camera.width, height = camera.height;
  if (photo != nullptr && (photo->width != width || photo->height != height ||
                           photo->channels < 3 || photo->channels > 4)) {
    return Status(Code::kBadArgument,
                  "matte: the photo must have the camera's size and 3 or 4 channels");
  }
  const size_t pixels = static_cast<size_t>(width) * height;
  uint8_t* face = nullptr;
  DAF_RETURN_IF_ERROR(arena.Allocate(pixels, &face));
  DAF_RETURN_IF_ERROR(Silhouette(model, positions, camera, true, control, matte));
  DAF_RETURN_IF_ERROR(Silhouette(model, positions, camera, false, control, face));
  if (std::none_of(matte, matte + pixels, [](uint8_t m) { return m >= 128; })) {
    return Status(Code::kBadArgument, "matte: the head covers no pixel of the photo");
  }
  const float depth = -camera.translation[2],
              eyes = camera.focal / std::max(1e-3f, depth) * EyeDistance(model);
  float *alpha, *scratch, *distance;
  for (float** buffer : {&alpha, &scratch, &distance})
    DAF_RETURN_IF_ERROR(arena.Allocate(pixels, buffer));
  for (size_t i = 0; i < pixels; ++i) alpha[i] = static_cast<float>(matte[i]) / 255;

  if (photo != nullptr && options.refine) {
    // Inside is measured from the face's silhouette, outside from that of the whole head; modelled
    // hair, neck and shoulders between them are a guess, so there the colours decide.
    DistanceTo([&](int x, int y) { return matte[static_cast<size_t>(y) * width + x] >= 128; },
               width, height, scratch);
    DistanceTo([&](int x, int y) { return face[static_cast<size_t>(y) * width + x] < 128; }, width,
               height, distance);
    for (size_t i = 0; i < pixels; ++i) {
      distance[i] = scratch[i] > 0    ? 0.5f - scratch[i]
                    : distance[i] > 0 ? distance[i] - 0.5f
                                      : 0.55f * kInside * eyes;
      distance[i] /= eyes;
    }
    DAF_RETURN_IF_ERROR(control.Check());
    // What is worn often has the hair's colour: above the chin the backdrop is what lies above it.
    const AboveChin above(model, camera);
    const auto outside = [&](size_t i) {
      return distance[i] >= -kBackdrop && distance[i] <= -kOutside;
    };
    Mixture head, upper, all;
    const auto learn = [&](size_t least, const auto& wanted, Mixture* out) -> Status {
      const std::vector<uint8_t> colours = Sample(*photo, wanted);
      if (colours.size() / 3 >= least) out->Learn(colours.data(), colours.size() / 3);
      return control.Check();
    };
    DAF_RETURN_IF_ERROR(learn(
        1, [&](size_t i) { return distance[i] >= kInside; }, &head));
    DAF_RETURN_IF_ERROR(learn(
        kLeast, [&](size_t i) { return outside(i) && above(i); }, &upper));
    DAF_RETURN_IF_ERROR(learn(1, outside, &all));
    for (size_t i = 0; i < pixels; ++i) {
      if (i % 4096 == 0) DAF_RETURN_IF_ERROR(control.Check());
      if (distance[i] >= kInside || distance[i] <= -kOutside) {
        alpha[i] = distance[i] > 0 ? 1.0f : 0.0f;
        continue;
      }
      float odds = std::clamp(10 * kSlope * distance[i], -kMost, kMost);
      const Mixture& backdrop = above(i) && !upper.empty ? upper : all;
      if (!head.empty && !backdrop.empty) {
        const uint8_t* c = photo->data + i * photo->channels;
        odds += std::clamp(head.LogLikelihood(c) - backdrop.LogLikelihood(c), -kMost, kMost);
      }
      alpha[i] = 1 / (1 + std::exp(-odds));
    }
    BoxMean(alpha, width, height, std::max(1, static_cast<int>(std::lround(0.012f * eyes))),
            scratch);
    KeepConnected(distance, kInside, width, height, alpha);
    FillHoles(width, height, static_cast<size_t>(0.09f * eyes * eyes), alpha);
    DAF_RETURN_IF_ERROR(control.Check());
    DAF_RETURN_IF_ERROR(GuidedFilter(
        *photo, std::max(2, static_cast<int>(std::lround(0.03f * eyes))), 1e-3f, arena, alpha));
  } else {
    Soften(alpha, width, height, std::max(1, static_cast<int>(std::lround(0.01f * eyes))), scratch);
  }
  for (size_t i = 0; i < pixels; ++i) matte[i] = static_cast<uint8_t>(std::lround(255 * alpha[i]));
  return Status::Ok();
}

}  // namespace daf::head
