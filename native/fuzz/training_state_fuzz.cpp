// Any bytes as the state of a training; one that is accepted must go on.
#include <cstdlib>

#include "native/fuzz/small_training.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace daf;
  static fuzz::SmallTraining* training = [] {
    auto* made = new fuzz::SmallTraining;
    if (!made->Make().ok()) abort();
    return made;
  }();
  Budget::Process().SetLimit(size_t{256} << 20);
  SafetensorsFile file;
  std::string note;
  if (!SafetensorsFile::Parse(data, size, &file).ok() ||
      !training->trainer->RestoreState(file, &note).ok())
    return 0;
  nerf::SceneTrainReport report;
  (void)training->trainer->Run(0, 1, 0, 0, TaskControl(), &report).ok();
  return 0;
}
