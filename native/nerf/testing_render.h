// Pictures of fields given by functions, for tests of rendering. The box is [−1, 1]³.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "native/nerf/renderer.h"
#include "native/nerf/testing_field.h"
#include "native/nerf/testing_scene.h"

namespace daf::nerf::testing {

inline std::unique_ptr<Model> ModelOf(Analytic f, uint32_t occupancy = 32) {
  std::unique_ptr<Model> model;
  EXPECT_TRUE(
      Model::Make(std::make_unique<AnalyticField>(std::move(f)), Box(), occupancy, &model).ok());
  return model;
}

inline Window Whole(const Camera& camera) { return {0, 0, camera.width, camera.height}; }

struct Image {
  explicit Image(const Camera& camera) : Image(Whole(camera)) {}
  explicit Image(const Window& window)
      : rgba(size_t{window.width} * window.height * 4),
        color(size_t{window.width} * window.height * 3),
        depth(size_t{window.width} * window.height),
        opacity(size_t{window.width} * window.height),
        normal(size_t{window.width} * window.height * 3) {}
  // Without normals, which cost evaluations of their own.
  RenderTargets targets() {
    return {rgba.data(), color.data(), depth.data(), opacity.data(), nullptr};
  }
  RenderTargets all() {
    return {rgba.data(), color.data(), depth.data(), opacity.data(), normal.data()};
  }
  std::vector<uint8_t> rgba;
  std::vector<float> color, depth, opacity, normal;
  RenderStats stats;
};

inline Image RenderOf(Model* model, const Camera& camera, const RenderOptions& options = {}) {
  Renderer renderer;
  Image image(camera);
  const Status status = renderer.Render(model, camera, Whole(camera), options, image.targets(),
                                        TaskControl(), &image.stats);
  EXPECT_TRUE(status.ok()) << status.message();
  return image;
}

inline void Grey(float, float, float, float c[3]) { c[0] = c[1] = c[2] = 0.5f; }

}  // namespace daf::nerf::testing
