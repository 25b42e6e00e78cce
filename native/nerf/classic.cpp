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
  Status NewPass(PassKind kind, Arena* arena, std::unique_ptr<FieldPass>* out) const override;
  Status Save(Arena* scratch, SafetensorsWriter* writer) const override;
  Status LoadTensors(const SafetensorsFile& file) override {
    return LoadLayers(file, Layers(), parameters_);
  }

 private:
  std::vector<NamedDense> Layers() const;

  ClassicNetwork network_;
};

Status Classic::NewPass(PassKind kind, Arena* arena, std::unique_ptr<FieldPass>* out) const {
  if (kind == PassKind::kTraining) return NewClassicTraining(network_, arena, out);
  if (kind == PassKind::kInference) return NewClassicInference(network_, arena, out);
  const kernels::DotTable* dots;
  DAF_RETURN_IF_ERROR(kernels::ChosenDots(&dots));
  return NewClassicLow(network_, *dots, kind == PassKind::kInferenceInt8, arena, out);
}

Status Classic::Make(const ClassicConfig& config, uint64_t seed) {
  DAF_RETURN_IF_ERROR(Check(config));
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  DAF_RETURN_IF_ERROR(network_.Make(config, kernels_, &count_, &arena_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(count_, &parameters_));
  std::memset(parameters_, 0, count_ * sizeof(float));
  Rng rng(seed, 2);
  network_.Initialise(parameters_, &rng);
  Pack();
  return Status::Ok();
}

std::vector<NamedDense> Classic::Layers() const {
  const ClassicEncoding& position = network_.position();
  const uint32_t width = network_.config().width;
  std::vector<NamedDense> layers;
  for (const Dense& layer : network_.trunk()) {
    const size_t l = layers.size();
    const std::string name = "trunk." + std::to_string(l);
    if (!network_.SeesInput(l)) {
      layers.push_back({name, &layer, width});
    } else if (l == 0) {
      layers.push_back({name, &layer, position.real()});
    } else {
      layers.push_back({name, &layer, position.real(), position.rows(), width});
    }
  }
  layers.push_back({"head", &network_.head(), width});
  layers.push_back({"view", &network_.view(), width + network_.direction().real()});
  layers.push_back({"rgb", &network_.rgb(), network_.config().view_width});
  return layers;
}

Status Classic::Save(Arena* scratch, SafetensorsWriter* writer) const {
  SaveConfig(*this, network_.config(), writer);
  return SaveLayers(Layers(), parameters_, scratch, writer);
}

}  // namespace

Status NewClassic(const ClassicConfig& config, uint64_t seed, std::unique_ptr<Field>* out) {
  auto field = std::make_unique<Classic>();
  DAF_RETURN_IF_ERROR(field->Make(config, seed));
  *out = std::move(field);
  return Status::Ok();
}

}  // namespace daf::nerf
