// Poses that are wrong by known amounts, and how wrong poses are.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "native/base/rng.h"
#include "native/nerf/renderer.h"
#include "native/nerf/training/pose_space.h"
#include "native/nerf/training/testing_photos.h"

namespace daf::nerf::testing {

// Each turned by `degrees` and moved by `length`, about and along directions of its own.
inline std::vector<Photo> Disturbed(std::vector<Photo> photos, float degrees, float length) {
  Rng rng(77);
  for (Photo& photo : photos) {
    PoseVector motion;
    for (int part = 0; part < 2; ++part) {
      double axis[3], size;
      do {
        for (double& v : axis) v = double{rng.Uniform(-1, 1)};
        size = std::sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]);
      } while (size > 1 || size < 0.1);
      const double by = part == 0 ? double{length} : double{degrees} * M_PI / 180;
      for (int a = 0; a < 3; ++a) motion[3 * part + a] = axis[a] / size * by;
    }
    photo.camera = Corrected(photo.camera, motion);
  }
  return photos;
}

inline void CentreOf(const Camera& camera, double out[3]) {
  for (int a = 0; a < 3; ++a) {
    out[a] = 0;
    for (int b = 0; b < 3; ++b)
      out[a] -= double{camera.rotation[3 * b + a]} * double{camera.translation[b]};
  }
}

// How far cameras are from those of the photos, once the turn, shift and growth that suit all of
// them best are taken out: degrees, lengths.
struct PoseErrors {
  double turn, largest_turn, centre, largest_centre;  // the middle one and the largest

  static PoseErrors Of(const std::vector<Camera>& cameras, const std::vector<Photo>& truth) {
    const size_t n = cameras.size();
    // Of small turns the mean is that of the differences' axes.
    std::vector<double> turns(3 * n), centres(3 * n), wanted(3 * n);
    double mean_turn[3] = {}, mean[3] = {}, mean_wanted[3] = {};
    for (size_t i = 0; i < n; ++i) {
      double relative[3][3];  // the camera's axes by those of the truth
      for (int a = 0; a < 3; ++a) {
        for (int b = 0; b < 3; ++b) {
          relative[a][b] = 0;
          for (int k = 0; k < 3; ++k)
            relative[a][b] += double{cameras[i].rotation[3 * k + a]} *
                              double{truth[i].camera.rotation[3 * k + b]};
        }
      }
      for (int a = 0; a < 3; ++a) {
        const int b = (a + 1) % 3, c = (a + 2) % 3;
        turns[3 * i + a] = (relative[c][b] - relative[b][c]) / 2;
        mean_turn[a] += turns[3 * i + a] / static_cast<double>(n);
      }
      CentreOf(cameras[i], &centres[3 * i]);
      CentreOf(truth[i].camera, &wanted[3 * i]);
    }
    for (size_t i = 0; i < n; ++i) {  // undo the mean turn
      const double c[3] = {centres[3 * i], centres[3 * i + 1], centres[3 * i + 2]};
      for (int a = 0; a < 3; ++a) {
        const int b = (a + 1) % 3, d = (a + 2) % 3;
        centres[3 * i + a] -= mean_turn[b] * c[d] - mean_turn[d] * c[b];
        mean[a] += centres[3 * i + a] / static_cast<double>(n);
        mean_wanted[a] += wanted[3 * i + a] / static_cast<double>(n);
      }
    }
    double both = 0, own = 0;
    for (size_t k = 0; k < 3 * n; ++k) {
      both += (centres[k] - mean[k % 3]) * (wanted[k] - mean_wanted[k % 3]);
      own += (centres[k] - mean[k % 3]) * (centres[k] - mean[k % 3]);
    }
    std::vector<double> turned, moved;
    for (size_t i = 0; i < n; ++i) {
      double turn = 0, centre = 0;
      for (int a = 0; a < 3; ++a) {
        const double t = turns[3 * i + a] - mean_turn[a],
                     c = (centres[3 * i + a] - mean[a]) * both / own -
                         (wanted[3 * i + a] - mean_wanted[a]);
        turn += t * t;
        centre += c * c;
      }
      turned.push_back(std::sqrt(turn) * 180 / M_PI);
      moved.push_back(std::sqrt(centre));
    }
    std::sort(turned.begin(), turned.end());
    std::sort(moved.begin(), moved.end());
    return {turned[n / 2], turned.back(), moved[n / 2], moved.back()};
  }
};

// Spheres all through the box, seen by wide lenses from nearby: such pictures tell a camera that
// moves from one that turns.
inline std::vector<Sphere> Cloud() {
  std::vector<Sphere> spheres;
  Rng rng(9);
  while (spheres.size() < 24) {
    Sphere s{};
    for (int a = 0; a < 3; ++a) {
      s.center[a] = rng.Uniform(-0.75f, 0.75f);
      s.color[a] = rng.Uniform(0.3f, 1);
    }
    s.radius = rng.Uniform(0.1f, 0.24f);
    spheres.push_back(s);
  }
  return spheres;
}

inline Camera Nearby(uint32_t i, float yaw = 0) {
  Camera camera = Orbit(yaw + static_cast<float>(i) * 2.399f,
                        -0.6f + 0.4f * static_cast<float>(i % 5), 2.4f, 80);
  camera.focal[0] = camera.focal[1] = 64;
  return camera;
}

inline std::vector<Photo> Nearby() {
  std::vector<Photo> photos;
  for (uint32_t i = 0; i < 30; ++i) photos.push_back(AsPhoto(Draw(Nearby(i), Cloud()), true));
  return photos;
}

// Of views of the cloud that training did not see, over black.
inline double HeldOutPsnr(Model* model) {
  double squares = 0;
  size_t count = 0;
  for (uint32_t view = 0; view < 4; ++view) {
    const Picture truth = Draw(Nearby(view, 0.9f), Cloud());
    const uint32_t side = truth.camera.width;
    std::vector<float> color(truth.rgb.size());
    RenderTargets targets;
    targets.color = color.data();
    Renderer renderer;
    RenderOptions options;
    options.transparent = false;
    RenderStats stats;
    EXPECT_TRUE(renderer
                    .Render(model, truth.camera, {0, 0, side, side}, options, targets,
                            TaskControl(), &stats)
                    .ok());
    for (size_t i = 0; i < color.size(); ++i)
      squares += (color[i] - truth.rgb[i]) * (color[i] - truth.rgb[i]);
    count += color.size();
  }
  return -10 * std::log10(squares / static_cast<double>(count));
}

}  // namespace daf::nerf::testing
