#include "native/head/synth/faces/lens.h"

#include <algorithm>
#include <cmath>

#include "native/head/raster/shade.h"

namespace daf::head {
namespace {

using Planes = std::vector<float>;  // [3][height][width]

// Mean over the source pixels below each pixel; linear between pixels where it enlarges.
Planes Resize(const Planes& from, int w, int h, int to_w, int to_h) {
  Planes half(size_t{3} * static_cast<size_t>(to_w) * static_cast<size_t>(h)),
      out(size_t{3} * static_cast<size_t>(to_w) * static_cast<size_t>(to_h));
  auto weights = [](int length, int target, int at, int* first, float* w8) {
    const float step = static_cast<float>(length) / target, reach = std::max(1.0f, step);
    const float centre = (static_cast<float>(at) + 0.5f) * step - 0.5f;
    *first = static_cast<int>(std::ceil(centre - reach));
    const int last = std::min(*first + 15, static_cast<int>(std::floor(centre + reach)));
    float sum = 0;
    for (int i = *first; i <= last; ++i)
      sum += w8[i - *first] = std::max(0.0f, 1 - std::abs(static_cast<float>(i) - centre) / reach);
    for (int i = *first; i <= last; ++i) w8[i - *first] /= sum;
    return last - *first + 1;
  };
  for (int x = 0; x < to_w; ++x) {
    float w8[16];
    int first;
    const int n = weights(w, to_w, x, &first, w8);
    for (int row = 0; row < 3 * h; ++row) {
      const float* line = &from[static_cast<size_t>(row) * w];
      float sum = 0;
      for (int i = 0; i < n; ++i) sum += w8[i] * line[std::clamp(first + i, 0, w - 1)];
      half[static_cast<size_t>(row) * to_w + x] = sum;
    }
  }
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < to_h; ++y) {
      float w8[16];
      int first;
      const int n = weights(h, to_h, y, &first, w8);
      float* line = &out[(static_cast<size_t>(c) * to_h + y) * to_w];
      for (int i = 0; i < n; ++i) {
        const float* source =
            &half[(static_cast<size_t>(c) * h + std::clamp(first + i, 0, h - 1)) * to_w];
        for (int x = 0; x < to_w; ++x) line[x] += w8[i] * source[x];
      }
    }
  }
  return out;
}

// Convolves along one direction with taps at (dx, dy)·(−n…n).
void Convolve(Planes* planes, int w, int h, const std::vector<float>& kernel, float dx, float dy) {
  const Planes from = *planes;
  const int n = static_cast<int>(kernel.size()) / 2;
  std::vector<int> right(kernel.size()), down(kernel.size());
  for (int i = -n; i <= n; ++i) {
    right[i + n] = static_cast<int>(std::lround(dx * i));
    down[i + n] = static_cast<int>(std::lround(dy * i));
  }
  for (int row = 0; row < 3 * h; ++row) {
    const int y = row % h;
    float* out = &(*planes)[static_cast<size_t>(row) * w];
    std::fill(out, out + w, 0.0f);
    for (int i = 0; i <= 2 * n; ++i) {
      const float* line =
          &from[static_cast<size_t>(row - y + std::clamp(y + down[i], 0, h - 1)) * w];
      const int first = std::clamp(-right[i], 0, w), last = std::clamp(w - right[i], 0, w);
      for (int x = 0; x < first; ++x) out[x] += kernel[i] * line[0];
      for (int x = first; x < last; ++x) out[x] += kernel[i] * line[x + right[i]];
      for (int x = last; x < w; ++x) out[x] += kernel[i] * line[w - 1];
    }
  }
}

void Blur(Planes* planes, int w, int h, float sigma) {
  const int n = std::max(1, static_cast<int>(std::ceil(2.5f * sigma)));
  std::vector<float> kernel(2 * n + 1);
  float sum = 0;
  for (int i = -n; i <= n; ++i)
    sum += kernel[i + n] = std::exp(-0.5f * static_cast<float>(i * i) / (sigma * sigma));
  for (float& k : kernel) k /= sum;
  Convolve(planes, w, h, kernel, 1, 0);
  Convolve(planes, w, h, kernel, 0, 1);
}

// sRGB of 0…2 linear in 4096 steps.
float ToSrgb(float linear) {
  static const std::vector<float> table = [] {
    std::vector<float> t(4097);
    for (int i = 0; i <= 4096; ++i) t[i] = LinearToSrgb(static_cast<float>(i) / 4096);
    return t;
  }();
  const float at = std::clamp(linear, 0.0f, 1.0f) * 4096;
  const size_t i = std::min<size_t>(4095, static_cast<size_t>(at));
  return table[i] + (at - static_cast<float>(i)) * (table[i + 1] - table[i]);
}

void Develop(Rng& rng, const Canvas& canvas, int w, int h, Planes* planes) {
  float gain[3];
  const float warm = 0.16f * std::clamp(rng.Normal(), -2.0f, 2.0f),
              tint = 0.04f * std::clamp(rng.Normal(), -2.0f, 2.0f);
  const float exposure = std::exp(0.35f * std::clamp(rng.Normal(), -2.0f, 2.0f));
  gain[0] = exposure * (1 + warm);
  gain[1] = exposure * (1 + tint);
  gain[2] = exposure * (1 - warm);
  const float contrast = std::exp(0.16f * rng.Normal()), lift = rng.Uniform(-0.03f, 0.06f);
  const float saturation = rng.Uniform() < 0.08f ? 0 : rng.Uniform(0.6f, 1.25f);
  const float shoulder = rng.Uniform(0.45f, 0.95f);
  const int s = canvas.samples;
  const float share = 1.0f / static_cast<float>(s * s);
  const size_t area = static_cast<size_t>(w) * static_cast<size_t>(h);
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      float sum[3] = {0, 0, 0};
      for (int j = 0; j < s; ++j)
        for (int i = 0; i < s; ++i) {
          const Colour& c = canvas.light[canvas.At(x * s + i, y * s + j)];
          sum[0] += c.r;
          sum[1] += c.g;
          sum[2] += c.b;
        }
      float out[3];
      for (int c = 0; c < 3; ++c) {
        const float v = sum[c] * share * gain[c];
        const float toned =
            v < shoulder
                ? v
                : shoulder + (1 - shoulder) * (1 - std::exp((shoulder - v) / (1 - shoulder)));
        out[c] = lift + (0.5f + contrast * (ToSrgb(toned) - 0.5f)) * (1 - std::abs(lift));
      }
      const float grey = 0.3f * out[0] + 0.59f * out[1] + 0.11f * out[2];
      for (int c = 0; c < 3; ++c)
        (*planes)[c * area + static_cast<size_t>(y) * w + x] =
            255 * std::clamp(grey + saturation * (out[c] - grey), 0.0f, 1.0f);
    }
  }
}

void AddNoise(Rng& rng, int w, int h, Planes* planes) {
  const float luma = 12 * std::pow(rng.Uniform(), 2.5f), chroma = luma * rng.Uniform(0, 0.8f);
  if (luma < 0.3f) return;
  const size_t area = static_cast<size_t>(w) * static_cast<size_t>(h);
  // Four uniforms of one draw: near enough to a Gaussian, and cheap.
  auto normal = [&] {
    const uint32_t bits = rng.Next();
    const int sum =
        static_cast<int>((bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24)) -
        510;
    return static_cast<float>(sum) / 148;
  };
  for (size_t i = 0; i < area; ++i) {
    const float n = luma * normal();
    for (int c = 0; c < 3; ++c) (*planes)[c * area + i] += n + chroma * normal();
  }
}

}  // namespace

void Expose(Rng& rng, const Canvas& canvas, float finest, uint8_t* rgb) {
  const int w = canvas.width / canvas.samples, h = canvas.height / canvas.samples;
  Planes planes(size_t{3} * static_cast<size_t>(w) * static_cast<size_t>(h));
  Develop(rng, canvas, w, h, &planes);
  const float kept = rng.Uniform() < 0.4f ? 1 : rng.Uniform(finest, 1);
  const int small_w = std::max(8, static_cast<int>(std::lround(kept * w))),
            small_h = std::max(8, static_cast<int>(std::lround(kept * h)));
  if (rng.Uniform() < 0.4f) Blur(&planes, w, h, rng.Uniform(0.3f, 1.3f) / kept);
  if (rng.Uniform() < 0.1f) {
    const float angle = rng.Uniform(0, 3.1416f);
    const int n = 1 + static_cast<int>(rng.Below(2));
    Convolve(&planes, w, h, std::vector<float>(2 * n + 1, 1.0f / static_cast<float>(2 * n + 1)),
             std::cos(angle), std::sin(angle));
  }
  if (kept < 1) planes = Resize(planes, w, h, small_w, small_h);
  if (rng.Uniform() < 0.7f) AddNoise(rng, small_w, small_h, &planes);
  if (rng.Uniform() < 0.25f) {
    Planes soft = planes;
    Blur(&soft, small_w, small_h, 0.8f);
    const float strength = rng.Uniform(0.3f, 1.5f);
    for (size_t i = 0; i < planes.size(); ++i) planes[i] += strength * (planes[i] - soft[i]);
  }
  if (rng.Uniform() < 0.7f) {
    const int quality = 25 + static_cast<int>(rng.Below(72));
    Requantise(quality, rng.Uniform() < 0.6f, small_w, small_h, &planes);
  }
  for (float& v : planes) v = std::clamp(v, 0.0f, 255.0f);
  if (kept < 1) planes = Resize(planes, small_w, small_h, w, h);
  const size_t area = static_cast<size_t>(w) * static_cast<size_t>(h);
  for (size_t i = 0; i < area; ++i)
    for (size_t c = 0; c < 3; ++c)
      rgb[3 * i + c] = static_cast<uint8_t>(std::clamp(planes[c * area + i], 0.0f, 255.0f) + 0.5f);
}

}  // namespace daf::head
