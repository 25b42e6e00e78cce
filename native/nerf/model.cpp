#include "native/nerf/model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/nerf/checkpoint.h"
#include "native/nerf/denormals.h"
#include "native/nerf/saved_cameras.h"

namespace daf::nerf {

Status Model::Make(std::unique_ptr<Field> field, const Box& box, uint32_t occupancy,
                   std::unique_ptr<Model>* out) {
  if (!box.valid())
    return Status(Code::kBadArgument,
                  "the field's box must be finite, max above min on every axis");
  auto model = std::make_unique<Model>();
  model->box_ = box;
  model->field_ = std::move(field);
  DAF_RETURN_IF_ERROR(model->occupancy_.Make(occupancy, box.unbounded));
  *out = std::move(model);
  return Status::Ok();
}

Status Model::Load(const SafetensorsFile& file, std::unique_ptr<Model>* out) {
  std::unique_ptr<Field> field;
  DAF_RETURN_IF_ERROR(LoadField(file, &field));
  Box box;
  DAF_RETURN_IF_ERROR(ReadFloats(file, "boxMin", 3, box.min));
  DAF_RETURN_IF_ERROR(ReadFloats(file, "boxMax", 3, box.max));
  if (!box.valid()) return Status(Code::kBadData, "field checkpoint: the box is empty");
  const auto unbounded = file.metadata().find("unbounded");  // older checkpoints have no such key
  box.unbounded = unbounded != file.metadata().end() && unbounded->second == "true";
  uint32_t resolution;
  DAF_RETURN_IF_ERROR(ReadUint(file, "occupancyResolution", 8, 256, &resolution));
  if (resolution % 8 != 0)
    return Status(Code::kBadData, "field checkpoint: occupancyResolution must be a multiple of 8");
  DAF_RETURN_IF_ERROR(Make(std::move(field), box, resolution, out));
  std::vector<uint8_t> bits;
  DAF_RETURN_IF_ERROR(file.Bytes("occupancy", {(*out)->occupancy_.byte_count()}, &bits));
  (*out)->occupancy_.Restore(bits.data());
  if (Background::In(file)) {
    (*out)->NewBackground(0);
    DAF_RETURN_IF_ERROR((*out)->background_->Load(file));
  }
  DAF_RETURN_IF_ERROR(LoadCameras(file, &(*out)->cameras_));
  (*out)->occupancy_.AllowAll();
  if (file.Find("allowed") != nullptr) {
    DAF_RETURN_IF_ERROR(file.Bytes("allowed", {(*out)->occupancy_.byte_count()}, &bits));
    std::memcpy((*out)->occupancy_.allowed_bytes(), bits.data(), bits.size());
  }
  (*out)->stale_ = false;
  return Status::Ok();
}

Status Model::Save(Arena* scratch, SafetensorsWriter* writer) {
  DAF_RETURN_IF_ERROR(RefreshOccupancy(TaskControl()));
  writer->Metadata("boxMin", FloatsText(box_.min, 3));
  writer->Metadata("boxMax", FloatsText(box_.max, 3));
  if (box_.unbounded) writer->Metadata("unbounded", "true");
  writer->Metadata("occupancyResolution", std::to_string(occupancy_.resolution()));
  DAF_RETURN_IF_ERROR(field_->Save(scratch, writer));
  if (background_ != nullptr) DAF_RETURN_IF_ERROR(background_->Save(&saved_background_, writer));
  DAF_RETURN_IF_ERROR(SaveCameras(cameras_, scratch, writer));
  if (!occupancy_.AllAllowed()) {
    DAF_RETURN_IF_ERROR(
        writer->Add("allowed", DType::kU8, {occupancy_.byte_count()}, occupancy_.allowed_bytes()));
  }
  return writer->Add("occupancy", DType::kU8, {occupancy_.byte_count()}, occupancy_.bytes());
}

Status Model::Assign(const SafetensorsFile& file) {
  const Status loaded = field_->LoadTensors(file);
  field_->Pack();
  Touch();
  return loaded;
}

Status Model::RefreshOccupancy(const TaskControl& control) {
  const std::lock_guard<std::mutex> lock(refreshing_);
  return Refresh(control);
}

Status Model::PrepareSkipping(const TaskControl& control) {
  const std::lock_guard<std::mutex> lock(refreshing_);
  DAF_RETURN_IF_ERROR(Refresh(control));
  if (mapped_ || box_.unbounded) return Status::Ok();
  DAF_RETURN_IF_ERROR(skip_map_.Build(occupancy_));
  mapped_ = true;
  return Status::Ok();
}

Status Model::Refresh(const TaskControl& control) {
  const FlushDenormals flush;
  if (!stale_) return Status::Ok();
  PassPool::Loan pass;
  DAF_RETURN_IF_ERROR(Borrow(PassKind::kInference, &pass));
  Rng rng(1, 7);
  DAF_RETURN_IF_ERROR(occupancy_.Update(&*pass, true, true, &rng, control));
  stale_ = false;
  return Status::Ok();
}

Status Model::Evaluate(const float* points, const float* directions, size_t n, float* density,
                       float* color, const TaskControl& control, PassKind kind) {
  const FlushDenormals flush;
  PassPool::Loan pass;
  DAF_RETURN_IF_ERROR(Borrow(kind, &pass));
  std::vector<float> scratch(size_t{10} * kPassSamples);
  std::vector<uint32_t> pick(kPassSamples);
  float* lanes[10];
  for (size_t i = 0; i < 10; ++i) lanes[i] = scratch.data() + i * kPassSamples;
  const float per_length = 1 / box_.edge();
  for (size_t first = 0; first < n; first += pass->capacity()) {
    DAF_RETURN_IF_ERROR(control.Check());
    const uint32_t count = static_cast<uint32_t>(std::min<size_t>(pass->capacity(), n - first));
    for (uint32_t i = 0; i < TilesOf(count) * kernels::kTile; ++i) {
      const size_t from = first + std::min(i, count - 1);
      pick[i] = std::min(i, count - 1);
      float unit[3];
      box_.ToUnit(points + from * 3, unit);
      for (int a = 0; a < 3; ++a) {
        lanes[a][i] = unit[a] >= 0 && unit[a] <= 1 ? unit[a] : 0.0f;  // NaN stays out
        lanes[3 + a][i] = directions != nullptr ? directions[from * 3 + a] : 0.0f;
      }
    }
    pass->Density({lanes[0], lanes[1], lanes[2]}, count, lanes[6]);
    if (color != nullptr && directions != nullptr) {
      pass->Color(pick.data(), {lanes[3], lanes[4], lanes[5]}, count,
                  {lanes[7], lanes[8], lanes[9]});
    }
    for (uint32_t i = 0; i < count; ++i) {
      bool inside = true;
      for (int a = 0; a < 3; ++a) {
        const float p = points[(first + i) * 3 + a];
        inside =
            inside && (box_.unbounded ? std::isfinite(p) : p >= box_.min[a] && p <= box_.max[a]);
      }
      density[first + i] = inside ? lanes[6][i] * per_length : 0.0f;
      if (color == nullptr || directions == nullptr) continue;
      for (int c = 0; c < 3; ++c) color[(first + i) * 3 + c] = lanes[7 + c][i];
    }
  }
  return Status::Ok();
}

void Model::ToLanes(const float* points, uint32_t count, float* const lanes[3]) const {
  for (uint32_t i = 0; i < TilesOf(count) * kernels::kTile; ++i) {
    float unit[3];
    box_.ToUnit(points + 3 * size_t{std::min(i, count - 1)}, unit);
    for (int a = 0; a < 3; ++a)
      lanes[a][i] = unit[a] >= 0 && unit[a] <= 1 ? unit[a] : 0.0f;  // NaN stays out
  }
}

Status Model::Colors(const float* points, size_t n, const float* directions, size_t views,
                     float* colors, const TaskControl& control) {
  const FlushDenormals flush;
  PassPool::Loan pass;
  DAF_RETURN_IF_ERROR(Borrow(PassKind::kInference, &pass));
  std::vector<float> scratch(size_t{10} * kPassSamples);
  std::vector<uint32_t> pick(kPassSamples);
  float* lanes[10];
  for (size_t i = 0; i < 10; ++i) lanes[i] = scratch.data() + i * kPassSamples;
  for (size_t first = 0; first < n; first += pass->capacity()) {
    const uint32_t count = static_cast<uint32_t>(std::min<size_t>(pass->capacity(), n - first));
    ToLanes(points + 3 * first, count, lanes);
    pass->Density({lanes[0], lanes[1], lanes[2]}, count, lanes[6]);
    for (uint32_t i = 0; i < TilesOf(count) * kernels::kTile; ++i) pick[i] = std::min(i, count - 1);
    for (size_t view = 0; view < views; ++view) {
      DAF_RETURN_IF_ERROR(control.Check());
      const size_t at = view * n + first;
      for (uint32_t i = 0; i < TilesOf(count) * kernels::kTile; ++i) {
        for (size_t a = 0; a < 3; ++a) lanes[3 + a][i] = directions[3 * (at + pick[i]) + a];
      }
      pass->Color(pick.data(), {lanes[3], lanes[4], lanes[5]}, count,
                  {lanes[7], lanes[8], lanes[9]});
      for (uint32_t i = 0; i < count; ++i) {
        for (size_t c = 0; c < 3; ++c) colors[3 * (at + i) + c] = lanes[7 + c][i];
      }
    }
  }
  return Status::Ok();
}

}  // namespace daf::nerf
