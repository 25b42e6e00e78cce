// What a training continues from, as a safetensors file.
#include <cstring>

#include "native/nerf/checkpoint.h"
#include "native/nerf/training/scene_trainer.h"

namespace daf::nerf {
namespace {
constexpr char kFormat[] = "daf-training-3";
}

Status SceneTrainer::SaveState(const std::string& path, const std::string& note) {
  if (!prepared_ || averaged_)
    return Status(Code::kBadArgument, "training: not prepared, or averaged");
  Field& field = model_.field();
  const uint64_t count = field.parameter_count(), cells = grid_.byte_count() * 8;
  // In two halves each: safetensors has 64-bit integers, but no reader here wants them.
  std::vector<uint32_t> counters = {static_cast<uint32_t>(adam_.steps()),
                                    static_cast<uint32_t>(adam_.steps() >> 32), sweep_due_};
  for (const auto& worker : workers_) {
    counters.push_back(static_cast<uint32_t>(worker->rng().state()));
    counters.push_back(static_cast<uint32_t>(worker->rng().state() >> 32));
  }
  SafetensorsWriter writer;
  writer.Metadata("format", kFormat);
  writer.Metadata("kind", field.kind());
  writer.Metadata("note", note);
  writer.Metadata("threads", std::to_string(options_.threads));
  DAF_RETURN_IF_ERROR(writer.Add("counters", DType::kU32, {counters.size()}, counters.data()));
  DAF_RETURN_IF_ERROR(writer.Add("weights", DType::kF32, {count}, field.parameters()));
  DAF_RETURN_IF_ERROR(writer.Add("first", DType::kF32, {count}, adam_.first()));
  DAF_RETURN_IF_ERROR(writer.Add("second", DType::kF32, {count}, adam_.second()));
  if (adam_.average() != nullptr)
    DAF_RETURN_IF_ERROR(writer.Add("average", DType::kF32, {count}, adam_.average()));
  DAF_RETURN_IF_ERROR(writer.Add("maxima", DType::kF32, {cells}, grid_.maxima()));
  DAF_RETURN_IF_ERROR(writer.Add("allowed", DType::kU8, {cells / 8}, grid_.allowed_bytes()));
  DAF_RETURN_IF_ERROR(writer.Add("occupied", DType::kU8, {cells / 8}, grid_.bytes()));
  const std::vector<uint8_t> shown = shown_.State();
  DAF_RETURN_IF_ERROR(writer.Add("shown", DType::kU8, {shown.size()}, shown.data()));
  const std::vector<float> background =
      background_.active() ? background_.State() : std::vector<float>();
  if (background_.active())
    DAF_RETURN_IF_ERROR(
        writer.Add("background", DType::kF32, {background.size()}, background.data()));
  if (poses_.active())
    DAF_RETURN_IF_ERROR(writer.Add("poses", DType::kF32, {poses_.state_size()}, poses_.state()));
  return writer.Write(path);
}

Status SceneTrainer::RestoreState(const SafetensorsFile& file, std::string* note) {
  if (!prepared_ || averaged_)
    return Status(Code::kBadArgument, "training: not prepared, or averaged");
  const auto bad = [](const std::string& what) {
    return Status(Code::kBadData, "training state: " + what,
                  "resume with the options and the scene that it was begun with");
  };
  std::string format, kind, threads;
  DAF_RETURN_IF_ERROR(file.Metadata("format", &format));
  if (format != kFormat) return bad("\"" + format + "\" is not " + kFormat);
  DAF_RETURN_IF_ERROR(file.Metadata("note", note));
  DAF_RETURN_IF_ERROR(file.Metadata("kind", &kind));
  if (kind != model_.field().kind()) return bad("it is one of a " + kind + " field");
  DAF_RETURN_IF_ERROR(file.Metadata("threads", &threads));
  if (threads != std::to_string(options_.threads))
    return bad("it was trained by " + threads + " threads");
  const size_t count = model_.field().parameter_count(), bytes = grid_.byte_count();
  const struct {
    const char* name;
    size_t size;
    float* to;
  } floats[] = {{"weights", count, model_.field().parameters()},
                {"first", count, adam_.first()},
                {"second", count, adam_.second()},
                {"average", count, adam_.average()},  // null where there is none
                {"maxima", bytes * 8, grid_.maxima()}};
  std::vector<uint32_t> counters;
  std::vector<uint8_t> allowed, occupied, shown;
  std::vector<float> background, poses;
  if ((file.Find("average") != nullptr) != (adam_.average() != nullptr))
    return bad("it has another moving average");
  if ((file.Find("background") != nullptr) != background_.active())
    return bad(background_.active() ? "its background was not learnt"
                                    : "its background was learnt");
  if ((file.Find("poses") != nullptr) != poses_.active())
    return bad(poses_.active() ? "its poses were not refined" : "its poses were refined");
  // All is checked before any of it is used: a file at fault leaves the training as it was.
  for (const auto& each : floats) {
    if (each.to != nullptr) DAF_RETURN_IF_ERROR(file.CheckFloats(each.name, {each.size}));
  }
  DAF_RETURN_IF_ERROR(file.Uint32s("counters", {3 + 2 * workers_.size()}, &counters));
  DAF_RETURN_IF_ERROR(file.Bytes("allowed", {bytes}, &allowed));
  DAF_RETURN_IF_ERROR(file.Bytes("occupied", {bytes}, &occupied));
  DAF_RETURN_IF_ERROR(file.Bytes("shown", {shown_.state_size()}, &shown));
  if (background_.active())
    DAF_RETURN_IF_ERROR(file.Floats("background", {background_.state_size()}, &background));
  if (poses_.active()) DAF_RETURN_IF_ERROR(file.Floats("poses", {poses_.state_size()}, &poses));
  for (const auto& each : floats) {
    if (each.to != nullptr)
      DAF_RETURN_IF_ERROR(file.FloatsInto(each.name, {each.size}, each.to, each.size));
  }
  std::memcpy(grid_.allowed_bytes(), allowed.data(), bytes);
  grid_.RestoreBits(occupied.data());
  shown_.Restore(shown);
  adam_.RestoreSteps(counters[0] | uint64_t{counters[1]} << 32);
  if (background_.active()) background_.Restore(background, adam_.steps());
  if (poses_.active()) poses_.Restore(poses.data(), adam_.steps(), &images_);
  sweep_due_ = counters[2] != 0;
  for (size_t i = 0; i < workers_.size(); ++i)
    workers_[i]->rng().Restore(counters[3 + 2 * i] | uint64_t{counters[4 + 2 * i]} << 32);
  model_.field().Pack();
  model_.Touch();
  return skips_ ? skip_.Build(grid_) : Status::Ok();
}

}  // namespace daf::nerf
