// A field given by two functions, for tests of what stands on fields.
#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <utility>

#include "native/nerf/field.h"

namespace daf::nerf::testing {

// The published shape at another size: the input enters again half way, and the view layer has half
// the width.
inline ClassicConfig ClassicOf(uint32_t width, uint32_t depth, uint32_t position_frequencies,
                               uint32_t direction_frequencies) {
  ClassicConfig config;
  config.width = width;
  config.depth = depth;
  config.position_frequencies = position_frequencies;
  config.direction_frequencies = direction_frequencies;
  config.view_width = width / 2;
  config.skips = {depth / 2};
  return config;
}

struct Analytic {
  std::function<float(float, float, float)> density;  // at unit-cube coordinates, per box edge
  std::function<void(float, float, float, float[3])> color;
};

class AnalyticPass final : public FieldPass {
 public:
  explicit AnalyticPass(const Analytic& f) : f_(f), points_(3 * kPassSamples) {}
  uint32_t capacity() const override { return 480; }
  void Density(const PointArrays& p, uint32_t n, float* density) override {
    for (uint32_t i = 0; i < n; ++i) {
      density[i] = f_.density(p.x[i], p.y[i], p.z[i]);
      points_[3 * i] = p.x[i];
      points_[3 * i + 1] = p.y[i];
      points_[3 * i + 2] = p.z[i];
    }
  }
  void Color(const uint32_t* pick, const PointArrays&, uint32_t n,
             const ColorArrays& out) override {
    for (uint32_t i = 0; i < n; ++i) {
      float c[3];
      const float* p = &points_[size_t{3} * pick[i]];
      f_.color(p[0], p[1], p[2], c);
      out.r[i] = c[0];
      out.g[i] = c[1];
      out.b[i] = c[2];
    }
  }
  void Forward(const PointArrays&, const PointArrays&, uint32_t, float*,
               const ColorArrays&) override {}
  void Backward(const float*, const ColorArrays&, float*) override {}

 private:
  const Analytic& f_;
  std::vector<float> points_;
};

class AnalyticField final : public Field {
 public:
  explicit AnalyticField(Analytic f) : f_(std::move(f)) {}
  AnalyticField(Analytic f, Analytic coarse) : f_(std::move(f)), coarse_(std::move(coarse)) {}
  const char* kind() const override { return "analytic"; }
  void Pack() override {}
  std::vector<ParameterGroup> groups() const override { return {}; }
  Status NewPass(PassKind, Arena*, std::unique_ptr<FieldPass>* out) const override {
    *out = std::make_unique<AnalyticPass>(f_);
    return Status::Ok();
  }
  bool has_coarse() const override { return coarse_.density != nullptr; }
  Status NewCoarsePass(PassKind kind, Arena* arena,
                       std::unique_ptr<FieldPass>* out) const override {
    if (!has_coarse()) return Field::NewCoarsePass(kind, arena, out);
    *out = std::make_unique<AnalyticPass>(coarse_);
    return Status::Ok();
  }
  Status Save(Arena*, SafetensorsWriter*) const override { return Status::Ok(); }
  Status LoadTensors(const SafetensorsFile&) override { return Status::Ok(); }

 private:
  Analytic f_, coarse_;
};

}  // namespace daf::nerf::testing
