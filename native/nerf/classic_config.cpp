// What a classic network may look like, and how its checkpoint says so.
#include <cmath>

#include "native/nerf/checkpoint.h"

namespace daf::nerf {
namespace {

constexpr uint32_t kMaxDepth = 32;  // the network keeps a bit for each hidden layer

// Ascending, within [least, depth).
bool Ascending(const std::vector<uint32_t>& list, uint32_t least, uint32_t depth) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i] < (i == 0 ? least : list[i - 1] + 1) || list[i] >= depth) return false;
  }
  return true;
}

std::vector<ConfigNumber> Numbers(ClassicConfig* config) {
  return {{"width", 8, 1024, &config->width},
          {"depth", 1, kMaxDepth, &config->depth},
          {"positionFrequencies", 0, 16, &config->position_frequencies},
          {"directionFrequencies", 0, 16, &config->direction_frequencies},
          {"viewWidth", 8, 1024, &config->view_width}};
}

std::vector<std::pair<const char*, bool*>> Flags(ClassicConfig* config) {
  return {{"featureRelu", &config->feature_relu},
          {"reluDensity", &config->relu_density},
          {"rawPosition", &config->raw_position},
          {"rawDirection", &config->raw_direction},
          {"coarse", &config->coarse}};
}

}  // namespace

Status Check(const ClassicConfig& c) {
  const auto bad = [](const char* what) {
    return Status(Code::kBadArgument, std::string("classic: ") + what);
  };
  for (const uint32_t width : {c.width, c.view_width}) {
    if (width < 8 || width > 1024 || width % 8 != 0)
      return bad("width and viewWidth must be multiples of 8 up to 1024");
  }
  if (c.depth < 1 || c.depth > kMaxDepth) return bad("depth must be 1–32");
  if (c.position_frequencies > 16 || c.direction_frequencies > 16)
    return bad("positionFrequencies and directionFrequencies must be at most 16");
  if ((c.position_frequencies == 0 && !c.raw_position) ||
      (c.direction_frequencies == 0 && !c.raw_direction))
    return bad("an encoding needs frequencies or its raw input");
  if (!Ascending(c.skips, 1, c.depth))
    return bad("skips must be ascending hidden layers, 1 to depth - 1");
  if (!Ascending(c.linear, 0, c.depth))
    return bad("linear must be ascending hidden layers, 0 to depth - 1");
  for (int a = 0; a < 3; ++a) {
    if (!(std::fabs(c.input_scale[a]) >= 1e-6f && std::fabs(c.input_scale[a]) <= 1e6f &&
          std::fabs(c.input_shift[a]) <= 1e6f))
      return bad("the input's scale must be 1e-6 to 1e6 and its shift at most 1e6");
  }
  return Status::Ok();
}

void SaveConfig(const Field& field, ClassicConfig config, SafetensorsWriter* writer) {
  SaveNumbers(field, Numbers(&config), writer);
  for (const auto& [key, flag] : Flags(&config)) writer->Metadata(key, *flag ? "1" : "0");
  writer->Metadata("skips", UintsText(config.skips));
  writer->Metadata("linear", UintsText(config.linear));
  writer->Metadata("inputScale", FloatsText(config.input_scale, 3));
  writer->Metadata("inputShift", FloatsText(config.input_shift, 3));
}

Status ReadConfig(const SafetensorsFile& file, ClassicConfig* out) {
  DAF_RETURN_IF_ERROR(ReadNumbers(file, Numbers(out)));
  for (const auto& [key, flag] : Flags(out)) DAF_RETURN_IF_ERROR(ReadFlag(file, key, flag));
  DAF_RETURN_IF_ERROR(ReadUints(file, "skips", 1, kMaxDepth - 1, &out->skips));
  DAF_RETURN_IF_ERROR(ReadUints(file, "linear", 0, kMaxDepth - 1, &out->linear));
  DAF_RETURN_IF_ERROR(ReadFloats(file, "inputScale", 3, out->input_scale));
  return ReadFloats(file, "inputShift", 3, out->input_shift);
}

}  // namespace daf::nerf
