// Writes small valid files to start from: fuzz_seeds <folder> fills <folder>/<target>/.
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

#include "native/fuzz/small_training.h"
#include "native/head/fit/small_head.h"
#include "native/nerf/model.h"
#include "native/shuffle/segment.h"

namespace daf {
namespace {

Status SaveField(std::unique_ptr<nerf::Field> field, const std::string& path,
                 bool background = false) {
  std::unique_ptr<nerf::Model> model;
  DAF_RETURN_IF_ERROR(nerf::Model::Make(std::move(field), nerf::Box(), 8, &model));
  if (background) model->NewBackground(1);
  Arena scratch;
  SafetensorsWriter writer;
  DAF_RETURN_IF_ERROR(model->Save(&scratch, &writer));
  return writer.Write(path);
}

Status Fields(const std::string& folder) {
  nerf::HashGridConfig hash;
  hash.levels = 2;
  hash.log2_entries = 8;
  hash.finest = 16;
  hash.density_width = hash.color_width = 8;
  nerf::ClassicConfig classic;
  classic.width = classic.view_width = 8;
  classic.depth = 2;
  classic.skips = {1};
  classic.position_frequencies = classic.direction_frequencies = 1;
  std::unique_ptr<nerf::Field> field;
  DAF_RETURN_IF_ERROR(nerf::NewHashGrid(hash, 1, &field));
  DAF_RETURN_IF_ERROR(SaveField(std::move(field), folder + "/hashgrid"));
  hash.appearance = 4;
  hash.images = 2;
  DAF_RETURN_IF_ERROR(nerf::NewHashGrid(hash, 1, &field));
  DAF_RETURN_IF_ERROR(SaveField(std::move(field), folder + "/hashgrid_appearance"));
  hash.appearance = hash.images = 0;
  DAF_RETURN_IF_ERROR(nerf::NewHashGrid(hash, 1, &field));
  DAF_RETURN_IF_ERROR(SaveField(std::move(field), folder + "/background", true));
  DAF_RETURN_IF_ERROR(nerf::NewClassic(classic, 1, &field));
  return SaveField(std::move(field), folder + "/classic");
}

Status TrainingState(const std::string& folder) {
  fuzz::SmallTraining training;
  DAF_RETURN_IF_ERROR(training.Make());
  return training.trainer->SaveState(folder + "/state", "a note");
}

Status Tensors(const std::string& folder) {
  SafetensorsWriter writer;
  const uint64_t bytes[3] = {1, 2, 3};
  writer.Metadata("format", "seed");
  for (const DType type : {DType::kF32, DType::kF16, DType::kI64, DType::kU8, DType::kBool})
    DAF_RETURN_IF_ERROR(writer.Add(DTypeName(type), type, {3}, bytes));
  return writer.Write(folder + "/tensors");
}

Status Segments(const std::string& folder) {
  SegmentWriter writer;
  DAF_RETURN_IF_ERROR(writer.Create(folder + "/segments", 4096));
  const std::string value(300, 'v');
  for (int partition = 0; partition < 2; ++partition) {
    for (int i = 0; i < 20; ++i) {
      const std::string key = "key" + std::to_string(100 + i);
      Piece piece;
      piece.key = reinterpret_cast<const uint8_t*>(key.data());
      piece.key_size = static_cast<uint32_t>(key.size());
      piece.value = reinterpret_cast<const uint8_t*>(value.data());
      piece.value_size = static_cast<uint32_t>(value.size());
      DAF_RETURN_IF_ERROR(writer.Add(piece));
    }
    DAF_RETURN_IF_ERROR(writer.EndPartition());
  }
  return writer.Finish();
}

Status Records(const std::string& folder) {
  std::ofstream out(folder + "/records", std::ios::binary);
  for (uint32_t i = 0; i < 4; ++i) {
    const uint32_t sizes[2] = {i, 3 * i};
    out.write(reinterpret_cast<const char*>(sizes), sizeof(sizes));
    for (uint32_t byte = 0; byte < 4 * i; ++byte) out.put(static_cast<char>('a' + byte));
  }
  return out.good() ? Status::Ok() : IoError(folder);
}

Status Heads(const std::string& folder) {
  head::SmallHeadOptions options;
  options.columns = 24;
  options.rows = 16;
  return head::SmallHead(options).Save(folder + "/small");
}

}  // namespace
}  // namespace daf

int main(int count, char** arguments) {
  using daf::Status;
  if (count != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds <folder>\n");
    return 2;
  }
  const struct {
    const char* target;
    Status (*write)(const std::string& folder);
  } seeds[] = {{"safetensors_fuzz", daf::Tensors},
               {"checkpoint_fuzz", daf::Fields},
               {"training_state_fuzz", daf::TrainingState},
               {"head_model_fuzz", daf::Heads},
               {"records_fuzz", daf::Records},
               {"segment_fuzz", daf::Segments}};
  for (const auto& seed : seeds) {
    const std::string folder = std::string(arguments[1]) + "/" + seed.target;
    mkdir(folder.c_str(), 0755);
    const Status status = seed.write(folder);
    if (!status.ok()) {
      std::fprintf(stderr, "%s: %s\n", seed.target, status.message().c_str());
      return 1;
    }
  }
  return 0;
}
