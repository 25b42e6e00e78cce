// The hash-grid field: multi-resolution hash encoding → density network (one hidden layer) → 16
// numbers, of which the first is the log density and all feed, with 16 spherical harmonics of the
// direction and perhaps an appearance code, a colour network of two hidden layers.
#include <cmath>
#include <cstring>

#include "native/nerf/checkpoint.h"
#include "native/nerf/hashgrid.h"

namespace daf::nerf {

using kernels::HashLevel;

namespace {

constexpr uint32_t kMostAppearance = 32, kMostImages = 100000;

Status CheckConfig(const HashGridConfig& c) {
  const auto bad = [](const char* what) {
    return Status(Code::kBadArgument, std::string("hashgrid: ") + what);
  };
  if (c.levels < 1 || c.levels > 32) return bad("levels must be 1–32");
  if (c.features != 2 && c.features != 4 && c.features != 8)
    return bad("features must be 2, 4 or 8");
  if (c.levels * c.features > 64) return bad("levels × features must be at most 64");
  if (c.log2_entries < 8 || c.log2_entries > 22) return bad("log2Entries must be 8–22");
  if (c.coarsest < 1 || c.coarsest > 1024 || c.finest < c.coarsest || c.finest > 65536)
    return bad("cells must be 1 ≤ coarsest ≤ finest ≤ 65536, coarsest ≤ 1024");
  for (const uint32_t width : {c.density_width, c.color_width}) {
    if (width < 8 || width > 128 || width % 8 != 0)
      return bad("widths must be multiples of 8 up to 128");
  }
  if (c.appearance % 4 != 0 || c.appearance > kMostAppearance)
    return bad("appearance must be a multiple of 4 up to 32");
  if ((c.appearance == 0) != (c.images == 0) || c.images > kMostImages)
    return bad("images must be 1–100000 where there is an appearance, and 0 elsewhere");
  return Status::Ok();
}

std::vector<ConfigNumber> AppearanceNumbers(HashGridConfig* config) {
  return {{"appearance", 4, kMostAppearance, &config->appearance},
          {"images", 1, kMostImages, &config->images}};
}

std::vector<ConfigNumber> Numbers(HashGridConfig* config) {
  return {{"levels", 1, 32, &config->levels},
          {"features", 2, 8, &config->features},
          {"log2Entries", 8, 22, &config->log2_entries},
          {"coarsest", 1, 1024, &config->coarsest},
          {"finest", 1, 65536, &config->finest},
          {"densityWidth", 8, 128, &config->density_width},
          {"colorWidth", 8, 128, &config->color_width}};
}

}  // namespace

Status HashGrid::Make(const HashGridConfig& config, uint64_t seed) {
  DAF_RETURN_IF_ERROR(CheckConfig(config));
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  config_ = config;
  encoded_ = config.levels * config.features;
  padded_ = RoundUp4(encoded_);
  const double growth = config.levels > 1 ? std::pow(double{1} * config.finest / config.coarsest,
                                                     1.0 / (config.levels - 1))
                                          : 1;
  size_t cursor = 0;
  density0_ = Dense(encoded_, config.density_width, &cursor);
  density1_ = Dense(config.density_width, kLatent, &cursor);
  color0_ = Dense(kLatent + view_rows(), config.color_width, &cursor);
  color1_ = Dense(config.color_width, config.color_width, &cursor);
  color2_ = Dense(config.color_width, 3, &cursor);
  codes_ = cursor;
  cursor = tables_ = (Code(config.images) + 15) / 16 * 16;
  for (uint32_t l = 0; l < config.levels; ++l) {
    HashLevel level;
    level.cells = static_cast<uint32_t>(std::floor(config.coarsest * std::pow(growth, l) + 1e-6));
    level.features = config.features;
    level.offset = cursor;
    const uint64_t vertices = uint64_t{level.cells + 1} * (level.cells + 1) * (level.cells + 1);
    level.dense = vertices <= (uint64_t{1} << config.log2_entries) ? 1 : 0;
    level.size = level.dense != 0 ? static_cast<uint32_t>(vertices)
                                  : (1u << config.log2_entries) + level.cells;
    cursor = (cursor + size_t{level.size} * level.features + 15) / 16 * 16;
    levels_.push_back(level);
  }
  count_ = cursor;
  DAF_RETURN_IF_ERROR(arena_.Allocate(count_, &parameters_));
  if (config.appearance > 0) DAF_RETURN_IF_ERROR(arena_.Allocate(config.appearance, &mean_code_));
  for (Dense* layer : {&density0_, &density1_, &color0_, &color1_, &color2_})
    DAF_RETURN_IF_ERROR(layer->Reserve(&arena_));
  std::memset(parameters_, 0, count_ * sizeof(float));
  Rng rng(seed, 1);
  for (const HashLevel& level : levels_) {
    for (size_t i = 0; i < size_t{level.size} * level.features; ++i)
      parameters_[level.offset + i] = rng.Uniform(-1e-4f, 1e-4f);
  }
  density0_.Initialise(parameters_, encoded_, &rng);
  density1_.Initialise(parameters_, config.density_width, &rng);
  color0_.Initialise(parameters_, kLatent + view_rows(), &rng);
  color1_.Initialise(parameters_, config.color_width, &rng);
  color2_.Initialise(parameters_, config.color_width, &rng);
  Pack();
  return Status::Ok();
}

void HashGrid::Pack() {
  for (Dense* layer : {&density0_, &density1_, &color0_, &color1_, &color2_})
    layer->Pack(parameters_);
  for (uint32_t a = 0; a < config_.appearance; ++a) {
    double sum = 0;
    for (uint32_t i = 0; i < config_.images; ++i) sum += double{parameters_[Code(i) + a]};
    mean_code_[a] = static_cast<float>(sum / config_.images);
  }
  ++packs_;
}

std::vector<ParameterGroup> HashGrid::groups() const {
  std::vector<ParameterGroup> groups = {{0, codes_, 1e-6f, 0.5f, false},
                                        {tables_, count_ - tables_, 0, 1, true}};
  if (config_.appearance > 0) groups.push_back({codes_, tables_ - codes_, 0, 0.1f, true});
  return groups;
}

std::vector<NamedDense> HashGrid::Layers() const {
  return {{"density.0", &density0_, encoded_},
          {"density.1", &density1_, config_.density_width},
          {"color.0", &color0_, kLatent + view_rows()},
          {"color.1", &color1_, config_.color_width},
          {"color.2", &color2_, config_.color_width}};
}

Status HashGrid::Save(Arena* scratch, SafetensorsWriter* writer) const {
  HashGridConfig config = config_;
  std::vector<ConfigNumber> numbers = Numbers(&config);
  if (config_.appearance > 0) {
    for (const ConfigNumber& number : AppearanceNumbers(&config)) numbers.push_back(number);
    DAF_RETURN_IF_ERROR(writer->Add("appearance", DType::kF32, {config_.images, config_.appearance},
                                    parameters_ + codes_));
  }
  SaveNumbers(*this, numbers, writer);
  for (size_t l = 0; l < levels_.size(); ++l) {
    const HashLevel& level = levels_[l];
    DAF_RETURN_IF_ERROR(writer->Add("table." + std::to_string(l), DType::kF32,
                                    {level.size, level.features}, parameters_ + level.offset));
  }
  return SaveLayers(Layers(), parameters_, scratch, writer);
}

Status HashGrid::LoadTensors(const SafetensorsFile& file) {
  for (size_t l = 0; l < levels_.size(); ++l) {
    const HashLevel& level = levels_[l];
    DAF_RETURN_IF_ERROR(file.FloatsInto("table." + std::to_string(l), {level.size, level.features},
                                        parameters_ + level.offset,
                                        size_t{level.size} * level.features));
  }
  if (config_.appearance > 0) {
    DAF_RETURN_IF_ERROR(file.FloatsInto("appearance", {config_.images, config_.appearance},
                                        parameters_ + codes_,
                                        size_t{config_.images} * config_.appearance));
  }
  return LoadLayers(file, Layers(), parameters_);
}

void HashGrid::EncodeView(const PointArrays& directions, const uint32_t* image, uint32_t tiles,
                          float* view) const {
  const size_t stride = size_t{view_rows()} * kernels::kTile;
  kernels_->harmonics(directions.x, directions.y, directions.z, tiles, view, stride);
  if (config_.appearance == 0) return;
  for (uint32_t i = 0; i < tiles * kernels::kTile; ++i) {
    const float* code = image == nullptr ? mean_code_ : parameters_ + Code(image[i]);
    float* column = view + i / kernels::kTile * stride + size_t{kHarmonics} * kernels::kTile +
                    i % kernels::kTile;
    for (uint32_t a = 0; a < config_.appearance; ++a) column[a * kernels::kTile] = code[a];
  }
}

void HashGrid::Encode(const PointArrays& points, uint32_t tiles, float* encoding) const {
  for (size_t l = 0; l < levels_.size(); ++l) {
    const kernels::HashArgs args = {levels_[l],
                                    points.x,
                                    points.y,
                                    points.z,
                                    tiles,
                                    parameters_,
                                    nullptr,
                                    encoding + l * config_.features * kernels::kTile,
                                    size_t{padded_} * kernels::kTile};
    kernels_->hash_forward(&args);
  }
}

void HashGrid::EncodePairs(const PointArrays& points, uint32_t tiles, uint32_t* encoding) const {
  const size_t stride = size_t{padded_} / 2 * kernels::kTile;
  for (size_t l = 0; l < levels_.size(); ++l) {
    kernels::HashArgs args = {levels_[l], points.x, points.y, points.z, tiles, parameters_};
    args.rows_stride = stride;
    args.pairs = encoding + l * config_.features / 2 * kernels::kTile;
    kernels_->hash_forward(&args);
  }
}

void HashGrid::AddDeferred(uint32_t level, const TableDeltas& deltas, float* gradients) const {
  if (deltas.tiles == 0) return;
  kernels::HashArgs args = {levels_[level],
                            deltas.x,
                            deltas.y,
                            deltas.z,
                            deltas.tiles,
                            nullptr,
                            gradients,
                            deltas.rows + size_t{level} * config_.features * kernels::kTile,
                            size_t{deltas.row_count} * kernels::kTile};
  args.level.offset = 0;
  kernels_->hash_backward(&args);
}

void HashGrid::ActivateDensity(const float* latent, float* density) const {
  for (uint32_t s = 0; s < kernels::kTile; ++s) density[s] = latent[s] * kLogScale;
  kernels_->exponential(density, density, kernels::kTile);
}

void HashGrid::Squash(const float* raw, uint32_t tile, const ColorArrays& color) const {
  const size_t at = size_t{tile} * kernels::kTile;
  kernels_->sigmoid(raw, color.r + at, kernels::kTile);
  kernels_->sigmoid(raw + kernels::kTile, color.g + at, kernels::kTile);
  kernels_->sigmoid(raw + 2 * kernels::kTile, color.b + at, kernels::kTile);
}

Status HashGrid::NewPass(PassKind kind, Arena* arena, std::unique_ptr<FieldPass>* out) const {
  if (kind == PassKind::kInferenceInt8)
    return Status(Code::kUnsupported, "a hash grid has no 8-bit inference", "use bf16 or fp32");
  if (kind != PassKind::kInferenceBf16)
    return NewHashGridPass(*this, kind == PassKind::kTraining, arena, out);
  const kernels::DotTable* dots;
  DAF_RETURN_IF_ERROR(kernels::ChosenDots(&dots));
  return NewHashGridLow(*this, *dots, arena, out);
}

Status ReadConfig(const SafetensorsFile& file, HashGridConfig* out) {
  DAF_RETURN_IF_ERROR(ReadNumbers(file, Numbers(out)));
  if (file.metadata().count("appearance") == 0) return Status::Ok();
  return ReadNumbers(file, AppearanceNumbers(out));
}

Status NewHashGrid(const HashGridConfig& config, uint64_t seed, std::unique_ptr<Field>* out) {
  auto field = std::make_unique<HashGrid>();
  DAF_RETURN_IF_ERROR(field->Make(config, seed));
  *out = std::move(field);
  return Status::Ok();
}

}  // namespace daf::nerf
