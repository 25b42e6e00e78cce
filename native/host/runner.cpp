#include "native/host/runner.h"

#include <vector>

namespace daf {

Status PluginRunner::Map(const PluginCall& call, MapWriter* writer, const TaskControl& control,
                         uint64_t* records) {
  PluginHooks hooks;
  hooks.log = log_;
  std::vector<uint8_t>
      rest;  // what a full buffer left over, moved away because the combine needs the output memory
  std::vector<uint32_t> rest_partitions;
  hooks.flush = [&](const PluginOutput& given) -> Status {
    PluginOutput output = given;
    for (;;) {
      size_t consumed = 0, taken = 0;
      DAF_RETURN_IF_ERROR(writer->Append(output.bytes, output.size, output.partitions, output.count,
                                         &consumed, &taken));
      if (consumed == output.size) return Status::Ok();
      rest = std::vector<uint8_t>(output.bytes + consumed, output.bytes + output.size);
      if (output.partitions != nullptr) {
        rest_partitions =
            std::vector<uint32_t>(output.partitions + taken, output.partitions + output.count);
      }
      DAF_RETURN_IF_ERROR(Combine(writer, false, call.task, control));
      output = {rest.data(), rest.size(),
                output.partitions != nullptr ? rest_partitions.data() : nullptr,
                output.count - taken};
    }
  };
  return backend_->Run(call, hooks, control, records);
}

Status PluginRunner::Map(const PluginCall& call, const Sink& sink, const TaskControl& control,
                         uint64_t* records) {
  PluginHooks hooks;
  hooks.log = log_;
  hooks.flush = [&](const PluginOutput& output) {
    return sink(output.bytes, output.size, output.count);
  };
  return backend_->Run(call, hooks, control, records);
}

Status PluginRunner::Combine(MapWriter* writer, bool last, uint32_t task,
                             const TaskControl& control) {
  PluginHooks hooks;
  hooks.log = log_;
  hooks.flush = [&](const PluginOutput& output) {
    return writer->WriteCombined(output.bytes, output.size);
  };
  hooks.more = [&](uint8_t* input, size_t capacity, size_t* size) {
    return writer->NextGroups(input, capacity, size);
  };
  PluginCall call;
  call.work = PluginWork::kCombine;
  call.task = task;
  for (;;) {
    bool pass = false;
    DAF_RETURN_IF_ERROR(writer->BeginCombine(last, &pass));
    if (!pass) return Status::Ok();
    uint64_t none = 0;
    DAF_RETURN_IF_ERROR(backend_->Run(call, hooks, control, &none));
    DAF_RETURN_IF_ERROR(writer->EndCombine());
    if (!last) return Status::Ok();
  }
}

Status PluginRunner::Reduce(MergeReader* reader, uint32_t task, const Sink& sink,
                            const TaskControl& control) {
  PluginHooks hooks;
  hooks.log = log_;
  hooks.flush = [&](const PluginOutput& output) {
    return sink(output.bytes, output.size, output.count);
  };
  hooks.more = [&](uint8_t* input, size_t capacity, size_t* size) {
    return reader->Next(input, capacity, size);
  };
  PluginCall call;
  call.work = PluginWork::kReduce;
  call.task = task;
  uint64_t none = 0;
  return backend_->Run(call, hooks, control, &none);
}

}  // namespace daf
