// Test only: reads the ICT-FaceKit test data into a HeadModel.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "native/head/head_model.h"

namespace daf::head::ict {

constexpr size_t kPositions = 26719, kNarrowFace = 6706, kFace = 9409;

inline std::string Folder() {
  const char* shared = std::getenv("DAF_SHARED_DATA");
  return std::string(shared != nullptr ? shared : "../shared/data") + "/heads/ict_facekit/";
}

inline std::vector<char> ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline float HalfToFloat(uint16_t h) {
  const int exponent = (h >> 10) & 31, mantissa = h & 1023;
  const float sign = (h & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

inline std::vector<float> ReadHalves(const std::string& path, size_t modes) {
  const std::vector<char> bytes = ReadAll(path);
  std::vector<float> out(modes * kPositions * 3);
  if (bytes.size() < out.size() * 2) return {};
  const uint16_t* halves = reinterpret_cast<const uint16_t*>(bytes.data());
  for (size_t i = 0; i < out.size(); ++i) out[i] = HalfToFloat(halves[i]);
  return out;
}

// The quoted strings after `key`'s opening bracket up to its closing one.
inline std::vector<std::string> ReadNames(const std::string& json, const std::string& key) {
  std::vector<std::string> names;
  size_t at = json.find('"' + key + '"');
  if (at == std::string::npos) return names;
  const size_t end = json.find(']', at);
  at = json.find('[', at);
  while ((at = json.find('"', at)) < end) {
    const size_t close = json.find('"', at + 1);
    names.push_back(json.substr(at + 1, close - at - 1));
    at = close + 1;
  }
  return names;
}

inline std::vector<uint32_t> ReadIndices(const std::string& json, const std::string& key) {
  std::vector<uint32_t> out;
  size_t at = json.find('"' + key + '"');
  if (at == std::string::npos) return out;
  at = json.find('[', at) + 1;
  std::istringstream list(json.substr(at, json.find(']', at) - at));
  for (uint32_t value = 0; list >> value;) {
    out.push_back(value);
    list.ignore(8, ',');
  }
  return out;
}

inline void ReadMesh(const std::string& path, HeadModel* model) {
  std::ifstream file(path);
  std::vector<float> uv;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> render;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "vt") {
      float u = 0, v = 0;
      words >> u >> v;
      uv.push_back(u);
      uv.push_back(1 - v);
    } else if (kind == "f") {
      std::vector<uint32_t> corners;
      uint32_t position = 0, texture = 0;
      for (char slash = 0; words >> position >> slash >> texture;) {
        const auto key = std::make_pair(position - 1, texture - 1);
        const auto [found, added] = render.emplace(key, static_cast<uint32_t>(render.size()));
        if (added) {
          model->source.push_back(key.first);
          model->uv.push_back(uv[2 * size_t{key.second}]);
          model->uv.push_back(uv[2 * size_t{key.second} + 1]);
        }
        corners.push_back(found->second);
      }
      for (size_t k = 2; k < corners.size(); ++k) {
        for (uint32_t c : {corners[0], corners[k - 1], corners[k]}) model->triangles.push_back(c);
      }
    }
  }
}

// The nearest position to each one's reflection; good enough for a mesh that is symmetric to a few
// micrometres.
inline void FindMirror(HeadModel* model) {
  const float cell = 0.05f;
  std::map<std::tuple<int, int, int>, std::vector<uint32_t>> grid;
  const auto index = [&](float x) { return static_cast<int>(std::floor(x / cell)); };
  const float* p = model->mean.data();
  for (uint32_t v = 0; v < model->position_count; ++v) {
    grid[{index(p[3 * v]), index(p[3 * v + 1]), index(p[3 * v + 2])}].push_back(v);
  }
  model->mirror.resize(model->position_count);
  for (uint32_t v = 0; v < model->position_count; ++v) {
    const float q[3] = {-p[3 * v], p[3 * v + 1], p[3 * v + 2]};
    float nearest = 1e30f;
    model->mirror[v] = v;
    for (int dx = -1; dx <= 1; ++dx)
      for (int dy = -1; dy <= 1; ++dy)
        for (int dz = -1; dz <= 1; ++dz) {
          const auto found = grid.find({index(q[0]) + dx, index(q[1]) + dy, index(q[2]) + dz});
          if (found == grid.end()) continue;
          for (uint32_t o : found->second) {
            const float d = std::pow(p[3 * o] - q[0], 2) + std::pow(p[3 * o + 1] - q[1], 2) +
                            std::pow(p[3 * o + 2] - q[2], 2);
            if (d < nearest) {
              nearest = d;
              model->mirror[v] = o;
            }
          }
        }
  }
  for (uint32_t v = 0; v < model->position_count; ++v) {  // an involution, or its own mirror
    if (model->mirror[model->mirror[v]] != v) model->mirror[v] = v;
  }
}

// Lines over the cheek: for every jaw landmark the face's vertices near the plane across the jaw,
// from front to back.
inline void FindContours(HeadModel* model) {
  const float* p = model->mean.data();
  const auto at = [&](int landmark) { return p + 3 * size_t{model->landmarks[landmark]}; };
  for (int i = 0; i < 17; ++i) {
    const float *x = at(i), *before = at(std::max(0, i - 1)), *after = at(std::min(16, i + 1));
    float t[3], length = 0;
    for (int k = 0; k < 3; ++k) length += std::pow(t[k] = after[k] - before[k], 2);
    for (float& c : t) c /= std::sqrt(length);
    std::map<int, std::pair<float, uint32_t>> bins;  // by depth in front of the landmark
    for (uint32_t v = 0; v < kFace; ++v) {
      const float d[3] = {p[3 * v] - x[0], p[3 * v + 1] - x[1], p[3 * v + 2] - x[2]};
      const float off = std::abs(d[0] * t[0] + d[1] * t[1] + d[2] * t[2]);
      if (off > 0.3f || d[2] < 0.2f || d[2] > 5.0f || std::hypot(d[0], d[1]) > 4.0f) continue;
      const int bin = static_cast<int>(d[2] / 0.4f);
      const auto found = bins.find(bin);
      if (found == bins.end() || off < found->second.first) bins[bin] = {off, v};
    }
    for (auto it = bins.rbegin(); it != bins.rend(); ++it)
      model->contour[i].push_back(it->second.second);
    model->contour[i].push_back(model->landmarks[i]);
  }
}

// False when the test data is not there.
inline bool Load(HeadModel* model, bool topology) {
  const std::vector<char> neutral = ReadAll(Folder() + "neutral_26719x3_f32.bin");
  if (neutral.size() != kPositions * 12) return false;
  model->name = "ict-facekit";
  model->position_count = kPositions;
  const float* positions = reinterpret_cast<const float*>(neutral.data());
  model->mean.assign(positions, positions + 3 * kPositions);
  model->identity = ReadHalves(Folder() + "identity_delta_100x26719x3_f16.bin", 100);
  model->expression = ReadHalves(Folder() + "expression_delta_57x26719x3_f16.bin", 57);
  const std::vector<char> names = ReadAll(Folder() + "names.json"),
                          lists = ReadAll(Folder() + "vertex_indices.json");
  const std::string names_text(names.begin(), names.end()), lists_text(lists.begin(), lists.end());
  model->identity_names = ReadNames(names_text, "identity");
  model->expression_names = ReadNames(names_text, "expressions");
  const std::vector<uint32_t> landmarks = ReadIndices(lists_text, "idx_to_landmark_verts");
  if (landmarks.size() != kLandmarks || model->identity_names.size() != 100 ||
      model->expression_names.size() != 57)
    return false;
  std::copy(landmarks.begin(), landmarks.end(), model->landmarks.begin());
  // Origin midway between the eyeball centres, about 1.2 cm behind the lids.
  float origin[3] = {0, 0, -1.2f};
  for (int i = 36; i < 48; ++i) {
    for (int k = 1; k < 3; ++k) origin[k] += model->mean[3 * size_t{model->landmarks[i]} + k] / 12;
  }
  for (size_t i = 0; i < model->mean.size(); ++i) model->mean[i] -= origin[i % 3];
  FindContours(model);
  if (topology) {
    ReadMesh(Folder() + "generic_neutral_mesh.obj", model);
    FindMirror(model);
    model->parts.push_back({"skin", 0, model->triangle_count(), 0, model->render_count()});
  } else {
    model->mirror.clear();
  }
  return true;
}

}  // namespace daf::head::ict
