#include "native/nerf/checkpoint.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace daf::nerf {
namespace {
constexpr char kFormat[] = "daf-field-2", kNone[] = "none";

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

Status ReadUints(const SafetensorsFile& file, const std::string& key, uint32_t least, uint32_t most,
                 std::vector<uint32_t>* out) {
  std::string text;
  DAF_RETURN_IF_ERROR(file.Metadata(key, &text));
  out->clear();
  if (text == kNone) return Status::Ok();
  for (const char* at = text.c_str();; ++at) {
    char* end = nullptr;
    const unsigned long value = *at >= '0' && *at <= '9' ? std::strtoul(at, &end, 10) : most + 1ul;
    const uint32_t from = out->empty() ? least : out->back() + 1;
    if (value < from || value > most) break;
    out->push_back(static_cast<uint32_t>(value));
    at = end;
    if (*at == '\0') return Status::Ok();
    if (*at != ' ') break;
  }
  return BadKey(key, "expected \"none\" or ascending numbers in " + std::to_string(least) + "–" +
                         std::to_string(most));
}

std::string UintsText(const std::vector<uint32_t>& values) {
  std::string text;
  for (const uint32_t value : values) text += (text.empty() ? "" : " ") + std::to_string(value);
  return text.empty() ? kNone : text;
}

Status ReadFlag(const SafetensorsFile& file, const std::string& key, bool* out) {
  uint32_t value;
  DAF_RETURN_IF_ERROR(ReadUint(file, key, 0, 1, &value));
  *out = value == 1;
  return Status::Ok();
}

void SaveNumbers(const Field& field, const std::vector<ConfigNumber>& numbers,
                 SafetensorsWriter* writer) {
  writer->Metadata("format", kFormat);
  writer->Metadata("kind", field.kind());
  for (const ConfigNumber& number : numbers)
    writer->Metadata(number.key, std::to_string(*number.value));
}

Status ReadNumbers(const SafetensorsFile& file, const std::vector<ConfigNumber>& numbers) {
  for (const ConfigNumber& number : numbers)
    DAF_RETURN_IF_ERROR(ReadUint(file, number.key, number.least, number.most, number.value));
  return Status::Ok();
}

Status SaveLayers(const std::vector<NamedDense>& layers, const float* parameters, Arena* scratch,
                  SafetensorsWriter* writer) {
  for (const auto& [name, layer, first, second_at, second] : layers) {
    const uint32_t in = first + second;
    float* weights = nullptr;
    DAF_RETURN_IF_ERROR(scratch->Allocate(size_t{layer->out()} * in, &weights));
    for (uint32_t o = 0; o < layer->out(); ++o) {
      const float* row = parameters + layer->weights() + size_t{o} * layer->in();
      float* stored = weights + size_t{o} * in;
      std::memcpy(stored, row, first * sizeof(float));
      std::memcpy(stored + first, row + second_at, second * sizeof(float));
    }
    DAF_RETURN_IF_ERROR(writer->Add(name + ".weight", DType::kF32, {layer->out(), in}, weights));
    DAF_RETURN_IF_ERROR(
        writer->Add(name + ".bias", DType::kF32, {layer->out()}, parameters + layer->bias()));
  }
  return Status::Ok();
}

Status LoadLayers(const SafetensorsFile& file, const std::vector<NamedDense>& layers,
                  float* parameters) {
  for (const auto& [name, layer, first, second_at, second] : layers) {
    const uint32_t in = first + second;
    std::vector<float> weights;
    DAF_RETURN_IF_ERROR(file.Floats(name + ".weight", {layer->out(), in}, &weights));
    for (uint32_t o = 0; o < layer->out(); ++o) {
      const float* stored = weights.data() + size_t{o} * in;
      float* row = parameters + layer->weights() + size_t{o} * layer->in();
      std::memset(row, 0, layer->in() * sizeof(float));
      std::memcpy(row, stored, first * sizeof(float));
      std::memcpy(row + second_at, stored + first, second * sizeof(float));
    }
    DAF_RETURN_IF_ERROR(
        file.FloatsInto(name + ".bias", {layer->out()}, parameters + layer->bias(), layer->out()));
  }
  return Status::Ok();
}

Status LoadField(const SafetensorsFile& file, std::unique_ptr<Field>* out) {
  std::string format, kind;
  DAF_RETURN_IF_ERROR(file.Metadata("format", &format));
  if (format != kFormat) return BadKey("format", "\"" + format + "\" is not " + kFormat);
  DAF_RETURN_IF_ERROR(file.Metadata("kind", &kind));
  Status made;
  if (kind == "hashgrid") {
    HashGridConfig config;
    DAF_RETURN_IF_ERROR(ReadConfig(file, &config));
    made = NewHashGrid(config, 1, out);
  } else if (kind == "classic") {
    ClassicConfig config;
    DAF_RETURN_IF_ERROR(ReadConfig(file, &config));
    made = NewClassic(config, 1, out);
  } else {
    return BadKey("kind", "\"" + kind + "\" is neither hashgrid nor classic");
  }
  if (made.code() == Code::kBadArgument)
    return Status(Code::kBadData, "field checkpoint: " + made.message());
  DAF_RETURN_IF_ERROR(made);
  DAF_RETURN_IF_ERROR((*out)->LoadTensors(file));
  (*out)->Pack();
  return Status::Ok();
}

}  // namespace daf::nerf
