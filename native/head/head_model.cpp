#include "native/head/head_model.h"

#include <cmath>

namespace daf::head {
namespace {

void AddModes(const std::vector<float>& modes, size_t mode_count, const float* weights,
              size_t weight_count, size_t floats, float* out) {
  const size_t used = weight_count < mode_count ? weight_count : mode_count;
  for (size_t m = 0; m < used; ++m) {
    const float w = weights[m];
    if (w == 0) continue;
    const float* delta = modes.data() + m * floats;
    for (size_t i = 0; i < floats; ++i) out[i] += w * delta[i];
  }
}

Status Bad(const std::string& tensor, const std::string& what) {
  return Status(Code::kBadData, "head model: " + tensor + " " + what);
}

Status CheckFloats(const std::vector<float>& values, size_t expected, const char* name) {
  if (values.size() != expected) {
    return Bad(name, "holds " + std::to_string(values.size()) + " numbers instead of " +
                         std::to_string(expected));
  }
  for (float v : values) {
    if (!std::isfinite(v)) return Bad(name, "holds a number that is not finite");
  }
  return Status::Ok();
}

Status CheckIndices(const uint32_t* values, size_t count, uint32_t bound, const char* name) {
  for (size_t i = 0; i < count; ++i) {
    if (values[i] >= bound) {
      return Bad(name, "holds index " + std::to_string(values[i]) + " of " + std::to_string(bound));
    }
  }
  return Status::Ok();
}

}  // namespace

void HeadModel::Shape(const float* alpha, size_t alpha_count, const float* beta, size_t beta_count,
                      float* out) const {
  const size_t floats = size_t{position_count} * 3;
  for (size_t i = 0; i < floats; ++i) out[i] = mean[i];
  AddModes(identity, identity_names.size(), alpha, alpha_count, floats, out);
  AddModes(expression, expression_names.size(), beta, beta_count, floats, out);
}

Status HeadModel::Validate() const {
  const size_t floats = size_t{position_count} * 3;
  if (position_count == 0) return Bad("mean", "is empty");
  DAF_RETURN_IF_ERROR(CheckFloats(mean, floats, "mean"));
  DAF_RETURN_IF_ERROR(CheckFloats(identity, identity_names.size() * floats, "identity"));
  DAF_RETURN_IF_ERROR(CheckFloats(expression, expression_names.size() * floats, "expression"));
  DAF_RETURN_IF_ERROR(CheckFloats(uv, source.size() * 2, "uv"));
  DAF_RETURN_IF_ERROR(CheckIndices(source.data(), source.size(), position_count, "source"));
  if (triangles.size() % 3 != 0) return Bad("triangles", "is not a list of triples");
  DAF_RETURN_IF_ERROR(
      CheckIndices(triangles.data(), triangles.size(), render_count(), "triangles"));
  if (mirror.size() != position_count) return Bad("mirror", "does not hold one index a position");
  DAF_RETURN_IF_ERROR(CheckIndices(mirror.data(), mirror.size(), position_count, "mirror"));
  for (uint32_t i = 0; i < position_count; ++i) {
    if (mirror[mirror[i]] != i)
      return Bad("mirror", "is not its own inverse at " + std::to_string(i));
  }
  DAF_RETURN_IF_ERROR(
      CheckIndices(landmarks.data(), landmarks.size(), position_count, "landmarks"));
  for (const auto& line : contour) {
    DAF_RETURN_IF_ERROR(CheckIndices(line.data(), line.size(), position_count, "contour"));
  }
  for (const Part& part : parts) {
    if (uint64_t{part.first_triangle} + part.triangle_count > triangle_count() ||
        uint64_t{part.first_vertex} + part.vertex_count > render_count()) {
      return Bad("part " + part.name, "reaches past the mesh");
    }
    const uint32_t end = part.first_vertex + part.vertex_count;
    for (size_t i = size_t{part.first_triangle} * 3;
         i < size_t{part.first_triangle + part.triangle_count} * 3; ++i) {
      if (triangles[i] < part.first_vertex || triangles[i] >= end) {
        return Bad("part " + part.name, "uses a vertex of another part");
      }
    }
  }
  return Status::Ok();
}

}  // namespace daf::head
