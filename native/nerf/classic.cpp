// The classic field: a ClassicNetwork's parameters, their checkpoint and its passes.
#include <cstring>

#include "native/nerf/checkpoint.h"
#include "native/nerf/classic_passes.h"

namespace daf::nerf {
namespace {

class Classic final : public Field {
 public:
  Status Make(const ClassicConfig& config, uint64_t seed);
  const char* kind() const override { return "classic"; }
  void Pack() override { network_.Pack(parameters_); }
  std::vector<ParameterGroup> groups() const override { return {{0, count_, 0, 0.05f, false}}; }
  Status NewPass(bool training, Arena* arena, std::unique_ptr<FieldPass>* out) const override {
    return training ? NewClassicTraining(network_, arena, out)
                    : NewClassicInference(network_, arena, out);
  }
  Status Save(Arena* scratch, SafetensorsWriter* writer) const override;
  Status LoadTensors(const SafetensorsFile& file) override {
    return LoadLayers(file, Layers(), parameters_);
  }

 private:
  std::vector<NamedDense> Layers() const;

  ClassicNetwork network_;
};

Status CheckConfig(const ClassicConfig& c) {
  const auto bad = [](const char* what) {
    return Status(Code::kBadArgument, std::string("classic: ") + what);
  };
  if (c.width < 16 || c.width > 1024 || c.width % 16 != 0)
    return bad("width must be a multiple of 16 up to 1024");
  if (c.depth < 2 || c.depth > 32) return bad("depth must be 2–32");
  if (c.position_frequencies > 16 || c.direction_frequencies > 8)
    return bad("too many frequencies");
  return Status::Ok();
}

Status Classic::Make(const ClassicConfig& config, uint64_t seed) {
  DAF_RETURN_IF_ERROR(CheckConfig(config));
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  DAF_RETURN_IF_ERROR(network_.Make(config, kernels_, &count_, &arena_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(count_, &parameters_));
  std::memset(parameters_, 0, count_ * sizeof(float));
  Rng rng(seed, 2);
  network_.Initialise(parameters_, &rng);
  Pack();
  return Status::Ok();
}

// Tensors as the kernels see them, zero columns included: the padding may sit inside the rows.
std::vector<NamedDense> Classic::Layers() const {
  std::vector<NamedDense> layers;
  for (const Dense& layer : network_.trunk())
    layers.push_back({"trunk." + std::to_string(layers.size()), &layer, layer.in()});
  layers.push_back({"head", &network_.head(), network_.head().in()});
  layers.push_back({"view", &network_.view(), network_.view().in()});
  layers.push_back({"rgb", &network_.rgb(), network_.rgb().in()});
  return layers;
}

Status Classic::Save(Arena* scratch, SafetensorsWriter* writer) const {
  ClassicConfig config = network_.config();
  SaveConfig(*this, ConfigNumbers(&config), writer);
  return SaveLayers(Layers(), parameters_, scratch, writer);
}

}  // namespace

std::vector<ConfigNumber> ConfigNumbers(ClassicConfig* config) {
  return {{"width", 8, 1024, &config->width},
          {"depth", 2, 32, &config->depth},
          {"positionFrequencies", 0, 16, &config->position_frequencies},
          {"directionFrequencies", 0, 8, &config->direction_frequencies}};
}

Status NewClassic(const ClassicConfig& config, uint64_t seed, std::unique_ptr<Field>* out) {
  auto field = std::make_unique<Classic>();
  DAF_RETURN_IF_ERROR(field->Make(config, seed));
  *out = std::move(field);
  return Status::Ok();
}

}  // namespace daf::nerf
