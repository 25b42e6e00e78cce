#include "native/nerf/checkpoint.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "native/nerf/field.h"

namespace daf::nerf {
namespace {
Status BadKey(const std::string& key, const std::string& what) {
  return Status(Code::kBadData, "field checkpoint: metadata \"" + key + "\": " + what);
}
}  // namespace

Status ReadUint(const SafetensorsFile& file, const std::string& key, uint32_t least, uint32_t most,
                uint32_t* out) {
  std::string text;
  DAF_RETURN_IF_ERROR(file.Metadata(key, &text));
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
    return BadKey(key, "is no number");
  *out = static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 10));
  if (*out < least || *out > most)
    return BadKey(key, text + " is not in " + std::to_string(least) + "–" + std::to_string(most));
  return Status::Ok();
}

Status ReadFloats(const SafetensorsFile& file, const std::string& key, size_t count, float* out) {
  std::string text;
  DAF_RETURN_IF_ERROR(file.Metadata(key, &text));
  const char* at = text.c_str();
  for (size_t i = 0; i < count; ++i) {
    char* end = nullptr;
    out[i] = std::strtof(at, &end);
    if (end == at || !std::isfinite(out[i]))
      return BadKey(key, "expected " + std::to_string(count) + " finite numbers");
    at = end;
  }
  while (*at == ' ') ++at;
  return *at == '\0' ? Status::Ok()
                     : BadKey(key, "expected " + std::to_string(count) + " finite numbers");
}

std::string FloatsText(const float* values, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.9g", i == 0 ? "" : " ",
                  static_cast<double>(values[i]));
    text += number;
  }
  return text;
}

Status SaveDense(const Dense& layer, const std::string& name, const float* parameters,
                 uint32_t real_in, Arena* scratch, SafetensorsWriter* writer) {
  float* weights = nullptr;
  DAF_RETURN_IF_ERROR(scratch->Allocate(size_t{layer.out()} * real_in, &weights));
  for (uint32_t o = 0; o < layer.out(); ++o) {
    std::memcpy(weights + size_t{o} * real_in,
                parameters + layer.weights() + size_t{o} * layer.in(), real_in * sizeof(float));
  }
  DAF_RETURN_IF_ERROR(writer->Add(name + ".weight", DType::kF32, {layer.out(), real_in}, weights));
  return writer->Add(name + ".bias", DType::kF32, {layer.out()}, parameters + layer.bias());
}

Status LoadDense(const SafetensorsFile& file, const Dense& layer, const std::string& name,
                 uint32_t real_in, float* parameters) {
  std::vector<float> weights;
  DAF_RETURN_IF_ERROR(file.Floats(name + ".weight", {layer.out(), real_in}, &weights));
  for (uint32_t o = 0; o < layer.out(); ++o) {
    float* row = parameters + layer.weights() + size_t{o} * layer.in();
    for (uint32_t i = 0; i < layer.in(); ++i)
      row[i] = i < real_in ? weights[size_t{o} * real_in + i] : 0.0f;
  }
  return file.FloatsInto(name + ".bias", {layer.out()}, parameters + layer.bias(), layer.out());
}

Status LoadField(const SafetensorsFile& file, std::unique_ptr<Field>* out) {
  std::string format, kind;
  DAF_RETURN_IF_ERROR(file.Metadata("format", &format));
  if (format != "daf-field-1") return BadKey("format", "\"" + format + "\" is not daf-field-1");
  DAF_RETURN_IF_ERROR(file.Metadata("kind", &kind));
  if (kind == "hashgrid") {
    HashGridConfig c;
    DAF_RETURN_IF_ERROR(ReadUint(file, "levels", 1, 32, &c.levels));
    DAF_RETURN_IF_ERROR(ReadUint(file, "features", 2, 8, &c.features));
    DAF_RETURN_IF_ERROR(ReadUint(file, "log2Entries", 8, 22, &c.log2_entries));
    DAF_RETURN_IF_ERROR(ReadUint(file, "coarsest", 1, 1024, &c.coarsest));
    DAF_RETURN_IF_ERROR(ReadUint(file, "finest", 1, 65536, &c.finest));
    DAF_RETURN_IF_ERROR(ReadUint(file, "densityWidth", 8, 128, &c.density_width));
    DAF_RETURN_IF_ERROR(ReadUint(file, "colorWidth", 8, 128, &c.color_width));
    const Status made = NewHashGrid(c, 1, out);
    if (!made.ok())
      return made.code() == Code::kBadArgument
                 ? Status(Code::kBadData, "field checkpoint: " + made.message())
                 : made;
  } else if (kind == "classic") {
    ClassicConfig c;
    DAF_RETURN_IF_ERROR(ReadUint(file, "width", 8, 1024, &c.width));
    DAF_RETURN_IF_ERROR(ReadUint(file, "depth", 2, 32, &c.depth));
    DAF_RETURN_IF_ERROR(ReadUint(file, "positionFrequencies", 0, 16, &c.position_frequencies));
    DAF_RETURN_IF_ERROR(ReadUint(file, "directionFrequencies", 0, 8, &c.direction_frequencies));
    const Status made = NewClassic(c, 1, out);
    if (!made.ok())
      return made.code() == Code::kBadArgument
                 ? Status(Code::kBadData, "field checkpoint: " + made.message())
                 : made;
  } else {
    return BadKey("kind", "\"" + kind + "\" is neither hashgrid nor classic");
  }
  DAF_RETURN_IF_ERROR((*out)->LoadTensors(file));
  (*out)->Pack();
  return Status::Ok();
}

}  // namespace daf::nerf
