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
  void Pack() override {
    network_.Pack(parameters_);
    if (has_coarse()) coarse_.Pack(parameters_);
  }
  std::vector<ParameterGroup> groups() const override { return {{0, count_, 0, 0.05f, false}}; }
  Status NewPass(PassKind kind, Arena* arena, std::unique_ptr<FieldPass>* out) const override {
    return PassOf(network_, kind, arena, out);
  }
  bool has_coarse() const override { return network_.config().coarse; }
  Status NewCoarsePass(PassKind kind, Arena* arena,
                       std::unique_ptr<FieldPass>* out) const override {
    return has_coarse() ? PassOf(coarse_, kind, arena, out)
                        : Field::NewCoarsePass(kind, arena, out);
  }
  Status Save(Arena* scratch, SafetensorsWriter* writer) const override;
  Status LoadTensors(const SafetensorsFile& file) override {
    return LoadLayers(file, Layers(), parameters_);
  }

 private:
  static Status PassOf(const ClassicNetwork& network, PassKind kind, Arena* arena,
                       std::unique_ptr<FieldPass>* out);
  std::vector<NamedDense> Layers() const;

  ClassicNetwork network_, coarse_;
};

Status Classic::PassOf(const ClassicNetwork& network, PassKind kind, Arena* arena,
                       std::unique_ptr<FieldPass>* out) {
  if (kind == PassKind::kTraining) return NewClassicTraining(network, arena, out);
  if (kind == PassKind::kInference) return NewClassicInference(network, arena, out);
  const kernels::DotTable* dots;
  DAF_RETURN_IF_ERROR(kernels::ChosenDots(&dots));
  return NewClassicLow(network, *dots, kind == PassKind::kInferenceInt8, arena, out);
}

Status Classic::Make(const ClassicConfig& config, uint64_t seed) {
  DAF_RETURN_IF_ERROR(Check(config));
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  DAF_RETURN_IF_ERROR(network_.Make(config, kernels_, &count_, &arena_));
  if (config.coarse) DAF_RETURN_IF_ERROR(coarse_.Make(config, kernels_, &count_, &arena_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(count_, &parameters_));
  std::memset(parameters_, 0, count_ * sizeof(float));
  Rng rng(seed, 2);
  network_.Initialise(parameters_, &rng);
  if (config.coarse) coarse_.Initialise(parameters_, &rng);
  Pack();
  return Status::Ok();
}

void AppendLayers(const ClassicNetwork& network, const std::string& prefix,
                  std::vector<NamedDense>* layers) {
  const ClassicEncoding& position = network.position();
  const uint32_t width = network.config().width;
  for (size_t l = 0; l < network.trunk().size(); ++l) {
    const Dense* layer = &network.trunk()[l];
    const std::string name = prefix + "trunk." + std::to_string(l);
    if (!network.SeesInput(l)) {
      layers->push_back({name, layer, width});
    } else if (l == 0) {
      layers->push_back({name, layer, position.real()});
    } else {
      layers->push_back({name, layer, position.real(), position.rows(), width});
    }
  }
  layers->push_back({prefix + "head", &network.head(), width});
  layers->push_back({prefix + "view", &network.view(), width + network.direction().real()});
  layers->push_back({prefix + "rgb", &network.rgb(), network.config().view_width});
}

std::vector<NamedDense> Classic::Layers() const {
  std::vector<NamedDense> layers;
  AppendLayers(network_, "", &layers);
  if (has_coarse()) AppendLayers(coarse_, "coarse.", &layers);
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
