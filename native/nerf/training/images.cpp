#include "native/nerf/training/images.h"

#include <algorithm>
#include <cmath>

#include "native/nerf/views.h"

namespace daf::nerf {
namespace {

constexpr uint32_t kTogether = 4;  // cells along each axis that are tested as one ball

// The point at coordinates of the unit cube, and how much longer lengths are there.
float FromUnit(const Box& box, const float unit[3], float point[3]) {
  float q[3], off = 0;
  for (int a = 0; a < 3; ++a) {
    q[a] = (box.unbounded ? 4.0f : 2.0f) * (unit[a] - 0.5f);
    off = std::max(off, std::fabs(q[a]));
  }
  const float far = box.unbounded && off > 1 ? 1 / (2 - off) : 1.0f;
  const float scale = far > 1 ? far / off : 1.0f;
  for (int a = 0; a < 3; ++a)
    point[a] = 0.5f * (box.min[a] + box.max[a] + q[a] * scale * box.side(a));
  return (box.unbounded ? 2.0f : 1.0f) * far * far;
}

bool Sees(const Camera& camera, const float point[3], float radius, float slack) {
  float pixel[2], depth;
  if (!Project(camera, point, pixel, &depth)) return false;
  const float width = static_cast<float>(camera.width), height = static_cast<float>(camera.height);
  if (depth <= radius) return depth > -radius;  // around the camera: as good as seen
  const float beyond = slack * width, u = camera.focal[0] * radius / depth + beyond,
              v = camera.focal[1] * radius / depth + beyond;
  return pixel[0] > -u && pixel[0] < width + u && pixel[1] > -v && pixel[1] < height + v;
}

}  // namespace

Status TrainingImages::Add(const TrainingImage& image) {
  DAF_RETURN_IF_ERROR(CheckCamera(image.camera));
  if (image.pixels.width() != image.camera.width || image.pixels.height() != image.camera.height)
    return Status(Code::kBadArgument, "training image: not of its camera's size");
  images_.push_back(image);
  end_.push_back((end_.empty() ? 0 : end_.back()) +
                 uint64_t{image.camera.width} * image.camera.height);
  return Status::Ok();
}

bool TrainingImages::Draw(Rng* rng, TrainingRay* out) const {
  const uint64_t bits = (uint64_t{rng->Next()} << 32) | rng->Next();
  const uint64_t at =
      static_cast<uint64_t>((static_cast<unsigned __int128>(bits) * end_.back()) >> 64);
  const size_t i =
      static_cast<size_t>(std::upper_bound(end_.begin(), end_.end(), at) - end_.begin());
  const TrainingImage& image = images_[i];
  const uint64_t pixel = at - (i == 0 ? 0 : end_[i - 1]);
  const uint32_t x = static_cast<uint32_t>(pixel % image.camera.width),
                 y = static_cast<uint32_t>(pixel / image.camera.width);
  const uint8_t* rgba = image.pixels.Pixel(x, y);
  if (StoredImage::Ignored(rgba)) return false;
  out->ray = PixelRay(image.camera, static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
  for (int c = 0; c < 3; ++c) out->color[c] = static_cast<float>(rgba[c]) / 255;
  out->alpha = static_cast<float>(rgba[3]) / 255;
  out->image = static_cast<uint32_t>(i);
  return true;
}

bool TrainingImages::ShownTooNear(const float point[3], float near) const {
  return std::any_of(images_.begin(), images_.end(), [&](const TrainingImage& image) {
    float pixel[2], depth;
    return Project(image.camera, point, pixel, &depth) && depth > 0 && depth < near &&
           pixel[0] > 0 && pixel[0] < static_cast<float>(image.camera.width) && pixel[1] > 0 &&
           pixel[1] < static_cast<float>(image.camera.height);
  });
}

Status TrainingImages::ForbidUnseen(const Box& box, float near, float slack, Occupancy* grid,
                                    const TaskControl& control) const {
  near *= 1 - slack;
  const uint32_t r = grid->resolution(), blocks = r / kTogether;
  const float size = 1.0f / static_cast<float>(blocks);
  bool any = false;
  for (uint32_t i = 0; i < blocks * blocks * blocks; ++i) {
    if (i % 256 == 0) DAF_RETURN_IF_ERROR(control.Check());
    const uint32_t b[3] = {i % blocks, i / blocks % blocks, i / blocks / blocks};
    float unit[3], point[3];
    for (int a = 0; a < 3; ++a) unit[a] = (static_cast<float>(b[a]) + 0.5f) * size;
    const float radius = FromUnit(box, unit, point) * box.edge() * size * 0.8660254f;
    bool seen = false, close = false;
    for (const TrainingImage& image : images_) {
      seen = seen || Sees(image.camera, point, radius, slack);
      float pixel[2], depth;
      close = close || (Project(image.camera, point, pixel, &depth) && depth < near + radius);
    }
    any = any || seen;
    if (seen && !close) continue;
    for (uint32_t k = 0; k < kTogether * kTogether * kTogether; ++k) {
      const uint32_t cell[3] = {b[0] * kTogether + k % kTogether,
                                b[1] * kTogether + k / kTogether % kTogether,
                                b[2] * kTogether + k / kTogether / kTogether};
      for (int a = 0; a < 3; ++a)
        unit[a] = (static_cast<float>(cell[a]) + 0.5f) / static_cast<float>(r);
      FromUnit(box, unit, point);
      if (!seen || ShownTooNear(point, near)) grid->Forbid(cell[0], cell[1], cell[2]);
    }
  }
  if (!any) {
    return Status(Code::kBadData, "training: no picture sees any of the field's box",
                  "check the cameras' convention and the box");
  }
  grid->ResetToAllowed();
  return Status::Ok();
}

void TrainingImages::MedianColor(uint64_t seed, float out[3]) const {
  constexpr uint32_t kDraws = 4096;
  Rng rng(seed, 12);
  std::vector<float> channels[3];
  TrainingRay ray;
  for (uint32_t i = 0; i < kDraws; ++i) {
    if (!Draw(&rng, &ray)) continue;
    for (int c = 0; c < 3; ++c) channels[c].push_back(ray.color[c]);
  }
  for (int c = 0; c < 3; ++c) {
    out[c] = 0.5f;
    if (channels[c].empty()) continue;
    const auto middle = channels[c].begin() + static_cast<std::ptrdiff_t>(channels[c].size() / 2);
    std::nth_element(channels[c].begin(), middle, channels[c].end());
    out[c] = *middle;
  }
}

}  // namespace daf::nerf
