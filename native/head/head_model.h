// The parametric head: one topology, identity and expression as linear modes, and what fitting,
// texturing and export must know about its vertices. Head space: y up, +z out of the face, +x the
// subject's left, centimetres, origin midway between the eyeball centres.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "native/base/status.h"

namespace daf::head {

constexpr int kLandmarks =
    68;  // iBUG order: 0–16 jaw from the subject's right ear to the left, … 60–67 inner lips

// A named run of triangles (and of the render vertices they use): "skin", "eye_left", "eye_right",
// "mouth", "teeth", "hair", …
struct Part {
  std::string name;
  uint32_t first_triangle = 0, triangle_count = 0;
  uint32_t first_vertex = 0, vertex_count = 0;  // render vertices
};

// Positions are what shapes move; render vertices are positions split at UV seams, and what
// triangles index.
struct HeadModel {
  std::string name;                         // "daf-head-1", "ict-facekit", …
  uint32_t position_count = 0;              // V
  std::vector<float> mean;                  // [V][3] cm
  std::vector<std::string> identity_names;  // M
  std::vector<float> identity;  // [M][V][3] cm per unit of a coefficient that is about N(0,1)
  std::vector<std::string> expression_names;  // E, ARKit's names where one exists
  std::vector<float> expression;              // [E][V][3] cm at weight 1; weights in [0,1]
  std::vector<uint32_t> source;               // [R] render vertex → position
  std::vector<float> uv;            // [R][2], glTF sense: (0,0) is the top left of the image
  std::vector<uint32_t> triangles;  // [T][3] render vertices, counter-clockwise seen from outside
  std::vector<Part> parts;
  std::vector<uint32_t> mirror;  // [V] the position on the other side; itself on the midline
  std::array<uint32_t, kLandmarks> landmarks{};  // positions
  std::array<std::vector<uint32_t>, 17>
      contour;  // jaw landmarks: candidates from front to back along that line

  uint32_t render_count() const { return static_cast<uint32_t>(source.size()); }
  uint32_t triangle_count() const { return static_cast<uint32_t>(triangles.size() / 3); }

  // out[V][3] = mean + Σ identity·alpha + Σ expression·beta. Shorter coefficient vectors mean
  // zeros.
  void Shape(const float* alpha, size_t alpha_count, const float* beta, size_t beta_count,
             float* out) const;

  // safetensors, all of the above; names and parts in its metadata. Errors: kIo, kBadData with the
  // tensor's name.
  static Status Load(const std::string& path, HeadModel* out);
  Status Save(const std::string& path) const;
  // Sizes agree, indices are in range, mirror is an involution, values are finite. Load calls it.
  Status Validate() const;
};

}  // namespace daf::head
