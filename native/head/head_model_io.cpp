// head.safetensors: the tensors by the names of HeadModel's fields; names and parts are lines of
// its metadata.
#include <sstream>

#include "native/base/safetensors.h"
#include "native/head/head_model.h"

namespace daf::head {
namespace {

constexpr char kFormat[] = "daf-head 1";

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Status ReadParts(const std::string& text, std::vector<Part>* parts) {
  parts->clear();
  for (const std::string& line : SplitLines(text)) {
    std::istringstream in(line);
    Part part;
    std::string rest;
    if (!(in >> part.name >> part.first_triangle >> part.triangle_count >> part.first_vertex >>
          part.vertex_count) ||
        (in >> rest)) {
      return Status(Code::kBadData,
                    "head model: the part \"" + line + "\" is not a name and four numbers");
    }
    parts->push_back(part);
  }
  return Status::Ok();
}

Status CopyLandmarks(const std::vector<uint32_t>& values, std::array<uint32_t, kLandmarks>* out) {
  for (size_t i = 0; i < out->size(); ++i) (*out)[i] = values[i];
  return Status::Ok();
}

// contour_start[18] cuts the flat list of candidates into the 17 lines.
Status CutContour(const std::vector<uint32_t>& start, const std::vector<uint32_t>& flat,
                  std::array<std::vector<uint32_t>, 17>* out) {
  for (size_t i = 0; i < out->size(); ++i) {
    if (start[i] > start[i + 1] || start[i + 1] > flat.size()) {
      return Status(Code::kBadData, "head model: contour_start does not cut contour");
    }
    (*out)[i].assign(flat.begin() + start[i], flat.begin() + start[i + 1]);
  }
  return Status::Ok();
}

}  // namespace

Status HeadModel::Load(const std::string& path, HeadModel* out) {
  constexpr uint64_t kAny = SafetensorsFile::kAny;
  SafetensorsFile file;
  DAF_RETURN_IF_ERROR(SafetensorsFile::Read(path, &file));
  HeadModel model;
  std::string format, identity, expression, parts;
  DAF_RETURN_IF_ERROR(file.Metadata("format", &format));
  if (format != kFormat)
    return Status(Code::kBadData, "head model: the format is \"" + format + "\", not " + kFormat);
  DAF_RETURN_IF_ERROR(file.Metadata("name", &model.name));
  DAF_RETURN_IF_ERROR(file.Metadata("identity_names", &identity));
  DAF_RETURN_IF_ERROR(file.Metadata("expression_names", &expression));
  DAF_RETURN_IF_ERROR(file.Metadata("parts", &parts));
  model.identity_names = SplitLines(identity);
  model.expression_names = SplitLines(expression);
  DAF_RETURN_IF_ERROR(ReadParts(parts, &model.parts));
  DAF_RETURN_IF_ERROR(file.Floats("mean", {kAny, 3}, &model.mean));
  model.position_count = static_cast<uint32_t>(model.mean.size() / 3);
  DAF_RETURN_IF_ERROR(file.Floats(
      "identity", {model.identity_names.size(), model.position_count, 3}, &model.identity));
  DAF_RETURN_IF_ERROR(file.Floats(
      "expression", {model.expression_names.size(), model.position_count, 3}, &model.expression));
  DAF_RETURN_IF_ERROR(file.Uint32s("source", {kAny}, &model.source));
  DAF_RETURN_IF_ERROR(file.Floats("uv", {model.source.size(), 2}, &model.uv));
  DAF_RETURN_IF_ERROR(file.Uint32s("triangles", {kAny, 3}, &model.triangles));
  DAF_RETURN_IF_ERROR(file.Uint32s("mirror", {model.position_count}, &model.mirror));
  std::vector<uint32_t> landmarks, start, flat;
  DAF_RETURN_IF_ERROR(file.Uint32s("landmarks", {kLandmarks}, &landmarks));
  DAF_RETURN_IF_ERROR(file.Uint32s("contour_start", {18}, &start));
  DAF_RETURN_IF_ERROR(file.Uint32s("contour", {kAny}, &flat));
  DAF_RETURN_IF_ERROR(CopyLandmarks(landmarks, &model.landmarks));
  DAF_RETURN_IF_ERROR(CutContour(start, flat, &model.contour));
  DAF_RETURN_IF_ERROR(model.Validate());
  *out = std::move(model);
  return Status::Ok();
}

Status HeadModel::Save(const std::string& path) const {
  DAF_RETURN_IF_ERROR(Validate());
  std::string part_lines;
  for (const Part& p : parts) {
    if (p.name.empty() || p.name.find_first_of(" \t\r\n") != std::string::npos) {
      return Status(Code::kBadArgument,
                    "head model: a part's name is one word, not \"" + p.name + "\"");
    }
    part_lines += p.name + " " + std::to_string(p.first_triangle) + " " +
                  std::to_string(p.triangle_count) + " " + std::to_string(p.first_vertex) + " " +
                  std::to_string(p.vertex_count) + "\n";
  }
  std::vector<uint32_t> start(1, 0), flat;
  for (const auto& line : contour) {
    flat.insert(flat.end(), line.begin(), line.end());
    start.push_back(static_cast<uint32_t>(flat.size()));
  }
  const uint64_t v = position_count, r = source.size();
  SafetensorsWriter writer;
  writer.Metadata("format", kFormat);
  writer.Metadata("name", name);
  writer.Metadata("identity_names", JoinLines(identity_names));
  writer.Metadata("expression_names", JoinLines(expression_names));
  writer.Metadata("parts", part_lines);
  DAF_RETURN_IF_ERROR(writer.Add("mean", DType::kF32, {v, 3}, mean.data()));
  DAF_RETURN_IF_ERROR(
      writer.Add("identity", DType::kF32, {identity_names.size(), v, 3}, identity.data()));
  DAF_RETURN_IF_ERROR(
      writer.Add("expression", DType::kF32, {expression_names.size(), v, 3}, expression.data()));
  DAF_RETURN_IF_ERROR(writer.Add("uv", DType::kF32, {r, 2}, uv.data()));
  DAF_RETURN_IF_ERROR(writer.Add("source", DType::kU32, {r}, source.data()));
  DAF_RETURN_IF_ERROR(
      writer.Add("triangles", DType::kU32, {triangles.size() / 3, 3}, triangles.data()));
  DAF_RETURN_IF_ERROR(writer.Add("mirror", DType::kU32, {v}, mirror.data()));
  DAF_RETURN_IF_ERROR(writer.Add("landmarks", DType::kU32, {kLandmarks}, landmarks.data()));
  DAF_RETURN_IF_ERROR(writer.Add("contour_start", DType::kU32, {18}, start.data()));
  DAF_RETURN_IF_ERROR(writer.Add("contour", DType::kU32, {flat.size()}, flat.data()));
  return writer.Write(path);
}

}  // namespace daf::head
